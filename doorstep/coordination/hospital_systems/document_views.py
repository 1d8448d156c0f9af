"""A document of the record as file in the form of WS/T 500."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.coordination.hospital_systems.cda.exporting import TYPES, exported, handed_on
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import queries as records


@require_GET
def document(request: HttpRequest, key: UUID) -> HttpResponse:
    """The Composition, report or outpatient visit with this id as shared document, or the one that was sent; the look is noted."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RECORD_VIEW)
    source = next(
        (found for type in (*TYPES, "DocumentReference") if (found := records.read(type=type, fhir_id=str(key)))), None
    )
    if source is None:
        raise NotFound()
    write = handed_on if source["resourceType"] == "DocumentReference" else exported
    response = HttpResponse(write(source, actor), content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{key}.xml"'
    return response
