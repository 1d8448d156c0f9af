"""Addresses of the ECG centre."""

from django.urls import path

from doorstep.care.diagnosis.views import critical, ordering, reading, reports

app_name = "diagnosis"
urlpatterns = [
    path("", reading.queue, name="queue"),
    path("next/", reading.take_next, name="next"),
    path("outcomes/", reading.outcomes, name="outcomes"),
    path("recordings/<uuid:key>/wave.json", reading.wave, name="wave"),
    path("recordings/<uuid:key>/file/", reading.file, name="file"),
    path("orders/", ordering.orders, name="orders"),
    path("orders/new/<uuid:visit_key>/", ordering.order, name="order"),
    path("orders/new/<uuid:visit_key>/recognise/", ordering.recognise, name="recognise"),
    path("orders/<uuid:key>/", reports.detail, name="report"),
    path("orders/<uuid:key>/report.pdf", reports.pdf, name="report-pdf"),
    path("orders/<uuid:key>/upload/", ordering.upload, name="upload"),
    path("orders/<uuid:key>/cancel/", ordering.cancel, name="cancel"),
    path("orders/<uuid:key>/amend/", reports.amend, name="amend"),
    path("orders/<uuid:key>/case/", reading.work, name="work"),
    path("orders/<uuid:key>/preread/", reading.preread, name="preread"),
    path("orders/<uuid:key>/claim/", reading.claim, name="claim"),
    path("orders/<uuid:key>/renew/", reading.renew, name="renew"),
    path("orders/<uuid:key>/draft/", reading.draft, name="draft"),
    path("orders/<uuid:key>/sign/", reading.sign, name="sign"),
    path("orders/<uuid:key>/release/", reading.release, name="release"),
    path("orders/<uuid:key>/return/", reading.send_back, name="return"),
    path("critical/", critical.criticals, name="criticals"),
    path("critical/<uuid:key>/", critical.detail, name="critical"),
    path("critical/<uuid:key>/acknowledge/", critical.acknowledge, name="acknowledge"),
    path("critical/<uuid:key>/close/", critical.close, name="close-critical"),
]
