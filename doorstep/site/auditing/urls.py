"""Addresses of the auditor's pages."""

from django.urls import path

from doorstep.site.auditing import views

app_name = "auditing"
urlpatterns = [
    path("", views.trail, name="trail"),
    path("reviews/", views.reviews, name="reviews"),
    path("reviews/<uuid:key>/", views.review, name="review"),
]
