"""The self check at the end of a seed: states that every demonstration stands on, each looked up in the database."""

from collections.abc import Callable, Iterator
from datetime import date

from django.conf import settings
from django.db import connection
from django.utils import timezone

from doorstep.care.contracts.models import Contract
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.coordination.scheduling.models import Slot
from doorstep.demo.accounts import RESIDENTS, STAFF
from doorstep.demo.county import heroes
from doorstep.demo.county.county import County
from doorstep.demo.loading.keys import key
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.models import ApiClient, CareRelationship, User
from doorstep.kernel.record.models import Resource, ResourceVersion
from doorstep.kernel.record.search_index import index_of
from doorstep.people.organizations.models import Membership, Organization
from doorstep.people.residents.models import Household, Identifier, PanelEntry, Resident
from doorstep.people.workforce.models import Post, Practitioner, Team

# How many resources of each type are compared with what the record itself would have written.
SAMPLE = 20


def faults(county: County, *, residents: int) -> list[str]:
    """Every state that does not hold, as a sentence; empty when all do."""
    return [sentence for check in _CHECKS for sentence in check(county, residents)]


def _counts(county: County, residents: int) -> Iterator[str]:
    wanted = {
        Organization: len(county.organizations),
        Membership: len(county.memberships),
        Practitioner: len(county.practitioners),
        Post: sum(len(person.posts) for person in county.practitioners),
        Team: len(county.teams),
        Resident: residents,
    }
    for model, number in wanted.items():
        found = model._default_manager.count()
        if found != number:
            yield f"{model._meta.label}: {found} rows instead of {number}"
    if Identifier.objects.count() < 2 * residents:
        yield "there are fewer than two identifiers for a resident"
    if not residents / 8 < Household.objects.count() < residents:
        yield "the number of households cannot be"


def _homes(county: County, residents: int) -> Iterator[str]:
    """Nobody without a unit, nobody visible to a unit in whose list they do not stand."""
    if Resident.objects.filter(organization__isnull=True).exists():
        yield "a resident belongs to no organisation"
    if Organization.objects.filter(path=[]).exists() or Organization.objects.exclude(path__contains=[1]).count() != 1:
        yield "the tree of organisations has a hole: only the partner hospital stands outside the county"
    unlisted = _number(
        "SELECT count(*) FROM access_carerelationship r WHERE NOT EXISTS (SELECT 1 FROM residents_panelentry p"
        " WHERE p.organization_id = r.organization_id AND p.resident_id = r.resident_id) AND r.scope = 'full'"
    )
    if unlisted:
        yield f"{unlisted} care relationships without an entry on the unit's panel"


def _heroes(county: County, residents: int) -> Iterator[str]:
    for person in heroes.hero_residents(county.today):
        found = Resident.objects.filter(id=person.id, name=person.name, birth_date=person.birth).first()
        index = blind_index("national-id", person.national_id)
        known = Identifier.objects.filter(index=index, kind="national-id", live=True, resident_id=person.id).exists()
        if found is None or found.national_id != person.national_id or found.phone != person.phone or not known:
            yield f"{person.name} cannot be found by the own number, or is somebody else"
    for one in heroes.hero_practitioners():
        if not Post.objects.filter(practitioner__name=one.name, practitioner_id=one.id, role=one.posts[0][2]).exists():
            yield f"{one.name} has no post as {one.posts[0][2]}"


def _heroine(county: County, residents: int) -> Iterator[str]:
    contract = Contract.objects.filter(resident_id=heroes.HEROINE, state="active").first()
    if contract is None or not (contract.organization_id and contract.secondary_hospital_id):
        yield "the heroine has no contract with the three tiers"
    elif contract.tertiary_hospital_id != heroes.TERTIARY_HOSPITAL or contract.team_id != heroes.TEAM:
        yield "the heroine's contract names other people than the demonstration"
    seen = CareRelationship.objects.filter(resident_id=heroes.HEROINE)
    if not seen.filter(organization_id=heroes.HOME_CLINIC, reason="contract").exists():
        yield "the heroine's village clinic does not see her"
    if seen.filter(organization_id=heroes.STRANGER_CLINIC).exists():
        yield "a stranger's clinic sees the heroine"
    if not PanelEntry.objects.filter(resident_id=heroes.HEROINE, organization_id=heroes.HOME_CLINIC).exists():
        yield "the heroine is not on the panel of her village clinic"
    types = set(Resource.objects.filter(resident_id=heroes.HEROINE).values_list("type", flat=True))
    missing = {"Patient", "Encounter", "Observation", "Condition", "MedicationStatement", "Contract"} - types
    if missing:
        yield f"the heroine's record lacks {', '.join(sorted(missing))}"
    if not Resource.objects.filter(type="Patient", fhir_id=str(key("resident", county.seed, heroes.HEROINE))).exists():
        yield "the heroine's Patient has another address than her row"
    if not EcgOrder.objects.filter(resident_id=heroes.HEROINE, state="signed", critical_code="").exists():
        yield "the heroine has no earlier electrocardiogram"


