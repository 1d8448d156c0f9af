"""Addresses of connections, messages, codes, reported merges, and subscriptions."""

from django.urls import path

from doorstep.coordination.hospital_systems import (
    client_views,
    document_views,
    file_views,
    line_views,
    missing_views,
    notice_views,
    refused_views,
    subscription_views,
    views,
)

app_name = "exchange"
urlpatterns = [
    path("", views.connections, name="connections"),
    path("new/", views.new, name="new"),
    path("messages/", views.messages, name="messages"),
    path("messages/<uuid:key>/", views.message, name="message"),
    path("messages/<uuid:key>/replay/", views.replay, name="replay"),
    path("refused/", refused_views.refusals, name="refused"),
    path("refused/<uuid:key>/", refused_views.refusal, name="refusal"),
    path("refused/<uuid:key>/take/", refused_views.take, name="take-refusal"),
    path("refused/<uuid:key>/settle/", refused_views.settle, name="settle-refusal"),
    path("documents/<uuid:key>.xml", document_views.document, name="document"),
    path("merges/<uuid:key>/", notice_views.notice, name="merge-notice"),
    path("merges/<uuid:key>/dismiss/", notice_views.dismiss, name="dismiss"),
    path("subscriptions/", subscription_views.subscriptions, name="subscriptions"),
    path("subscriptions/<uuid:key>/", subscription_views.subscription, name="subscription"),
    path("subscriptions/<uuid:key>/resume/", subscription_views.resume, name="resume-subscription"),
    path("notifications/<uuid:key>/again/", subscription_views.send_again, name="send-again"),
    path("notifications/<uuid:key>/drop/", subscription_views.drop, name="drop-notification"),
    path("systems/", subscription_views.systems, name="systems"),
    path("systems/new/", client_views.new_system, name="new-system"),
    path("systems/<slug:name>/keys/", client_views.keys, name="system-keys"),
    path("systems/<slug:name>/stop/", client_views.stop, name="stop-system"),
    path("systems/<slug:name>/", subscription_views.system, name="system"),
    path("<uuid:key>/", views.connection, name="connection"),
    path("<uuid:key>/codes/", views.codes, name="codes"),
    path("<uuid:key>/codes/<uuid:code>/", views.decide, name="decide"),
    path("tables/<slug:kind>.csv", file_views.blank, name="blank-table"),
    path("<uuid:key>/files/", file_views.upload, name="upload"),
    path("<uuid:key>/line/", line_views.line, name="line"),
    path("<uuid:key>/line/close/", line_views.close, name="close-line"),
    path("<uuid:key>/missing/", missing_views.missing, name="missing"),
    path("<uuid:key>/again/", line_views.again, name="again"),
    path("<uuid:key>/refused/<str:verb>/", refused_views.act, name="act-refused"),
    path("<uuid:key>/<str:verb>/", views.act, name="act"),
]
