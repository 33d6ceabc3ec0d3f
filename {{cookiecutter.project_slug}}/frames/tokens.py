"""Tokens: by one of them a program acts for a person, without their password."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

BEGINNING = "dtale_"  # By it people, and scanners for secrets, see what a text is.
MAX_TOKENS = 20  # Of one person.


class TokenManager(models.Manager):
    def issue(self, user, name):
        """Make a token for a user, called ``name`` (str).

        Returns:
            str: the token itself. It is nowhere else, and cannot be had again.
        """
        text = BEGINNING + secrets.token_urlsafe(32)
        self.create(user=user, name=name, digest=digest(text))
        return text

    def user_of(self, text):
        """Return whom a token (str) acts for, None if it is none, or they may not.

        The token is marked as used today.
        """
        token = self.select_related("user").filter(digest=digest(text)).first()
        if token is None or not token.user.is_active:
            return None
        today = timezone.localdate()
        if token.used != today:  # Not with each request.
            self.filter(pk=token.pk).update(used=today)
        return token.user


def digest(text):
    """Return what is kept of a token (str). It is random: it needs no salt."""
    return hashlib.sha256(text.encode()).hexdigest()


class Token(models.Model):
    """A person's token, of which there is only a hash."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_("What it is for: the program or the machine that uses it."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    used = models.DateField(_("last used"), null=True, editable=False)

    objects = TokenManager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return self.name
