"""Addresses of CDS Hooks; the specification fixes them."""

from django.urls import path

from doorstep.kernel.hooks import views

app_name = "hooks"
urlpatterns = [
    path("cds-services", views.discovery, name="discovery"),
    path("cds-services/<slug:service_id>", views.call, name="call"),
]
