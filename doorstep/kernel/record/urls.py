"""Addresses of the machine interface."""

from django.urls import path

from doorstep.kernel.record import views

app_name = "fhir"

urlpatterns = [
    path("", views.root, name="root"),
    path("metadata", views.metadata, name="metadata"),
    path("<str:type>", views.search, name="search"),
    path("<str:type>/<str:fhir_id>", views.read, name="read"),
    path("<str:type>/<str:fhir_id>/_history/<str:version>", views.read, name="vread"),
]
