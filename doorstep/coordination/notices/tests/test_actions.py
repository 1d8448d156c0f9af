"""Telling and seeing."""

from typing import Any

import pytest
from django.db import connection

from doorstep.coordination.notices import actions, handlers, queries
from doorstep.coordination.notices.texts import say
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.events import TaskEscalated
from doorstep.people.residents.tests.factories import make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_tell_reaches_the_unit_and_nobody_else() -> None:
    world = make_world()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    sun = of_user(make_staff(name="孙医师", organization_id=world.township, role="township_duty"))
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(zhao):
        key = actions.tell(kind="referral-submitted", organization_id=world.village, actor=zhao)
        assert queries.latest(actor=zhao) == []
        with pytest.raises(NotFound):
            actions.mark_seen(notice_key=key, actor=zhao)
    with acting(sun):
        assert queries.latest(actor=sun) == []
    with acting(li):
        assert [notice.key for notice in queries.latest(actor=li)] == [key]
        assert actions.mark_seen(notice_key=str(key), actor=li) is True
        assert actions.mark_seen(notice_key=key, actor=li) is False
        assert queries.count_unseen(actor=li) == 0


def test_tell_one_role_of_a_unit() -> None:
    world = make_world()
    duty = of_user(make_staff(name="孙医师", organization_id=world.township, role="township_duty"))
    doctor = of_user(make_staff(name="陈敏", organization_id=world.township, role="family_doctor"))
    with acting(doctor):
        actions.tell(kind="critical-value", organization_id=world.township, role="township_duty", urgent=True)
        assert queries.count_unseen(actor=doctor) == 0
    with acting(duty):
        assert queries.count_unseen(actor=duty) == 1


def test_tell_pushes_the_key_alone(django_capture_on_commit_callbacks: Any) -> None:
    world = make_world()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with (
        acting(li),
        connection.execute_wrapper(seen := _Statements()),
        django_capture_on_commit_callbacks(execute=True),
    ):
        key = actions.tell(kind="critical-value", user_id=li.user_id, params={"finding": "室速"}, urgent=True)
    assert seen.payloads == [f'{{"to": ["user:{li.user_id}"], "kind": "critical", "id": "{key}"}}']


def test_tell_needs_exactly_one_audience() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        actions.tell(kind="message", user_id=1, organization_id=2)
    with pytest.raises(ValueError, match="exactly one"):
        actions.tell(kind="message")


def test_mark_all_seen_leaves_what_must_be_acknowledged() -> None:
    world = make_world()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(li):
        actions.tell(kind="ecg-reported", user_id=li.user_id)
        actions.tell(kind="critical-value", user_id=li.user_id, acknowledge_link="/x/", urgent=True)
        assert actions.mark_all_seen(actor=li) == 1
        assert queries.count_unseen(actor=li) == 1


def test_an_escalation_tells_the_next_in_line_and_who_let_it_run_out() -> None:
    world = make_world()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    sun = of_user(make_staff(name="孙医师", organization_id=world.township, role="township_duty"))
    event = TaskEscalated(
        subject="contract/1", details={"kind": "contract.draft", "from": world.village, "to": world.township}
    )
    with acting(system_actor(Purpose.HANDLER)):
        handlers.tell_escalated(event)
    with acting(sun):
        [told] = queries.latest(actor=sun)
        assert told.urgent
        assert say(told.kind, told.params, english=False) == "“请居民签字完成签约”对方未按时处理，已转交您单位"
    with acting(li):
        assert [notice.kind for notice in queries.latest(actor=li)] == ["task-taken-away"]


def test_clocks_tell_those_who_may_act_and_call_the_doctor_on_duty() -> None:
    world = make_world()
    names = ("lead_duty", "specialist", "clinic_desk", "referral_officer")
    staff = {role: of_user(make_staff(name=role, organization_id=world.lead, role=role)) for role in names}
    facts = {"kind": "critical.open", "from": world.township, "to": world.lead}
    with acting(system_actor(Purpose.HANDLER)):
        for permission in ("VITALS_RECORD", "CRITICAL_ACKNOWLEDGE", "REFERRAL_ACCEPT"):
            handlers.tell_escalated(TaskEscalated(subject="critical/1", details={**facts, "permission": permission}))
    told, loud = {}, {}
    for role, actor in staff.items():
        with acting(actor):
            told[role] = (len(queries.latest(actor=actor)), queries.count_unseen(actor=actor))
            called = queries.urgent_notice(reference="", actor=actor)
            assert called is not None
            loud[role] = called.permission
    # Nobody at the hospital takes vital signs by a task, so that one goes to all: somebody must know.
    assert told == {"lead_duty": (2, 2), "specialist": (1, 1), "clinic_desk": (1, 1), "referral_officer": (2, 2)}
    assert loud == {
        "lead_duty": "CRITICAL_ACKNOWLEDGE",
        "specialist": "",
        "clinic_desk": "",
        "referral_officer": "REFERRAL_ACCEPT",
    }


def test_say_survives_missing_facts() -> None:
    assert say("contract-due", {}, english=True) == "You have a new notice"
    assert say("unknown", {}, english=False) == "您有一条新通知"


class _Statements:
    """Collects what is pushed."""

    def __init__(self) -> None:
        self.payloads: list[str] = []

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if "pg_notify" in sql:
            self.payloads.append(params[-1])
        return execute(sql, params, many, context)
