"""One entry of the own record on the phone: what it says, its results, its pictures and papers."""

from dataclasses import replace
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import binaries
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import render
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import presenters
from doorstep.people.residents.chart import details
from doorstep.site.portal.views import frame_of, owner_of

# How long the words of a report, which may say "do not move", are what the resident should do now.
_FRESH = timedelta(days=1)


@require_GET
def entry(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """One entry opened: the plain words first, then what the doctors wrote."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    resident_id = frame["chosen_id"]
    found = record.entry(resident_id=resident_id, type=type, fhir_id=fhir_id)
    if found is None:
        raise NotFound()
    record.note_look(resident_id=resident_id, actor=actor, subject=f"{type}/{fhir_id}"[:120], action="record.entry")
    results = record.entries(resident_id=resident_id, type="Observation", fhir_ids=details.references_of(found.content))
    units = organizations.names(ids=[found.organization_id])
    unit = units.get(found.organization_id or 0, "")
    opened = details.opened(found, results=results, unit=unit, file_page="portal:file")
    context = {
        **frame,
        "dead": frame["person"].deceased_on is not None,
        "line": presenters.line_of(found, units=units),
        "plain": opened.plain,
        "opened": replace(opened, plain=""),
        "document": "",
        "preview": None,
        "is_old": found.occurred_at < timezone.now() - _FRESH,
    }
    return render(request, "portal/entry.html", context)


@require_GET
def file(request: HttpRequest, key: str) -> HttpResponse:
    """A picture or a paper of the own record: shown when nothing in it can run, else handed over."""
    actor = owner_of(request)
    shown = binaries.page_of(key, actor=actor, site=request.build_absolute_uri("/"))
    if shown is None:
        raise NotFound()
    return shown
