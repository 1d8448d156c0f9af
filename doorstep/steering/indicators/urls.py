"""Addresses of the indicators."""

from django.urls import path

from doorstep.steering.indicators import views

app_name = "indicators"

urlpatterns = [
    path("", views.stages, name="stages"),
    path("recognition/", views.recognition, name="recognition"),
    path("recognition/decisions/", views.decisions, name="decisions"),
    path("stages/<str:kind>/", views.cases, name="cases"),
    path("cases/<uuid:key>/", views.case, name="case"),
]
