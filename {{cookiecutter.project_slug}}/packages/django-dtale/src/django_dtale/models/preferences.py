"""The model of a user's preferences."""

from django.conf import settings
from django.db import models


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
