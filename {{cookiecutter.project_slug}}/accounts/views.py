from django.conf import settings
from django.contrib.auth import forms, get_user_model, views
from django.http import HttpResponse

from . import throttle
from .forms import PasswordResetForm


class LoginView(views.LoginView):
    extra_context = {
        # Django's view would show the host name instead.
        "site_name": settings.SITE_NAME,
        # If there are no users, the page explains how to create one.
        "has_users": lambda: get_user_model().objects.exists(),
    }


class PasswordResetView(views.PasswordResetView):
    """Django's view, rate-limited like sign-in attempts.

    The response does not depend on whether the address has an account.
    """

    extra_email_context = {"site_name": settings.SITE_NAME}
    form_class = PasswordResetForm

    def form_valid(self, form: forms.PasswordResetForm) -> HttpResponse:
        # The prefix separates these attempts from sign-in attempts with the same name.
        throttle.count(self.request, f"reset {form.cleaned_data['email'].lower()}")
        return super().form_valid(form)
