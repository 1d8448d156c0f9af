"""Addresses of allergies."""

from django.urls import path

from doorstep.coordination.allergies import views

app_name = "allergies"
urlpatterns = [
    path("<uuid:key>/", views.resident, name="resident"),
    path("<uuid:key>/none/", views.none, name="none"),
    path("<uuid:key>/<uuid:allergy_key>/refute/", views.refute, name="refute"),
]
