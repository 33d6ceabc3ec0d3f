from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A user of the site. Add fields here, then run `manage.py makemigrations accounts`.

    https://docs.djangoproject.com/en/stable/topics/auth/customizing/
    """

    class Meta(AbstractUser.Meta):
        # Projects older than this model keep AUTH_USER_MODEL = "auth.User".
        swappable = "AUTH_USER_MODEL"


class SignInTry(models.Model):
    """A sign-in attempt that has failed, or whose password is still being checked.

    `throttle` deletes old rows, and the rows of users who sign in.
    """

    person = models.CharField(max_length=64)  # The HMAC of the name as typed.
    address = models.CharField(_("IP address"), max_length=43)
    at = models.DateTimeField(_("time"), db_index=True)

    class Meta:
        verbose_name = _("failed sign-in attempt")
        verbose_name_plural = _("failed sign-in attempts")
        indexes = [models.Index(fields=["address", "at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} from {self.address}"
