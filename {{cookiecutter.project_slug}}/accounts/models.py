from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """A session that knows who is signed in with it: one query reads both.

    https://docs.djangoproject.com/en/stable/topics/http/sessions/#extending-database-backed-session-engines
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True
    )

    @classmethod
    def get_session_store_class(cls):
        from .sessions import SessionStore

        return SessionStore


class SignInTry(models.Model):
    """A try to sign in that has failed, or whose password is being looked at.

    See throttle.py; who succeeds is forgotten here, and so is what is old.
    """

    person = models.CharField(max_length=64)  # HMAC of the name that was typed.
    address = models.CharField(max_length=43)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["address", "at"])]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M:%S} from {self.address}"
