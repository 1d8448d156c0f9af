"""Addresses of organisations."""

from django.urls import path

from doorstep.people.organizations import views

app_name = "organizations"
urlpatterns = [
    path("", views.tree, name="tree"),
    path("members/", views.members, name="members"),
    path("<uuid:key>/", views.detail, name="detail"),
]
