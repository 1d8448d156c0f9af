"""Addresses of the resident index."""

from django.urls import path

from doorstep.people.residents import (
    account_views,
    chart_views,
    contact_views,
    death_views,
    file_views,
    import_views,
    insurance_views,
    views,
)

app_name = "residents"
urlpatterns = [
    path("", views.find, name="find"),
    path("presence/", views.presence, name="presence"),
    path("presence/<int:presence_id>/", views.present, name="present"),
    path("register/", views.register, name="register"),
    path("emergency/", views.break_glass, name="break_glass"),
    path("import/", import_views.imports, name="imports"),
    path("import/template.xlsx", import_views.import_template, name="import_template"),
    path("import/<uuid:key>/", import_views.import_batch, name="import_batch"),
    path("import/<uuid:key>/faults.xlsx", import_views.import_faults, name="import_faults"),
    path("files/<str:key>/", file_views.file, name="file"),
    path("<uuid:key>/", chart_views.detail, name="detail"),
    path("<uuid:key>/trends/", chart_views.trend, name="trends"),
    path("<uuid:key>/record/<slug:type>/<str:fhir_id>/", chart_views.entry, name="entry"),
    path("<uuid:key>/sensitive/", chart_views.open_sensitive, name="open_sensitive"),
    path("<uuid:key>/sensitive/close/", chart_views.close_sensitive, name="close_sensitive"),
    path("<uuid:key>/change/", views.change, name="change"),
    path("<uuid:key>/contact/", contact_views.contact, name="contact"),
    path("<uuid:key>/accounts/", account_views.accounts, name="accounts"),
    path("<uuid:key>/accounts/open/", account_views.open_account, name="open_account"),
    path("<uuid:key>/accounts/link/", account_views.link, name="link_account"),
    path("<uuid:key>/accounts/<int:link_id>/end/", account_views.end, name="end_account"),
    path("<uuid:key>/insurance/", insurance_views.insurance, name="insurance"),
    path("<uuid:key>/insurance/special/", insurance_views.special, name="special"),
    path("<uuid:key>/insurance/special/<uuid:line_key>/end/", insurance_views.end_special, name="end_special"),
    path("<uuid:key>/insurance/<uuid:line_key>/end/", insurance_views.end, name="end_insurance"),
    path("<uuid:key>/death/", death_views.death, name="death"),
    path("<uuid:key>/death/revoke/", death_views.revoke, name="revoke_death"),
]
