"""A person's preferences are a row."""

from django.conf import settings
from django.db import connection, models

from .quick_query import quick_query


class PreferencesQuerySet(models.QuerySet):
    def quick_get(self, owner_id, visitor=None):
        """Return a person's preferences, None without any; each page asks for them."""
        for values in _preferences_row(owner_id, visitor):
            return self.model.from_db(connection.alias, PREFERENCES, values)
        return None


# Without the maps, which only charts need.
PREFERENCES = "id", "owner_id", "visitor", "app_settings", "mapbox_token"


@quick_query
def _preferences_row(owner_id, visitor):
    rows = Preferences.objects.filter(owner_id=owner_id, visitor=visitor)
    return rows.values_list(*PREFERENCES)


class Preferences(models.Model):
    """What D-Tale keeps for all frames, here for one person."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True
    )
    visitor = models.CharField(max_length=32, null=True, unique=True)  # noqa: DJ001
    app_settings = models.JSONField(default=dict)  # Theme, language, sizes ...
    mapbox_token = models.CharField(max_length=200, blank=True)
    geojson = models.BinaryField(default=bytes)  # Sealed: the list of uploaded files.

    objects = PreferencesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self):
        return f"Preferences of {self.owner or 'a visitor'}"
