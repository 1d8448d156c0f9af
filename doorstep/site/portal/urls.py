"""Addresses of the residents' pages."""

from django.urls import path

from doorstep.site.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("record/", views.timeline, name="record"),
    path("trends/", views.trends, name="trends"),
    path("looks/", views.looks, name="looks"),
    path("code/", views.code, name="code"),
    path("family/<uuid:key>/", views.choose, name="choose"),
]
