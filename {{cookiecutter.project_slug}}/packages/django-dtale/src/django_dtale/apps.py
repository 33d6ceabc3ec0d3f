from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.signals import request_finished
from django.db.models.signals import pre_delete
from django.utils.module_loading import autodiscover_modules


class DjangoDtaleConfig(AppConfig):
    name = "django_dtale"
    # Tables, permissions and migrations of existing sites use this label.
    label = "frames"
    verbose_name = "D-Tale"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing `checks` registers the system checks.
        from . import checks, workspace
        from .history import cleanup
        from .models import Frame
        from .storage import memory

        autodiscover_modules("sources")
        user_logged_in.connect(workspace.claim_visitor_frames, dispatch_uid=checks.TAG)
        pre_delete.connect(cleanup.remove_payloads, Frame, dispatch_uid=checks.TAG)
        request_finished.connect(memory.return_freed_memory, dispatch_uid=checks.TAG)
