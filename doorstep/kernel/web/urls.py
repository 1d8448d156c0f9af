"""Addresses of the page layer itself."""

from django.urls import path

from doorstep.kernel.web import views

app_name = "web"
urlpatterns = [
    path("language/", views.choose_language, name="language"),
    path("_components/", views.gallery, name="gallery"),
]
