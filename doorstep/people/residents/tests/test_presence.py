"""Presence: whoever has only a number, a fragment or a pattern confirms nobody."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.models import CareRelationship, PresenceProof
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting
from doorstep.people.residents import actions, finding, indexes, queries
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

NOBODY = "439981196309150040"


def _stranger() -> tuple[World, Resident, Actor]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    return world, resident, of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))


def test_prove_presence_with_name_and_phone_opens_a_visit() -> None:
    _, resident, zhao = _stranger()
    with acting(zhao):
        answer = actions.prove_presence(number=f" {ZHOU_NUMBER} ", name="周桂兰", phone_last_four="1234", actor=zhao)
        assert answer.presence_id
        assert queries.get_presence(presence_id=answer.presence_id, actor=zhao).resident_id == resident.id
        assert not Resident.objects.exists()
        access.open_relationship(
            resident_id=resident.id,
            organization_id=zhao.reach[0],
            reason=CareRelationship.Reason.VISIT,
            presence_id=answer.presence_id,
            actor=zhao,
        )
        assert queries.get_by_key(resident.key, zhao).id == resident.id


@pytest.mark.parametrize(
    ("number", "name", "last_four"),
    [
        (ZHOU_NUMBER, "周桂兰", "1235"),
        (ZHOU_NUMBER, "周桂", "1234"),
        (ZHOU_NUMBER, "周%", "1234"),
        (ZHOU_NUMBER, "zhouguilan", "1234"),
        (ZHOU_NUMBER, "", ""),
        (ZHOU_NUMBER[:-1] + "%", "周桂兰", "1234"),
        (ZHOU_NUMBER[:-1] + "_", "周桂兰", "1234"),
        (ZHOU_NUMBER[:6], "周桂兰", "1234"),
        ("", "周桂兰", "1234"),
        (NOBODY, "周桂兰", "1234"),
    ],
)
def test_prove_presence_with_wrong_facts_answers_alike(number: str, name: str, last_four: str) -> None:
    _, _, zhao = _stranger()
    with acting(zhao):
        answer = actions.prove_presence(number=number, name=name, phone_last_four=last_four, actor=zhao)
        assert answer == actions.PresenceAnswer(None, closed=False)
        assert not PresenceProof.objects.exists()


def test_prove_presence_closes_after_five_failures_even_for_right_facts() -> None:
    _, _, zhao = _stranger()
    for _try in range(5):
        with acting(zhao):
            assert not actions.prove_presence(number=NOBODY, name="某人", phone_last_four="0000", actor=zhao).closed
    with acting(zhao):
        right = actions.prove_presence(number=ZHOU_NUMBER, name="周桂兰", phone_last_four="1234", actor=zhao)
    assert right == actions.PresenceAnswer(None, closed=True)


def test_prove_presence_closes_a_number_for_every_user() -> None:
    world, _, zhao = _stranger()
    other = of_user(make_staff(name="钱进", organization_id=world.other_village, role="village_doctor"))
    for actor in (zhao, zhao, zhao, other, other):
        with acting(actor):
            actions.prove_presence(number=ZHOU_NUMBER, name="周桂兰", phone_last_four="0000", actor=actor)
    with acting(other):
        assert actions.prove_presence(number=ZHOU_NUMBER, name="周桂兰", phone_last_four="1234", actor=other).closed


def test_prove_presence_with_code_works_once() -> None:
    _, resident, zhao = _stranger()
    own = Actor(kind=ActorKind.RESIDENT, user_id=99, resident_ids=(resident.id,))
    with acting(own):
        code = actions.make_presence_code(resident_id=resident.id, actor=own)
        with pytest.raises(NotFound):
            actions.make_presence_code(resident_id=resident.id + 1, actor=own)
    with acting(zhao):
        assert actions.prove_presence(number=ZHOU_NUMBER, code=code, actor=zhao).presence_id
        assert actions.prove_presence(number=ZHOU_NUMBER, code=code, actor=zhao).presence_id is None


def test_prove_presence_with_an_old_code_fails() -> None:
    _, resident, zhao = _stranger()
    own = Actor(kind=ActorKind.RESIDENT, user_id=99, resident_ids=(resident.id,))
    with acting(own):
        first = actions.make_presence_code(resident_id=resident.id, actor=own)
        actions.make_presence_code(resident_id=resident.id, actor=own)
    with acting(zhao):
        assert actions.prove_presence(number=ZHOU_NUMBER, code=first, actor=zhao).presence_id is None


def test_prove_presence_for_another_organization_is_refused_by_the_database() -> None:
    world, _, zhao = _stranger()
    values: list[Any] = [
        indexes.number_index(ZHOU_NUMBER),
        "phone",
        indexes.phone_proof_index("周桂兰", "1234"),
        world.village,
    ]
    with acting(zhao), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT residents_prove_presence(%s, %s, %s, %s)", values)


@pytest.mark.parametrize(
    "text",
    [
        ZHOU_NUMBER,
        ZHOU_NUMBER[:10],
        "%",
        "_",
        "周",
        "周%",
        ".*",
        "zgl",
        "zhou",
        "1990000",
        "19900001234",
        "' OR 1=1 --",
    ],
)
def test_search_panel_by_a_stranger_finds_nobody(text: str) -> None:
    _, _, zhao = _stranger()
    with acting(zhao):
        assert finding.search_panel(text, zhao) == []
        assert queries.find_by_number(text, zhao) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("周桂兰", True),
        ("桂", True),
        ("zgl", True),
        ("ZG", True),
        ("zhou gui", True),
        ("zhouguilan", True),
        ("19900001234", True),
        (ZHOU_NUMBER, True),
        (ZHOU_NUMBER.lower(), True),
        ("1990000", False),
        (ZHOU_NUMBER[:17], False),
        (ZHOU_NUMBER[-4:], False),
        ("%", False),
        ("_", False),
        ("z_l", False),
        ("gui", False),
        ("", False),
    ],
)
def test_search_panel_by_the_own_doctor(text: str, found: bool) -> None:
    world, _, _ = _stranger()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(li):
        assert [one.name for one in finding.search_panel(text, li)] == (["周桂兰"] if found else [])
