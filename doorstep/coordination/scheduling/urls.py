"""Addresses of schedules, slots and bookings."""

from django.urls import path

from doorstep.coordination.scheduling import views

app_name = "scheduling"
urlpatterns = [
    path("", views.board, name="board"),
    path("picker/", views.picker, name="picker"),
    path("schedules/", views.schedules, name="schedules"),
    path("schedules/<uuid:key>/", views.schedule, name="schedule"),
    path("bookings/<uuid:key>/", views.booking, name="booking"),
    path("bookings/<uuid:key>/<str:verb>/", views.act, name="act"),
]
