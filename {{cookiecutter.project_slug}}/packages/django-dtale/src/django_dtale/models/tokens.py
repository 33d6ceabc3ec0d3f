"""Access tokens, with which programs act for a user without their password."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..exceptions import ScopeMissing, TokenExpired

PREFIX = "dtale_"  # People and secret scanners recognize tokens by this prefix.
MAX_TOKENS = 20  # The limit for one user.


class Scope(models.TextChoices):
    """The scopes of a token: words that are separated by spaces, as in OAuth 2.0."""

    WRITE = "write", _("Create tables")
    READ = "read", _("Read tables")
    READ_WRITE = "read write", _("Create and read tables")


class TokenManager(models.Manager["Token"]):
    def create_token(
        self,
        user: AbstractBaseUser,
        name: str,
        scope: str = Scope.WRITE,
        days: int | None = None,
    ) -> str:
        """Create a token with a name for a user.

        Args:
            scope: a value of ``Scope``.
            days: the number of days after which the token expires; None for never.

        Returns:
            The token itself. It is not stored, so it cannot be shown again.
        """
        text = PREFIX + secrets.token_urlsafe(32)
        self.create(
            user=user,  # type: ignore[misc]
            name=name,
            scope=scope,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            key_hash=key_hash(text),
        )
        return text

    def authenticate(self, text: str, scope: Scope = Scope.WRITE) -> "Token | None":
        """Return a token, or None if it is invalid or its user is inactive.

        Also set the date of the token's last use.

        Args:
            scope: READ or WRITE, which the request needs.

        Raises:
            TokenExpired: the token is no longer valid.
            ScopeMissing: the token does not have the scope.
        """
        token = self.select_related("user").filter(key_hash=key_hash(text)).first()
        if token is None or not token.user.is_active:
            return None
        if token.is_expired:
            raise TokenExpired(token.expires_at)
        today = timezone.localdate()
        if token.last_used_on != today:  # Write only once a day.
            self.filter(pk=token.pk).update(last_used_on=today)
        if scope not in token.scope.split():
            raise ScopeMissing(scope.label)
        return token


def key_hash(text: str) -> str:
    """Return the hash of a token. Tokens are random, so they need no salt."""
    return hashlib.sha256(text.encode()).hexdigest()


class Token(models.Model):
    """A user's access token. Only its hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_("The program or the machine that uses the token."),
    )
    scope = models.CharField(
        _("scope"), max_length=20, choices=Scope.choices, default=Scope.WRITE
    )
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_on = models.DateField(_("last used"), null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, editable=False)

    objects = TokenManager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        """Return whether the token has expired."""
        return self.expires_at is not None and self.expires_at <= timezone.now()
