"""URLs of the Django site. `PathDispatcher` sends URLs under the prefix to D-Tale."""

from django.contrib import admin
from django.urls import include, path
from django_dtale.contrib.toolbar import toolbar_urls
from django_dtale.views.prefix import add_prefix

from . import views

handler400 = "django_dtale.views.errors.bad_request"
handler403 = "django_dtale.views.errors.permission_denied"
handler404 = "django_dtale.views.errors.page_not_found"
handler500 = "django_dtale.views.errors.server_error"
urlpatterns = [
    path("", views.index, name="index"),
    path("create-df/", views.create_df, name="create-df"),
    path("frames/", include("django_dtale.urls")),
    path("dtale/<path:rest>", add_prefix, name="add-prefix"),
    *toolbar_urls(),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
