"""The model of a user's preferences."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction


class Preferences(models.Model):
    """D-Tale's global settings, stored for each user or visitor."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True
    )
    visitor_token = models.CharField(max_length=32, null=True, unique=True)  # noqa: DJ001
    app_settings = models.JSONField(default=dict)  # For example, theme and language.
    mapbox_token = models.CharField(max_length=200, blank=True)
    geojson = models.BinaryField(default=bytes)  # The list of uploaded files, signed.

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"Preferences of {self.owner or 'a visitor'}"

    @classmethod
    def save_theme(cls, user: AbstractBaseUser, theme: str) -> None:
        """Save the theme of a user. Their other preferences stay."""
        owner: Any = user
        with transaction.atomic():
            rows = cls.objects.select_for_update()
            row, _ = rows.get_or_create(owner=owner)
            row.app_settings["theme"] = theme
            row.save(update_fields=["app_settings"])
