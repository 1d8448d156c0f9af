"""Addresses of referrals and follow-ups."""

from django.urls import path

from doorstep.care.referrals.views import case, documents, flow, following, going_home, office, sending, treating

app_name = "referrals"

urlpatterns = [
    path("", sending.sent, name="list"),
    path("outcomes/", sending.outcomes, name="outcomes"),
    path("new/<uuid:resident_key>/", sending.new, name="new"),
    path("office/", office.queue, name="office"),
    path("coming/", office.coming, name="coming"),
    path("office/check-in/", office.check_in, name="check-in"),
    path("treating/", treating.patients, name="treating"),
    path("returning/", following.returning, name="returning"),
    path("follow-ups/", following.follow_ups, name="follow-ups"),
    path("follow-ups/<uuid:key>/", following.follow_up, name="follow-up"),
    path("follow-ups/<uuid:key>/reschedule/", following.reschedule, name="reschedule"),
    path("proposals/", going_home.proposals, name="proposals"),
    path("proposals/<uuid:key>/", going_home.proposal, name="proposal"),
    path("service/", going_home.service, name="service"),
    path("service/stock/", going_home.stock, name="stock"),
    path("service/stock.xlsx", going_home.stock_file, name="stock-file"),
    path("medicines/", treating.medicines, name="medicines"),
    path("medicines/row/", treating.medicine_row, name="medicine-row"),
    path("questions/<uuid:key>/", case.question, name="question"),
    path("debts/<uuid:key>/", case.debt, name="debt"),
    path("debts/<uuid:key>/<str:verb>/", case.settle, name="settle"),
    path("flow/", flow.board, name="flow"),
    path("flow/cases/", flow.cases, name="flow-cases"),
    path("flow/cases.xlsx", flow.export, name="flow-export"),
    path("flow/sankey.json", flow.sankey, name="flow-sankey"),
    path("flow/map.json", flow.map_of_flows, name="flow-map"),
    path("<uuid:key>/", sending.detail, name="detail"),
    path("<uuid:key>/edit/", sending.edit, name="edit"),
    path("<uuid:key>/advice/", sending.advice, name="advice"),
    path("<uuid:key>/again/", sending.again, name="again"),
    path("<uuid:key>/outside/", sending.outside, name="outside"),
    path("<uuid:key>/questions/", case.ask, name="ask"),
    path("<uuid:key>/hold/", sending.hold, name="hold"),
    path("<uuid:key>/act/<str:verb>/", office.act, name="act"),
    path("<uuid:key>/record/", sending.open_record, name="open-record"),
    path("<uuid:key>/dialog/<str:verb>/", office.dialog, name="dialog"),
    path("<uuid:key>/admit/", treating.admit, name="admit"),
    path("<uuid:key>/discharge/", treating.discharge, name="discharge"),
    path("<uuid:key>/receivers/", treating.receivers, name="receivers"),
    path("<uuid:key>/referral.pdf", documents.referral_pdf, name="referral-pdf"),
    path("<uuid:key>/packet/", documents.packet, name="packet"),
    path("<uuid:key>/consent/", documents.consent_paper, name="consent-paper"),
    path("<uuid:key>/return.pdf", documents.return_pdf, name="return-pdf"),
]
