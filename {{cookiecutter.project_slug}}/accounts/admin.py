from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from .models import SignInTry, User

admin.site.register(User, UserAdmin)


@admin.register(SignInTry)
class SignInTryAdmin(admin.ModelAdmin):
    """Failed sign-in attempts. Deleting an address's attempts unlocks its users."""

    list_display = ["address", "at"]
    search_fields = ["address"]
    date_hierarchy = "at"
    ordering = ["-at"]
    dtale_fields = ()  # This hides the model in D-Tale.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
