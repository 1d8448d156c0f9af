"""Addresses of contracts."""

from django.urls import path

from doorstep.care.contracts import views

app_name = "contracts"
urlpatterns = [
    path("", views.panel, name="panel"),
    path("new/", views.new, name="new"),
    path("new/<uuid:resident_key>/", views.new, name="new-for"),
    path("<uuid:key>/", views.detail, name="detail"),
    path("<uuid:key>/sign/", views.sign, name="sign"),
    path("<uuid:key>/renew/", views.renew, name="renew"),
    path("<uuid:key>/terminate/", views.terminate, name="terminate"),
]
