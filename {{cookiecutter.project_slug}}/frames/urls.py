"""The app's own pages: `include("frames.urls")`, at /frames/ in this site."""

from django.urls import path

from . import model_views, push, token_views, views

app_name = "frames"
urlpatterns = [
    path("<int:pk>/copy/", views.copy, name="copy"),
    path("models/", model_views.models, name="models"),
    path("models/<str:app_label>/<str:model_name>/", model_views.model, name="model"),
    path("push/", push.push, name="push"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", token_views.revoke, name="revoke"),
]
