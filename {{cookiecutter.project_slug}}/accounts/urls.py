"""Django's pages for signing in and for passwords, with the templates in this app.

https://docs.djangoproject.com/en/stable/topics/auth/default/#using-the-views
"""

from django.conf import settings
from django.contrib.auth.urls import urlpatterns as auth_urlpatterns
from django.urls import path

from .views import LoginView, PasswordResetView

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("password_reset/", PasswordResetView.as_view(), name="password_reset"),
    *auth_urlpatterns,  # The patterns above come first, so they take precedence.
]
if not settings.SENDS_EMAIL:
    urlpatterns = [
        each
        for each in urlpatterns
        if not each.name.startswith("password_reset")  # type: ignore[union-attr]
    ]
