"""Units and membership: the tree stays a tree, history stays, and nobody widens the own reach."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import given
from hypothesis import strategies as st

from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.people.organizations import actions, memberships, queries, rules
from doorstep.people.organizations.models import Consortium, Membership, Organization
from doorstep.people.organizations.permissions import Permission

START, DAY = date(2024, 1, 1), date(2026, 5, 1)


def _facts(code: str, **changes: object) -> actions.UnitFacts:
    return replace(actions.UnitFacts(code=code, name=f"单位{code}", kind="hospital"), **changes)  # type: ignore[arg-type]


class Tree:
    """county > hospital > township > village; beside stands another hospital. The manager sits in the hospital."""

    def __init__(self) -> None:
        with acting(system_actor(Purpose.IMPORT)) as system:
            self.county = actions.found(facts=_facts("county", kind="authority"), parent_id=None, actor=system)
            self.hospital = actions.found(facts=_facts("hospital"), parent_id=self.county.pk, actor=system)
            self.township = actions.found(facts=_facts("township"), parent_id=self.hospital.pk, actor=system)
            self.village = actions.found(facts=_facts("village"), parent_id=self.township.pk, actor=system)
            self.beside = actions.found(facts=_facts("beside"), parent_id=self.county.pk, actor=system)
            self.consortium = Consortium.objects.create(code="C1", name="县医共体")
            self.other = Consortium.objects.create(code="C2", name="外县医共体")
            Membership.objects.create(
                consortium=self.consortium, organization=self.hospital, part="lead", period=DateRange(START, None)
            )
            self.manager = self.manager_of(self.hospital)
            self.top = self.manager_of(self.county)

    def manager_of(self, unit: Organization) -> Actor:
        return Actor(
            kind=ActorKind.STAFF,
            display_name="何经理",
            user_id=1,
            organization_id=unit.pk,
            consortium_id=self.consortium.pk,
            reach=queries.below(organization_id=unit.pk),
            permissions=frozenset({Permission.ORGANIZATION_MANAGE, Permission.ORGANIZATION_VIEW}),
        )


@pytest.mark.django_db
def test_change_moves_the_whole_branch() -> None:
    tree = Tree()
    with acting(tree.top) as top:
        actions.change(
            unit=tree.township, facts=_facts("township"), parent_id=tree.beside.pk, reason="隶属调整", actor=top
        )
        assert queries.below(organization_id=tree.beside.pk) == tuple(
            sorted((tree.beside.pk, tree.township.pk, tree.village.pk))
        )
        assert queries.below(organization_id=tree.hospital.pk) == (tree.hospital.pk,)
        assert queries.get(organization_id=tree.village.pk).path == [
            tree.county.pk, tree.beside.pk, tree.township.pk, tree.village.pk,
        ]  # fmt: skip
        (change, _founded) = queries.history_of(organization_id=tree.township.pk)
        assert change.changed["parent"] == ["单位hospital", "单位beside"]
        assert change.reason == "隶属调整"


@pytest.mark.django_db
def test_change_refuses_a_circle_and_a_wider_reach() -> None:
    tree = Tree()
    with acting(tree.top) as top, pytest.raises(Refused) as circle:
        actions.change(unit=tree.hospital, facts=_facts("hospital"), parent_id=tree.village.pk, reason="", actor=top)
    assert "parent" in circle.value.fields
    with acting(tree.manager) as manager:
        # A sister's branch cannot be pulled below the own unit, nor the own unit moved, nor a unit pushed out of reach.
        with pytest.raises(NotFound):
            actions.change(
                unit=tree.beside, facts=_facts("beside"), parent_id=tree.hospital.pk, reason="", actor=manager
            )
        with pytest.raises(Refused):
            actions.change(
                unit=tree.hospital, facts=_facts("hospital"), parent_id=tree.township.pk, reason="", actor=manager
            )
        with pytest.raises(NotFound):
            actions.change(
                unit=tree.township, facts=_facts("township"), parent_id=tree.beside.pk, reason="", actor=manager
            )
        with pytest.raises(NotFound):
            actions.found(facts=_facts("new"), parent_id=tree.beside.pk, actor=manager)
        with pytest.raises(Refused):
            actions.found(facts=_facts("new"), parent_id=None, actor=manager)
        made = actions.found(facts=_facts("new"), parent_id=tree.township.pk, actor=manager)
        assert made.path[-2:] == [tree.township.pk, made.pk]
        resource = record.read(type="Organization", fhir_id=str(made.key))
        assert resource is not None
        assert resource["partOf"]["reference"] == f"Organization/{tree.township.key}"


@pytest.mark.django_db
def test_close_leaves_no_orphans() -> None:
    tree = Tree()
    with acting(tree.manager) as manager:
        with pytest.raises(Refused):
            actions.close(unit=tree.township, closed_on=DAY, reason="合并", actor=manager)
        with pytest.raises(Refused):
            actions.close(unit=tree.hospital, closed_on=DAY, reason="合并", actor=manager)
        actions.close(unit=tree.village, closed_on=DAY, reason="合并", actor=manager)
        actions.close(unit=tree.township, closed_on=DAY, reason="合并", actor=manager)
        assert [unit.pk for unit in queries.within(ids=manager.reach)] == [tree.hospital.pk]
        with pytest.raises(Refused):
            actions.found(facts=_facts("new"), parent_id=tree.township.pk, actor=manager)


@pytest.mark.django_db
def test_membership_is_ended_and_can_still_be_asked() -> None:
    tree = Tree()
    with acting(tree.manager) as manager:
        joined = memberships.begin(
            unit=tree.township, consortium_id=tree.consortium.pk, part="member", starts_on=START, actor=manager
        )
        with pytest.raises(Conflict):
            memberships.begin(
                unit=tree.township, consortium_id=tree.consortium.pk, part="member", starts_on=DAY, actor=manager
            )
        memberships.end(membership=joined, last_day=DAY, reason="区划调整", actor=manager)
        days = (DAY, date(2026, 5, 2))
        assert [tree.township.pk in [one.organization_id for one in queries.members_on(day=day)] for day in days] == [
            True,
            False,
        ]
        with pytest.raises(Conflict):
            memberships.end(membership=joined, last_day=DAY, reason="区划调整", actor=manager)


@pytest.mark.django_db
def test_membership_nobody_makes_the_own_unit_lead() -> None:
    tree = Tree()
    township = tree.manager_of(tree.township)
    with acting(township) as manager:
        for unit, part in ((tree.township, "lead"), (tree.township, "member"), (tree.village, "lead")):
            with pytest.raises(NotPermitted):
                memberships.begin(
                    unit=unit, consortium_id=tree.consortium.pk, part=part, starts_on=START, actor=manager
                )
        with pytest.raises(Refused):
            memberships.begin(
                unit=tree.village, consortium_id=tree.other.pk, part="member", starts_on=START, actor=manager
            )
        with pytest.raises(NotPermitted):
            memberships.found_consortium(code="C3", name="我的医共体", actor=manager)
    lead = Membership.objects.get(organization=tree.hospital)
    with acting(tree.manager) as manager, pytest.raises(NotPermitted):
        memberships.end(membership=lead, last_day=DAY, reason="退出", actor=manager)


@pytest.mark.django_db
def test_departments_are_closed_and_stay() -> None:
    tree = Tree()
    with acting(tree.manager) as manager:
        made = actions.add_department(unit=tree.hospital, code="0301", name="心内科", actor=manager)
        with pytest.raises(Refused):
            actions.add_department(unit=tree.hospital, code="0301", name="另一科", actor=manager)
        actions.close_department(department=made, reason="", actor=manager)
        assert queries.departments(organization_id=tree.hospital.pk) == []
        with pytest.raises(Conflict):
            actions.close_department(department=made, reason="", actor=manager)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"code": "没有"}, "code"),
        ({"kind": "castle"}, "kind"),
        ({"credit_code": "91350211M000100Y44"}, "credit_code"),
        ({"division_code": "44"}, "division_code"),
        ({"latitude": Decimal("23.1")}, "longitude"),
        ({"latitude": Decimal("113.2"), "longitude": Decimal("23.1")}, "latitude"),
        ({"latitude": Decimal("-23.1"), "longitude": Decimal("113.2")}, "latitude"),
        ({"code": "hospital"}, "code"),
    ],
)
def test_found_says_what_is_wrong(changes: dict[str, object], field: str) -> None:
    tree = Tree()
    with acting(tree.manager) as manager:
        with pytest.raises(Refused) as refused:
            actions.found(facts=replace(_facts("new"), **changes), parent_id=tree.hospital.pk, actor=manager)  # type: ignore[arg-type]
        assert field in refused.value.fields
        assert not Organization.objects.filter(code="new").exists()


@given(
    st.one_of(st.none(), st.decimals("-180", "180", places=6)),
    st.one_of(st.none(), st.decimals("-180", "180", places=6)),
)
def test_position_faults_none_only_for_a_place_in_the_country(
    latitude: Decimal | None, longitude: Decimal | None
) -> None:
    faults = rules.position_faults(latitude, longitude)
    if latitude is None or longitude is None:
        assert bool(faults) == (latitude is not longitude)
        return
    inside = (
        rules.LATITUDES[0] <= latitude <= rules.LATITUDES[1] and rules.LONGITUDES[0] <= longitude <= rules.LONGITUDES[1]
    )
    assert bool(faults) != inside


@pytest.mark.django_db
def test_unit_that_is_saved_as_it_stands_keeps_its_version_in_the_record() -> None:
    tree = Tree()
    key = str(tree.township.key)

    def told(type: str) -> tuple[str, str]:
        meta = Resource.objects.get(type=type, fhir_id=key).content["meta"]
        return meta["versionId"], meta["lastUpdated"]

    with acting(tree.top) as top:
        before = {type: told(type) for type in ("Organization", "Location")}
        actions.change(
            unit=tree.township, facts=_facts("township"), parent_id=tree.hospital.pk, reason="核对", actor=top
        )
        assert {type: told(type) for type in ("Organization", "Location")} == before
        actions.change(
            unit=tree.township,
            facts=_facts("township", phone="0735-2200199"),
            parent_id=tree.hospital.pk,
            reason="改号",
            actor=top,
        )
        assert told("Organization")[0] == "2"
