"""URLs of the app's own pages, for `include("django_dtale.urls")`."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from .views import downloads, frames, models, push, sources, tokens
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
    path("<int:pk>/rename/", frames.rename, name="rename"),
    path("<int:pk>/share/", frames.share, name="share"),
    path("<int:pk>/share/<int:share>/", frames.remove_access, name="take_back"),
    path("<int:pk>/delete/", frames.delete, name="delete"),
    path("<int:pk>/leave/", frames.leave, name="leave"),
    path("<int:pk>/csv/", downloads.download, {"kind": "csv"}, name="csv"),
    path("<int:pk>/parquet/", downloads.download, {"kind": "parquet"}, name="parquet"),
    path("<int:pk>/refresh/", sources.refresh, name="refresh"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<str:key>/", sources.source, name="source"),
    # The former page of the models. Visitors who are not signed in have no models.
    path("models/", login_required(sources.sources), name="models"),
    path("models/<str:app_label>/<str:model_name>/", models.model, name="model"),
    path("push/", push.push, name="push"),
    path("<int:pk>/push/", push.push, name="push_to"),
    path("client.py", downloads.client_module, name="client"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="revoke"),
]
