"""Signing in and out, and one's own password: Django's own views and names for them.

Where no e-mail can be sent, there is no page for a forgotten password.

https://docs.djangoproject.com/en/stable/topics/auth/default/#all-authentication-views
"""

from django.conf import settings
from django.contrib.auth import get_user_model, views
from django.urls import path

from .views import PasswordResetView

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

if settings.SENDS_EMAIL:
    urlpatterns += [
        path("password_reset/", PasswordResetView.as_view(), name="password_reset"),
        path(
            "password_reset/done/",
            views.PasswordResetDoneView.as_view(
                template_name="accounts/reset_sent.html"
            ),
            name="password_reset_done",
        ),
        path(
            "reset/<uidb64>/<token>/",
            views.PasswordResetConfirmView.as_view(
                template_name="accounts/reset_password.html"
            ),
            name="password_reset_confirm",
        ),
        path(
            "reset/done/",
            views.PasswordResetCompleteView.as_view(
                template_name="accounts/password_changed.html"
            ),
            name="password_reset_complete",
        ),
    ]
