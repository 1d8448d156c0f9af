"""What a merge leaves behind: one list of each kind for one person, and an account that keeps, or loses, the whole person."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from doorstep.coordination.allergies import actions as allergy_actions
from doorstep.coordination.allergies.models import Allergy
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.people.identity.events import MergeUndone, ResidentsMerged
from doorstep.people.identity.models import Merge
from doorstep.people.residents import account_links, standing
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user
from doorstep.site.subscriptions import SUBSCRIPTIONS
from tests.access.scene import Scene, kept_scene
from tests.people.test_merging import _merge, _part

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("merging")]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    with kept_scene(django_db_blocker) as scene:
        yield scene


@pytest.fixture
def scene(made: Scene) -> Scene:
    return deepcopy(made)


@pytest.fixture
def officer(scene: Scene) -> Actor:
    return of_user(make_staff(name="档案科", organization_id=scene.loop.world.lead, role="records_officer"))


@pytest.fixture
def twin(scene: Scene) -> Resident:
    world = scene.loop.world
    return make_resident(
        organization_id=world.township, name="周桂蓝", number="", phone="19900005678", panel_of=(world.township,)
    )


def _follow(kind: type[Event], merge: Merge) -> None:
    """What the house does after the commit, by its own list of handlers."""
    event = kind(
        subject=f"resident/{merge.standing.key}",
        subject_id=merge.standing_id,
        resident_id=merge.standing_id,
        organization_id=None,
        consortium_id=None,
        user_id=None,
        details={"merge": str(merge.key), "former": str(merge.former.key)},
    )
    for handler in SUBSCRIPTIONS[kind]:
        with acting(system_actor(Purpose.HANDLER)):
            handler(event)


def _allergy(resident: Resident, substance: str) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Allergy.objects.create(resident=resident, code=substance, substance=substance)


def _problem(resident: Resident, code: str) -> None:
    with acting(system_actor(Purpose.IMPORT)) as system:
        content = {
            "resourceType": "Condition",
            "id": f"problem-{code}",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}], "text": code},
            "subject": {"reference": f"Patient/{resident.key}"},
        }
        published = Published(content=content, organization_id=resident.organization_id, occurred_at=timezone.now())
        record.publish(published, resident_id=resident.pk, actor=system)


def _lists(*people: Resident) -> dict[tuple[int | None, str, str], set[str]]:
    """What the lists in the record name, by whose they are, what of, and whether they count."""
    with acting(system_actor(Purpose.IMPORT)):
        found: dict[tuple[int | None, str, str], set[str]] = {}
        for row in Resource.objects.filter(type="List", resident_id__in=[one.pk for one in people]):
            entries: list[dict[str, Any]] = row.content.get("entry", [])
            key = (row.resident_id, row.content["title"], row.content["status"])
            found.setdefault(key, set()).update(one["item"]["display"] for one in entries)
        return found


def test_of_one_person_one_list_counts_and_names_everything(scene: Scene, twin: Resident, officer: Actor) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        person = Resident.objects.get(pk=scene.loop.resident.pk)
    _allergy(person, "青霉素")
    _allergy(twin, "碘造影剂")
    _problem(person, "I10")
    _problem(twin, "E11.9")
    keys = [str(person.key), str(twin.key)]
    with acting(system_actor(Purpose.HANDLER)):
        standing.renew(keys=keys, actor=system_actor(Purpose.HANDLER))
        allergy_actions.renew_lists(keys=keys, actor=system_actor(Purpose.HANDLER))
    before = _lists(person, twin)
    assert before[twin.pk, "过敏史", "current"] == {"碘造影剂"}
    merge = _merge(person, twin, officer)
    _follow(ResidentsMerged, merge)
    now = _lists(person, twin)
    assert {key for key in now if key[2] == "current" and key[1] in ("过敏史", "问题列表")} == {
        (person.pk, "过敏史", "current"),
        (person.pk, "问题列表", "current"),
    }
    assert {"青霉素", "碘造影剂"} <= now[person.pk, "过敏史", "current"]
    assert {"I10", "E11.9"} <= now[person.pk, "问题列表", "current"]
    assert now[person.pk, "过敏史", "retired"] == {"碘造影剂"}
    _part(merge, officer)
    _follow(MergeUndone, merge)
    assert _lists(person, twin) == before


def _intolerances(*people: Resident) -> dict[tuple[int | None, str], set[str]]:
    """The allergies in the record that count, and those that do not, by whose they are."""
    with acting(system_actor(Purpose.IMPORT)):
        found: dict[tuple[int | None, str], set[str]] = {}
        for row in Resource.objects.filter(type="AllergyIntolerance", resident_id__in=[one.pk for one in people]):
            status = row.content["clinicalStatus"]["coding"][0]["code"]
            found.setdefault((row.resident_id, status), set()).add(row.fhir_id)
        return found


def test_an_allergy_that_both_records_held_ends_for_the_person_and_comes_back_with_the_other_record(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    doctor = of_user(make_staff(name="李医生", organization_id=scene.loop.world.village, role="village_doctor"))
    with acting(system_actor(Purpose.IMPORT)):
        person = Resident.objects.get(pk=scene.loop.resident.pk)
    with acting(doctor):
        own = allergy_actions.record_allergy(resident=person, other="海虾", severity="severe", actor=doctor)
    family = of_user(make_staff(name="何文静", organization_id=scene.loop.world.township, role="family_doctor"))
    with acting(family):
        other = allergy_actions.record_allergy(resident=twin, other="海虾", severity="severe", actor=family)
    merge = _merge(person, twin, officer)
    _follow(ResidentsMerged, merge)
    assert _intolerances(person, twin) == {(person.pk, "active"): {str(own.key), str(other.key)}}
    with acting(doctor):
        allergy_actions.refute(line=Allergy.objects.get(pk=own.pk), reason="皮试阴性", actor=doctor)
    assert _intolerances(person, twin) == {(person.pk, "inactive"): {str(own.key), str(other.key)}}
    with acting(system_actor(Purpose.IMPORT)):
        flags = Resource.objects.filter(type="Flag", resident_id=person.pk, content__code__text="重度过敏：海虾")
        assert [one.content["status"] for one in flags] == ["entered-in-error"] * 2
    _part(merge, officer)
    _follow(MergeUndone, merge)
    assert _intolerances(person, twin) == {
        (person.pk, "inactive"): {str(own.key)},
        (twin.pk, "active"): {str(other.key)},
    }


def test_a_list_of_what_was_the_other_s_alone_is_empty_after_parting(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    _problem(scene.loop.resident, "I10")
    _allergy(scene.loop.resident, "青霉素")
    with acting(system_actor(Purpose.IMPORT)):
        person = Resident.objects.get(pk=scene.loop.resident.pk)
    merge = _merge(twin, person, officer)
    _follow(ResidentsMerged, merge)
    assert _lists(twin)[twin.pk, "问题列表", "current"] >= {"I10"}
    _part(merge, officer)
    _follow(MergeUndone, merge)
    assert _lists(twin)[twin.pk, "问题列表", "current"] == set()
    assert _lists(twin)[twin.pk, "过敏史", "current"] == set()
    assert _lists(person)[person.pk, "过敏史", "current"] >= {"青霉素"}


def test_an_account_s_link_that_ended_keeps_the_standing_one_of_the_other_record_from_nothing(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    day = timezone.localdate() - timedelta(days=30)
    with acting(system_actor(Purpose.IMPORT)):
        person = Resident.objects.get(pk=scene.loop.resident.pk)
        son = User.objects.create_user("son", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(
            user=son, resident=person, relation="mother", since=day, ended_at=timezone.now(), end_reason="本人要求"
        )
        ResidentAccount.objects.create(user=son, resident=twin, relation="mother", since=day)
    _merge(person, twin, officer)
    assert person.pk in of_user(son).resident_ids


def test_ending_the_link_of_a_merged_person_ends_the_one_that_stayed_behind(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    day = timezone.localdate() - timedelta(days=30)
    with acting(system_actor(Purpose.IMPORT)):
        person = Resident.objects.get(pk=scene.loop.resident.pk)
        son = User.objects.create_user("son", password="correct-horse-9", kind=User.Kind.RESIDENT)
        for one in (person, twin):
            ResidentAccount.objects.create(user=son, resident=one, relation="mother", since=day)
    merge = _merge(person, twin, officer)
    with acting(system_actor(Purpose.SIGN_IN)):
        # One person is one line in the list of those whom the account acts for.
        assert [one.resident_id for one in residents.family_of(user_id=son.pk)] == [person.pk]
        link = ResidentAccount.objects.get(user=son, resident=person)
    actor = of_user(son)
    with acting(actor):
        account_links.end(link_id=link.pk, resident=person, reason="", actor=actor)
    assert of_user(son).resident_ids == ()
    _part(merge, officer)
    assert of_user(son).resident_ids == ()
