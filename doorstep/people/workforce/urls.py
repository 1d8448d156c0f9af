"""Addresses of the workforce."""

from django.urls import path

from doorstep.people.workforce import views

app_name = "workforce"
urlpatterns = [
    path("", views.staff, name="staff"),
    path("leave/", views.leave, name="leave"),
    path("<uuid:key>/", views.person, name="person"),
]
