from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class FramesConfig(AppConfig):
    name = "frames"

    def ready(self):
        from . import checks, workspace  # checks registers itself.

        user_logged_in.connect(workspace.adopt, dispatch_uid=checks.TAG)
