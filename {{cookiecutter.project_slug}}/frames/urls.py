"""The app's own pages: `include("frames.urls")`, at /frames/ in this site."""

from django.urls import path

from . import views

app_name = "frames"
urlpatterns = [
    path("<int:pk>/copy/", views.copy, name="copy"),
]
