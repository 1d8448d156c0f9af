"""Every address of the site; plugging an app in is a line here."""

from django.urls import include, path
from oauth2_provider.views import JwksInfoView

from doorstep.care.diagnosis.views.public import verify as verify_report
from doorstep.kernel.record import entrance as fhir
from doorstep.site import account_urls, health, homes
from doorstep.site.fhir import messages
from doorstep.site.oauth.discovery import openid_configuration, smart_configuration
from doorstep.site.oauth.launching import launch

urlpatterns = [
    # What machines ask comes first: they ask most often, and each line before is a look.
    path("fhir", fhir.root, name="fhir"),
    path("fhir/", include("doorstep.coordination.scheduling.fhir_urls")),
    path("fhir/$process-message", messages.process_message, name="fhir-process-message"),
    path("fhir/", include("doorstep.people.identity.fhir_urls")),
    path("fhir/", include("doorstep.coordination.hospital_systems.fhir_urls")),
    path("fhir/", include("doorstep.kernel.subscriptions.urls")),
    path("fhir/", include("doorstep.site.auditing.fhir_urls")),
    path("fhir/.well-known/smart-configuration", smart_configuration, name="smart-configuration"),
    path("fhir/.well-known/openid-configuration", openid_configuration, name="openid-configuration"),
    path("fhir/.well-known/jwks.json", JwksInfoView.as_view(), name="jwks"),
    path("fhir/", include("doorstep.kernel.record.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", homes.home, name="home"),
    path("", include("doorstep.kernel.web.urls")),
    path("residents/", include("doorstep.people.residents.urls")),
    path("identity/", include("doorstep.people.identity.urls")),
    path("slots/", include("doorstep.coordination.scheduling.urls")),
    path("beds/", include("doorstep.coordination.beds.urls")),
    path("notices/", include("doorstep.coordination.notices.urls")),
    path("contracts/", include("doorstep.care.contracts.urls")),
    path("allergies/", include("doorstep.coordination.allergies.urls")),
    path("visits/", include("doorstep.coordination.visits.urls")),
    path("exchange/", include("doorstep.coordination.hospital_systems.urls")),
    path("organizations/", include("doorstep.people.organizations.urls")),
    path("staff/", include("doorstep.people.workforce.urls")),
    path("session/post/", include("doorstep.people.workforce.post_urls")),
    path("me/", include("doorstep.site.portal.urls")),
    path("audit/", include("doorstep.site.auditing.urls")),
    path("ecg/", include("doorstep.care.diagnosis.urls")),
    path("verify/<uuid:key>/", verify_report, name="verify-report"),
    path("indicators/", include("doorstep.steering.indicators.urls")),
    path("referrals/", include("doorstep.care.referrals.urls")),
    path("", include("doorstep.kernel.hooks.urls")),
    path("oauth/", include("doorstep.site.oauth.urls")),
    path("residents/<uuid:key>/apps/<slug:name>/", launch, name="launch-app"),
    path("accounts/", include(account_urls.urlpatterns)),
]

handler400 = "doorstep.kernel.web.errors.bad_request"
handler403 = "doorstep.kernel.web.errors.forbidden"
handler404 = "doorstep.kernel.web.errors.not_found"
handler500 = "doorstep.kernel.web.errors.server_error"
