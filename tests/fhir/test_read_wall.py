"""A read asks the wall itself: it shows what the table's own rule shows, whatever joins the unit and the resident."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import ANONYMOUS, Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import stored
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.tests.factories import make_resident
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db
_OPENED = timezone.now()
_NARROW = {"scope": CareRelationship.Scope.EPISODE, "episode": "Encounter/one"}
# What a unit holds towards a resident; None: nothing at all.
_GROUNDS: dict[str, dict[str, Any] | None] = {
    "stranger": None,
    "full": {},
    "ended": {"closes_at": _OPENED - timedelta(days=1)},
    "episode": _NARROW,
    "order": {"scope": CareRelationship.Scope.ORDER, "category": "ECG"},
    "sensitive": {"sensitive": True},
    "narrow beside full that ended": {"closes_at": _OPENED - timedelta(days=1), "beside": _NARROW},
    "full beside narrow": {"beside": _NARROW},
}


def _publish(resident_id: int | None, writer: int, name: str, **more: Any) -> str:
    content = {
        "resourceType": "Observation", "id": name, "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]},
    }  # fmt: skip
    with acting(system_actor(Purpose.IMPORT)) as system:
        published = Published(content=content, organization_id=writer, occurred_at=_OPENED, **more)
        record.publish(published, resident_id=resident_id, actor=system)
    return name


def _open(resident_id: int, unit: int, *, beside: dict[str, Any] | None = None, **more: Any) -> None:
    with acting(system_actor(Purpose.IMPORT)) as system:
        for one in (more, beside):
            if one is not None:
                access.open_relationship(
                    resident_id=resident_id,
                    organization_id=unit,
                    reason=CareRelationship.Reason.REFERRAL,
                    actor=system,
                    **one,
                )


def _machine(unit: int) -> Actor:
    return Actor(
        kind=ActorKind.CLIENT, display_name="系统", user_id=-7, role="client", client="his", organization_id=unit,
        reach=(unit,), record_reach=(unit,),
    )  # fmt: skip


def _doctor(unit: int) -> Actor:
    return Actor(
        kind=ActorKind.STAFF, display_name="李长河", user_id=7, role="family_doctor", organization_id=unit,
        reach=(unit,), record_reach=(unit,),
    )  # fmt: skip


@pytest.fixture
def house(client: Client) -> House:
    """The small world."""
    return make_house(client)


def test_a_read_shows_what_the_tables_rule_shows(house: House) -> None:
    world = house.world
    names = [
        _publish(None, world.lead, "nobody"),
        _publish(None, world.other_township, "nobody-veiled", sensitive=True),
    ]
    for number, (ground, held) in enumerate(_GROUNDS.items()):
        resident = make_resident(organization_id=world.village, number=f"43998119700101{number:04}")
        if held is not None:
            _open(resident.pk, world.other_township, **held)
        for writer, unit in (("own", world.other_township), ("other", world.lead)):
            for kind, more in (
                ("plain", {}),
                ("episode", {"episode": "Encounter/one"}),
                ("category", {"category": "ECG"}),
                ("veiled", {"sensitive": True}),
            ):
                name = f"{ground.replace(' ', '-')}-{writer}-{kind}"
                names.append(_publish(resident.pk, unit, name, **more))
    shown: dict[str, set[str]] = {}
    for who, actor in (
        ("machine", _machine(world.other_township)),
        ("person", _doctor(world.other_township)),
        ("elsewhere", _machine(world.ecg_center)),
        ("system", system_actor(Purpose.IMPORT)),
    ):
        with acting(actor):
            by_rule = {name for name in names if stored.fetch(type="Observation", fhir_id=name)}
            shown[who] = {name for name in names if stored.looked_at(type="Observation", fhir_id=name, actor=actor)}
        assert shown[who] == by_rule, who
    assert shown["system"] == set(names)
    assert {"full-other-plain", "full-beside-narrow-other-category", "sensitive-other-veiled"} <= shown["machine"]
    assert (
        not {"full-other-veiled", "ended-other-plain", "episode-other-plain", "stranger-own-plain"} & shown["machine"]
    )
    assert shown["elsewhere"] == {"nobody"}


def test_without_an_actor_nothing_is_read(house: House) -> None:
    _publish(house.resident.pk, house.world.lead, "one")
    with acting(ANONYMOUS):
        assert stored.fetch(type="Observation", fhir_id="one") is None
        assert stored.looked_at(type="Observation", fhir_id="one", actor=ANONYMOUS) is None


def test_an_app_for_one_resident_reads_nobody_else(house: House) -> None:
    other = make_resident(organization_id=house.world.village, number="439981197001019999")
    for resident, name in ((house.resident, "mine"), (other, "theirs")):
        _open(resident.pk, house.world.other_township)
        _publish(resident.pk, house.world.lead, name)
    actor = _machine(house.world.other_township)
    with acting(actor), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('doorstep.only', %s, true)", [str(house.resident.pk)])
        found = [stored.looked_at(type="Observation", fhir_id=name, actor=actor) for name in ("mine", "theirs")]
        assert [one is not None for one in found] == [True, False]