def _doors(county: County, residents: int) -> Iterator[str]:
    """Accounts, the connected system, and a place with the expert."""
    if settings.DEMO:
        names = {account.username for account in STAFF} | {account.username for account in RESIDENTS}
        missing = names - set(User.objects.filter(is_demo=True).values_list("username", flat=True))
        if missing:
            yield f"accounts are missing: {', '.join(sorted(missing))}"
    if not ApiClient.objects.filter(organization_id=heroes.TERTIARY_HOSPITAL).exists():
        yield "no hospital system may call the door"
    slots = Slot.objects.filter(schedule__practitioner_id=heroes.CARDIOLOGY_EXPERT, places__quota="referral")
    if not slots.filter(places__state="free", starts_at__date__gt=county.today).exists():
        yield "the heroine's expert has no free place for a referral"


def _record(county: County, residents: int) -> Iterator[str]:
    """Every resource with its first version; a sample compared with the record's own search keys."""
    if Resource.objects.count() != ResourceVersion.objects.filter(version=1).count():
        yield "resources and versions do not go together"
    types = Resource.objects.order_by().values_list("type", flat=True).distinct()
    for kind in list(types):
        for one in Resource.objects.filter(type=kind).order_by("-id")[:SAMPLE]:
            wanted = index_of(one.content)
            same = (one.ref, sorted(one.keys), one.present) == (wanted.ref, wanted.keys, wanted.present)
            if not same or _index_rows(one.id) != {
                name: len(rows) for name, rows in wanted.rest.items() if name != "words"
            }:
                yield f"{kind}/{one.fhir_id}: its search keys are not those of its content"
    strays = _number(
        "SELECT count(*) FROM (SELECT resident_id FROM record_resource EXCEPT SELECT id FROM residents_resident) x"
        " WHERE resident_id IS NOT NULL"
    )
    if strays:
        yield f"{strays} residents of the record are not in the register"


def _index_rows(resource_id: int) -> dict[str, int]:
    """How many rows each table of the index of searches has of a resource."""
    tables = {"links": "link", "dates": "date", "amounts": "amount", "strings": "string"}
    counts = {
        name: _number(f"SELECT count(*) FROM record_search{table} WHERE resource_id = {resource_id}")
        for name, table in tables.items()
    }
    return {name: count for name, count in counts.items() if count}


def _walls(county: County, residents: int) -> Iterator[str]:
    """What a load takes away for its time is back: keys are checked, unique stays unique, walls stand."""
    if _number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND connamespace = 'public'::regnamespace"):
        yield "a constraint has not been checked"
    for name in ("one_living_resident_per_national_id", "resource_identity", "panel_once", "contract_one_active"):
        if not _number(f"SELECT count(*) FROM pg_class WHERE relname = '{name}'"):
            yield f"the rule {name} is gone"
    for table in ("residents_resident", "record_resource", "access_carerelationship", "contracts_contract"):
        if not _number(f"SELECT count(*) FROM pg_class WHERE relname = '{table}' AND relrowsecurity"):
            yield f"the wall around {table} is gone"


def _time(county: County, residents: int) -> Iterator[str]:
    late = Resource.objects.filter(occurred_at__gt=timezone.now()).count()
    if late:
        yield f"{late} resources lie in the future"
    if Contract.objects.filter(state="active", ends_on__lt=county.today).exists():
        yield "a contract is in force after its end"
    oldest: date | None = Resident.objects.order_by("birth_date").values_list("birth_date", flat=True).first()
    if oldest is None or oldest.year < 1900:
        yield "somebody is older than anybody"


def _number(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


_CHECKS: tuple[Callable[[County, int], Iterator[str]], ...] = (
    _counts, _homes, _heroes, _heroine, _doors, _record, _walls, _time,
)  # fmt: skip
