"""Addresses of the FHIR operations on slots and appointments; they stand before the general ones."""

from django.urls import path

from doorstep.coordination.scheduling.views import machine

app_name = "fhir-slots"
urlpatterns = [
    path("Slot/$find", machine.find, name="find"),
    path("Slot/$hold", machine.hold, name="hold"),
    path("Slot/$release", machine.release, name="release"),
    path("Appointment/$book", machine.book, name="book"),
    path("Appointment/$change", machine.change, name="change"),
    path("Appointment/$cancel", machine.cancel, name="cancel"),
]
