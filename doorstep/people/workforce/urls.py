"""Addresses of the workforce."""

from django.urls import path

from doorstep.people.workforce import manage_views, views

app_name = "workforce"
urlpatterns = [
    path("", views.staff, name="staff"),
    path("new/", manage_views.hire, name="hire"),
    path("posts/<uuid:key>/end/", manage_views.end_post, name="end_post"),
    path("leave/", views.leave, name="leave"),
    path("leave/<uuid:key>/end/", views.end_leave, name="end_leave"),
    path("<uuid:key>/", views.person, name="person"),
    path("<uuid:key>/edit/", manage_views.edit, name="edit"),
    path("<uuid:key>/posts/", manage_views.give_post, name="give_post"),
    path("<uuid:key>/account/", manage_views.account, name="account"),
]
