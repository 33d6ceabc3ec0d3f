from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from . import throttle  # noqa: F401 (This connects a signal receiver.)
