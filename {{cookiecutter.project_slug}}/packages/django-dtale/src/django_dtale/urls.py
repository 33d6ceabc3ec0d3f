"""URLs of the app's own pages, for `include("django_dtale.urls")`."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from .views import (
    bulk,
    downloads,
    frames,
    history,
    models,
    push,
    sharing,
    sources,
    tokens,
    trash,
)
from .views.preferences import theme
from .views.saved_views import pages as view_pages
from .views.uploads import check, receive

app_name = "frames"
urlpatterns = [
    path("", frames.home, name="home"),
    path("upload/", receive.upload, name="upload"),
    path("upload/<str:token>/", check.check, name="check"),
    path("upload/<str:token>/<int:number>/", check.check_table, name="check_table"),
    path("opened/<int:count>/", check.opened, name="opened"),
    path("<int:pk>/copy/", frames.copy, name="copy"),
    path("<int:pk>/update/", frames.update, name="update"),
    path("<int:pk>/state/", frames.state, name="state"),
    path("<int:pk>/history/", history.history, name="history"),
    path("<int:pk>/history/<int:number>/", history.restore, name="restore"),
    path("<int:pk>/undo/", history.undo, name="undo"),
    path("<int:pk>/rename/", frames.rename, name="rename"),
    path("<int:pk>/share/", sharing.share, name="share"),
    path("<int:pk>/share/people/", sharing.people, name="people"),
    path("<int:pk>/share/<int:share>/", sharing.remove_access, name="take_back"),
    path("<int:pk>/share/<int:share>/role/", sharing.change_share, name="change_share"),
    path(
        "<int:pk>/share/<int:removed>/restore/",
        sharing.restore_share,
        name="restore_share",
    ),
    path("<int:pk>/delete/", frames.delete, name="delete"),
    path("<int:pk>/leave/", sharing.leave, name="leave"),
    path("<int:pk>/download/", downloads.download, name="download"),
    path("<int:pk>/csv/", downloads.data, {"kind": "csv"}, name="csv"),
    path("<int:pk>/parquet/", downloads.data, {"kind": "parquet"}, name="parquet"),
    path("<int:pk>/refresh/", sources.refresh, name="refresh"),
    path("<int:pk>/views/", view_pages.views, name="views"),
    path("<int:data_id>/views/save/", view_pages.save, name="save_view"),
    path("<int:pk>/views/<int:view>/", view_pages.rename, name="rename_view"),
    path("<int:pk>/views/<int:view>/update/", view_pages.update, name="update_view"),
    path("<int:pk>/views/<int:view>/reset/", view_pages.reset, name="reset_view"),
    path("<int:pk>/views/<int:view>/delete/", view_pages.delete, name="delete_view"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<str:key>/", sources.source, name="source"),
    # The former page of the models. Visitors who are not signed in have no models.
    path("models/", login_required(sources.sources), name="models"),
    path("models/<str:app_label>/<str:model_name>/", models.model, name="model"),
    path("tables/delete/", bulk.delete, name="bulk_delete"),
    path("tables/leave/", bulk.leave, name="bulk_leave"),
    path("tables/share/", bulk.share, name="bulk_share"),
    path("tables/csv/", bulk.download, {"kind": "csv"}, name="bulk_csv"),
    path("tables/parquet/", bulk.download, {"kind": "parquet"}, name="bulk_parquet"),
    path("theme/", theme.choose_theme, name="theme"),
    path("trash/", trash.trash, name="trash"),
    path("trash/restore/", trash.restore, name="restore_tables"),
    path("trash/empty/", trash.empty, name="empty_trash"),
    path("trash/<int:pk>/", trash.delete_for_good, name="delete_for_good"),
    path("push/", push.push, name="push"),
    path("<int:pk>/push/", push.push, name="push_to"),
    path("client.py", downloads.client_module, name="client"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="revoke"),
]
