"""Addresses of the resident index."""

from django.urls import path

from doorstep.people.residents import views

app_name = "residents"
urlpatterns = [
    path("", views.find, name="find"),
    path("presence/", views.presence, name="presence"),
    path("presence/<int:presence_id>/", views.present, name="present"),
    path("register/", views.register, name="register"),
    path("emergency/", views.break_glass, name="break_glass"),
    path("<uuid:key>/", views.detail, name="detail"),
    path("<uuid:key>/change/", views.change, name="change"),
    path("<uuid:key>/pressure.json", views.pressure, name="pressure"),
]
