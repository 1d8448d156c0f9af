"""Addresses of the operations on subscriptions; they stand before the general ones."""

from django.urls import path

from doorstep.kernel.subscriptions import views

app_name = "fhir-subscriptions"
urlpatterns = [
    path("Subscription/$status", views.status_of_type, name="status-type"),
    path("Subscription/<str:fhir_id>/$status", views.status, name="status"),
    path("Subscription/<str:fhir_id>/$events", views.events, name="events"),
]
