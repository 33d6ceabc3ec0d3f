"""URLs that Django answers. `PathDispatcher` gives D-Tale's prefix to D-Tale."""

from django.contrib import admin
from django.urls import include, path

from . import views

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.page_not_found
handler500 = views.server_error
urlpatterns = [
    path("", views.index, name="index"),
    path("create-df/", views.create_df, name="create-df"),
    path("frames/", include("frames.urls")),
    path("dtale/<path:rest>", views.add_prefix, name="add-prefix"),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
