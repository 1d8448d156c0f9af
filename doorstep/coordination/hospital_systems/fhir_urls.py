"""The addresses of shared documents for machines; they stand before the general ones."""

from django.urls import path

from doorstep.coordination.hospital_systems import document_api

app_name = "fhir-documents"
urlpatterns = [
    path("DocumentReference/$cda", document_api.submit, name="submit"),
    path("<str:type>/<str:fhir_id>/$cda", document_api.written, name="written"),
]
