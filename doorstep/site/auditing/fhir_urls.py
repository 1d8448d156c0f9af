"""Addresses of AuditEvent; they stand before the general ones."""

from django.urls import path

from doorstep.site.auditing import fhir_views

app_name = "fhir-audit"
urlpatterns = [
    path("AuditEvent", fhir_views.of_type, name="search"),
    path("AuditEvent/_search", fhir_views.by_post, name="search-post"),
    path("AuditEvent/<str:fhir_id>", fhir_views.instance, name="read"),
]
