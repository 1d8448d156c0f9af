"""The address of the match operation; it stands before the general ones."""

from django.urls import path

from doorstep.people.identity import match_views

app_name = "fhir-identity"
urlpatterns = [path("Patient/$match", match_views.match, name="match")]
