"""Addresses of beds."""

from django.urls import path

from doorstep.coordination.beds import views

app_name = "beds"
urlpatterns = [
    path("", views.board, name="board"),
    path("board.xlsx", views.export, name="export"),
    path("wards/new/", views.ward, name="ward"),
    path("<uuid:key>/act/<str:verb>/", views.act, name="act"),
    path("medicines/", views.found_medicines, name="medicines"),
    path("medicines/row/", views.medicine_rows, name="medicine-row"),
    path("stays/<uuid:key>/", views.stay, name="stay"),
    path("stays/<uuid:key>/leave/", views.leave, name="leave"),
]
