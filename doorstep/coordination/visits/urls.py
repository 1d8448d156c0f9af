"""Addresses of visits."""

from django.urls import path

from doorstep.coordination.visits import views

app_name = "visits"
urlpatterns = [
    path("", views.today, name="today"),
    path("open/<uuid:resident_key>/", views.open_visit, name="open"),
    path("begin/<int:presence_id>/", views.begin, name="begin"),
    path("<uuid:key>/", views.detail, name="detail"),
    path("<uuid:key>/vitals/", views.vitals, name="vitals"),
    path("<uuid:key>/finish/", views.finish, name="finish"),
    path("<uuid:key>/void/", views.void, name="void"),
]
