"""Addresses of schedules, slots and bookings."""

from django.urls import path

from doorstep.coordination.scheduling.views import bookings, clinics, own, queue, quotas, waiting

app_name = "scheduling"
urlpatterns = [
    path("", clinics.board, name="board"),
    path("picker/", clinics.picker, name="picker"),
    path("schedules/", clinics.schedules, name="schedules"),
    path("schedules/<uuid:key>/", clinics.schedule, name="schedule"),
    path("schedules/<uuid:key>/preview/", clinics.preview, name="preview"),
    path("facilities/", clinics.facilities, name="facilities"),
    path("stop/", clinics.stop, name="stop"),
    path("quotas/", quotas.quotas, name="quotas"),
    path("quotas/weeks.xlsx", quotas.quotas_file, name="quotas-file"),
    path("quotas/<uuid:key>/<str:quota>/", quotas.division, name="division"),
    path("fairness/", quotas.fairness, name="fairness"),
    path("day/", queue.day, name="day"),
    path("day/<uuid:key>/call/", queue.call, name="call"),
    path("tickets/<uuid:key>/<str:verb>/", queue.ticket, name="ticket"),
    path("screen/", queue.screen, name="screen"),
    path("waiting/", waiting.waiting, name="waiting"),
    path("waiting/<uuid:key>/", waiting.wait, name="wait"),
    path("waiting/<uuid:key>/<str:verb>/", waiting.wait_act, name="wait-act"),
    path("waiting/join/<uuid:slot>/<uuid:resident_key>/", waiting.join, name="join"),
    path("rebookings/", bookings.rebookings, name="rebookings"),
    path("rebookings/<uuid:key>/", bookings.rebooking, name="rebooking"),
    path("extra/<uuid:key>/", bookings.extra, name="extra"),
    path("my/", own.mine, name="mine"),
    path("my/find/", own.find, name="find"),
    path("my/find/<uuid:key>/", own.times, name="times"),
    path("my/find/<uuid:key>/wait/", own.wait, name="own-wait"),
    path("my/book/<uuid:key>/", own.book, name="book"),
    path("my/bookings/<uuid:key>/cancel/", own.cancel, name="own-cancel"),
    path("my/waiting/<uuid:key>/<str:verb>/", own.answer, name="own-answer"),
    path("bookings/<uuid:key>/", bookings.booking, name="booking"),
    path("bookings/<uuid:key>/change/", bookings.change, name="change"),
    path("bookings/<uuid:key>/<str:verb>/", bookings.act, name="act"),
]
