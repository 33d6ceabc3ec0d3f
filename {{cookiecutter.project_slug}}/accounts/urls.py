"""Signing in and out, and one's own password: Django's own views and names for them.

https://docs.djangoproject.com/en/stable/topics/auth/default/#all-authentication-views
"""

from django.conf import settings
from django.contrib.auth import get_user_model, views
from django.urls import path

urlpatterns = [
    path(
        "login/",
        views.LoginView.as_view(
            template_name="accounts/login.html",
            extra_context={
                # Django's view would give the host's name in its place.
                "site_name": settings.SITE_NAME,
                # The page asks it: a new site has nobody who could sign in.
                "has_users": get_user_model().objects.exists,
            },
        ),
        name="login",
    ),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path(
        "password_change/",
        views.PasswordChangeView.as_view(template_name="accounts/password.html"),
        name="password_change",
    ),
    path(
        "password_change/done/",
        views.PasswordChangeDoneView.as_view(
            template_name="accounts/password_changed.html"
        ),
        name="password_change_done",
    ),
]
