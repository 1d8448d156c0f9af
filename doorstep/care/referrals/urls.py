"""Addresses of referrals and follow-ups."""

from django.urls import path

from doorstep.care.referrals.views import documents, following, office, sending, treating

app_name = "referrals"

urlpatterns = [
    path("", sending.sent, name="list"),
    path("outcomes/", sending.outcomes, name="outcomes"),
    path("new/<uuid:resident_key>/", sending.new, name="new"),
    path("office/", office.queue, name="office"),
    path("office/check-in/", office.check_in, name="check-in"),
    path("treating/", treating.patients, name="treating"),
    path("returning/", following.returning, name="returning"),
    path("follow-ups/", following.follow_ups, name="follow-ups"),
    path("follow-ups/<uuid:key>/", following.follow_up, name="follow-up"),
    path("follow-ups/<uuid:key>/reschedule/", following.reschedule, name="reschedule"),
    path("<uuid:key>/", sending.detail, name="detail"),
    path("<uuid:key>/edit/", sending.edit, name="edit"),
    path("<uuid:key>/hold/", sending.hold, name="hold"),
    path("<uuid:key>/act/<str:verb>/", office.act, name="act"),
    path("<uuid:key>/admit/", treating.admit, name="admit"),
    path("<uuid:key>/discharge/", treating.discharge, name="discharge"),
    path("<uuid:key>/referral.pdf", documents.referral_pdf, name="referral-pdf"),
    path("<uuid:key>/return.pdf", documents.return_pdf, name="return-pdf"),
]
