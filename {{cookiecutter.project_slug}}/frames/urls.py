"""The app's own pages: `include("frames.urls")`, at /frames/ in this site."""

from django.urls import path

from . import model_views, push, token_views, uploads, views

app_name = "frames"
urlpatterns = [
    path("", views.home, name="home"),
    path("upload/", uploads.upload, name="upload"),
    path("upload/<str:token>/", uploads.check, name="check"),
    path("<int:pk>/copy/", views.copy, name="copy"),
    path("<int:pk>/rename/", views.rename, name="rename"),
    path("<int:pk>/share/", views.share, name="share"),
    path("<int:pk>/share/<int:share>/", views.take_back, name="take_back"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/leave/", views.leave, name="leave"),
    path("<int:pk>/csv/", views.download, {"kind": "csv"}, name="csv"),
    path("<int:pk>/parquet/", views.download, {"kind": "parquet"}, name="parquet"),
    path("models/", model_views.models, name="models"),
    path("models/<str:app_label>/<str:model_name>/", model_views.model, name="model"),
    path("push/", push.push, name="push"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", token_views.revoke, name="revoke"),
]
