"""Opening an app from a resident's record: SMART EHR launch (hl7.org/fhir/smart-app-launch/app-launch.html)."""

from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from doorstep.coordination.visits import queries as visits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web.middleware import policy
from doorstep.kernel.web.pages import render
from doorstep.people.residents import queries as residents


@require_http_methods(["GET", "POST"])
def launch(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """Say what the app will be told; on the person's word open it, with a parameter that is good once."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RECORD_VIEW)
    resident = residents.get_by_key(key, actor)
    app = access_queries.app_named(name)
    if app is None or not actor.is_staff:
        raise NotFound()
    visit = visits.open_visit_of(resident_id=resident.pk, organization_id=actor.organization_id or 0)
    if request.method == "GET":
        context = {"app": app, "banner": residents.banner(resident), "visit": visit}
        page = render(request, "site/launch.html", context)
        parts = urlsplit(app.address)
        # The form leads on to the app, and to the app alone.
        page.headers["Content-Security-Policy"] = policy(request, forms_lead_to=[f"{parts.scheme}://{parts.netloc}"])
        return page
    token = access.open_launch(
        app=app,
        resident_id=resident.pk,
        patient=resident.key,
        encounter=visit.key if visit else None,
        actor=actor,
    )
    audit.record(
        action="app.launch",
        actor=actor,
        subject=f"app/{app.name}",
        resident_id=resident.pk,
        details={"app": app.display},
    )
    asked = urlencode({"iss": request.build_absolute_uri("/fhir"), "launch": token})
    joint = "&" if urlsplit(app.address).query else "?"
    return HttpResponseRedirect(f"{app.address}{joint}{asked}")
