"""Addresses of notices."""

from django.urls import path

from doorstep.coordination.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("bell/", views.bell, name="bell"),
    path("live/", views.live, name="live"),
    path("seen/", views.seen, name="seen"),
    path("<uuid:key>/open/", views.open_notice, name="open"),
]
