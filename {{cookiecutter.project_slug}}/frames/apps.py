from django.apps import AppConfig


class FramesConfig(AppConfig):
    name = "frames"

    def ready(self):
        from . import checks  # noqa: F401  (importing it registers the checks)
