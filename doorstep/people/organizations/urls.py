"""Addresses of organisations."""

from django.urls import path

from doorstep.people.organizations import manage_views, views

app_name = "organizations"
urlpatterns = [
    path("", views.tree, name="tree"),
    path("members/", views.members, name="members"),
    path("new/", manage_views.new, name="new"),
    path("consortium/new/", manage_views.consortium, name="consortium"),
    path("<uuid:key>/", views.detail, name="detail"),
    path("<uuid:key>/edit/", manage_views.edit, name="edit"),
    path("<uuid:key>/close/", manage_views.close, name="close"),
    path("<uuid:key>/memberships/", manage_views.join, name="join"),
    path("<uuid:key>/memberships/<int:membership_id>/end/", manage_views.leave, name="leave"),
    path("<uuid:key>/departments/", manage_views.department, name="department"),
    path(
        "<uuid:key>/departments/<uuid:department_key>/close/",
        manage_views.close_department,
        name="close_department",
    ),
]
