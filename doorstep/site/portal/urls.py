"""Addresses of the residents' pages."""

from django.urls import path

from doorstep.site.portal import offers, reading, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("record/", views.timeline, name="record"),
    path("record/<slug:type>/<str:fhir_id>/", reading.entry, name="entry"),
    path("files/<str:key>/", reading.file, name="file"),
    path("trends/", views.trends, name="trends"),
    path("looks/", views.looks, name="looks"),
    path("apps/<str:name>/stop/", views.stop_app, name="stop-app"),
    path("links/<int:link_id>/end/", views.end_link, name="end-link"),
    path("code/", views.code, name="code"),
    path("offers/", offers.offers, name="offers"),
    path("offers/<uuid:key>/<str:word>/", offers.answer, name="answer"),
    path("referrals/<uuid:key>/", offers.referral, name="referral"),
    path("family/<uuid:key>/", views.choose, name="choose"),
]
