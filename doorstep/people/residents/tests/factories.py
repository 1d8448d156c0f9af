"""A small world for tests: two townships with a village each, a lead hospital, an ECG centre, and named people.

周桂兰 (63, hypertension) lives in 石桥村; 李长河 is its village doctor; 赵远 is a stranger from another township.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Consortium, Membership, Organization
from doorstep.people.residents.indexes import phone_proof_index
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.workforce.models import Post, Practitioner

START = date(2024, 1, 1)
ZHOU_NUMBER = "439981196309150027"


@dataclass(frozen=True, slots=True)
class World:
    """The organisations of the small world by their ids."""

    consortium_id: int
    authority: int
    lead: int
    ecg_center: int
    township: int
    village: int
    other_township: int
    other_village: int


def make_world() -> World:
    """Insert the organisations, as the system does when it imports them."""
    with acting(system_actor(Purpose.IMPORT)):
        consortium = Consortium.objects.create(code="C1", name="禾川县医共体")
        kinds, ids = Organization.Kind, _ids(7)
        authority = _unit(ids, "A", "禾川县卫生健康局", kinds.AUTHORITY, None, tier=0)
        lead = _unit(ids, "H", "禾川县人民医院", kinds.HOSPITAL, authority, tier=3)
        center = _unit(ids, "X-ECG", "禾川县心电诊断中心", kinds.SHARED_CENTER, lead, tier=3)
        township = _unit(ids, "T", "清溪镇卫生院", kinds.TOWNSHIP_CENTER, lead)
        village = _unit(ids, "V", "石桥村卫生室", kinds.VILLAGE_CLINIC, township)
        other_township = _unit(ids, "T2", "北岭镇卫生院", kinds.TOWNSHIP_CENTER, lead)
        other_village = _unit(ids, "V2", "柳林村卫生室", kinds.VILLAGE_CLINIC, other_township)
        units = [authority, lead, center, township, village, other_township, other_village]
        # Nearly every test makes the world: one statement each for units and members instead of two for every unit.
        Organization.objects.bulk_create(units)
        Membership.objects.bulk_create(
            Membership(
                consortium=consortium,
                organization=unit,
                part=Membership.Part.LEAD if unit is lead else Membership.Part.MEMBER,
                period=DateRange(START, None),
            )
            for unit in (lead, township, other_township)
        )
    return World(
        consortium_id=consortium.id,
        authority=authority.id,
        lead=lead.id,
        ecg_center=center.id,
        township=township.id,
        village=village.id,
        other_township=other_township.id,
        other_village=other_village.id,
    )


def make_staff(*, name: str, organization_id: int, role: str, username: str = "") -> User:
    """A person with an account and one post since 2024."""
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user(username or f"{role}-{uuid.uuid4().hex[:8]}", password="correct-horse-9")
        person = Practitioner.objects.create(user=user, name=name, gender="male")
        Post.objects.create(
            practitioner=person, organization_id=organization_id, role=role, period=DateRange(START, None)
        )
    return user


def make_resident(
    *,
    organization_id: int,
    name: str = "周桂兰",
    number: str = ZHOU_NUMBER,
    phone: str = "19900001234",
    birth_date: date = date(1963, 9, 15),
    gender: str = "female",
    panel_of: tuple[int, ...] = (),
) -> Resident:
    """A resident; `panel_of` names units with a live contract relationship."""
    with acting(system_actor(Purpose.IMPORT)) as system:
        resident = Resident.objects.create(
            name=name,
            name_pinyin="zhou gui lan" if name == "周桂兰" else "",
            name_initials="zgl" if name == "周桂兰" else "",
            gender=gender,
            birth_date=birth_date,
            national_id=number,
            phone=phone,
            organization_id=organization_id,
        )
        for kind, value in ((Identifier.Kind.NATIONAL_ID, number), (Identifier.Kind.PHONE, phone)):
            if value:
                Identifier.objects.create(resident=resident, kind=kind, index=blind_index(kind.value, value))
        if phone:
            Identifier.objects.create(
                resident=resident, kind=Identifier.Kind.PHONE_PROOF, index=phone_proof_index(name, phone[-4:])
            )
        for unit in panel_of:
            add_to_panel(resident, unit, system)
    return resident


def add_to_panel(resident: Resident, organization_id: int, actor: Actor) -> None:
    """Give a unit a contract relationship and the panel entry that goes with it."""
    access.open_relationship(
        resident_id=resident.id,
        organization_id=organization_id,
        reason=CareRelationship.Reason.CONTRACT,
        actor=actor,
    )
    PanelEntry.objects.create(
        organization_id=organization_id,
        resident=resident,
        name=resident.name,
        pinyin=resident.name_pinyin,
        initials=resident.name_initials,
        since=datetime.now(tz=UTC).date(),
    )


def _ids(count: int) -> Iterator[int]:
    """Ids for units that are not yet inserted: the path of a unit holds its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('organizations_organization', 'id')) FROM generate_series(1, %s)",
            [count],
        )
        return iter([number for (number,) in cursor.fetchall()])


def _unit(
    ids: Iterator[int], code: str, name: str, kind: Organization.Kind, parent: Organization | None, *, tier: int = 1
) -> Organization:
    number = next(ids)
    path = [*(parent.path if parent else []), number]
    return Organization(
        id=number, code=code, name=name, kind=kind, parent=parent, path=path, tier=tier, opened_on=START
    )
