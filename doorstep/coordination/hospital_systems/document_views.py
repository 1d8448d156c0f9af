"""A document of the record as file in the form of WS/T 500."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.coordination.hospital_systems.cda.writing import Custodian, Subject, to_cda
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import queries as records
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents


@require_GET
def document(request: HttpRequest, key: UUID) -> HttpResponse:
    """The Composition with this id as shared document; the look is noted with its ground."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RECORD_VIEW)
    composition = records.read(type="Composition", fhir_id=str(key))
    if composition is None:
        raise NotFound()
    patient_key = str(composition.get("subject", {}).get("reference", "")).rpartition("/")[2]
    resident = residents.get_by_key(patient_key, actor)
    subject = Subject(
        number=resident.national_id,
        record_number=resident.record_number,
        name=resident.name,
        gender=resident.gender,
        birth_date=resident.birth_date,
    )
    data = to_cda(composition, subject=subject, custodian=_custodian(composition, actor))
    records.note_look(resident_id=resident.pk, actor=actor, subject=f"Composition/{key}", action="document.export")
    response = HttpResponse(data, content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{key}.xml"'
    return response


def _custodian(composition: dict[str, object], actor: Actor) -> Custodian:
    """The organisation that keeps the document; one that is no unit of ours is named by its words."""
    given = composition.get("custodian")
    words = str(given.get("display", "")) if isinstance(given, dict) else ""
    key = str(given.get("reference", "")).rpartition("/")[2] if isinstance(given, dict) else ""
    try:
        unit = organizations.get_by_key(UUID(key))
    except (ValueError, NotFound):
        return Custodian(code="—", name=words or actor.organization_name)
    return Custodian(code=unit.code, name=unit.name)
