from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        from . import throttle

        user_logged_in.connect(throttle.forget, dispatch_uid=throttle.__name__)
