"""A clock that passes its warning tells the owner; one that runs out goes to the next in line, once."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.jobs.models import Pulse
from doorstep.kernel.jobs.running import Ticker
from doorstep.kernel.web import shell
from doorstep.kernel.workflow.machine import Clock, Escalation
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist import queries
from doorstep.kernel.worklist.calendar import CHINA, due
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.actors import of_user
from doorstep.site.ticks import URGENT_TICKS

CLOCKS = system_actor(Purpose.CLOCKS)
START = datetime(2026, 11, 20, 15, 50, tzinfo=UTC)  # 23:50 in China: the clock runs over midnight
CLOCK = Clock(
    due=timedelta(minutes=5),
    warn=timedelta(minutes=2),
    escalate=(Escalation("parent", timedelta(minutes=5)), Escalation("lead", timedelta(minutes=5))),
    source="test",
)


@pytest.mark.django_db
def test_run_clocks_warns_then_hands_on_to_parent_then_lead_then_says_overdue() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    with acting(CLOCKS) as actor:
        worklist.open_task(
            worklist.NewTask(
                kind="lamp.lit",
                item_id=1,
                item_key=uuid4(),
                organization_id=world.village,
                resident_id=resident.id,
                episode="lamp/1",
                clock=CLOCK,
            ),
            now=START,
        )
        for minute in (1, 3, 3.5, 5, 6, 10, 11, 15, 16, 60):
            worklist.run_clocks(actor=actor, now=START + timedelta(minutes=minute))
        told = list(EventRow.objects.order_by("id").values_list("name", "organization_id"))
        assert told == [
            ("TaskWarned", world.village),
            ("TaskEscalated", world.township),
            ("TaskEscalated", world.lead),
            ("TaskOverdue", world.lead),
        ]
        assert list(Task.objects.order_by("id").values_list("level", "organization_id")) == [
            (0, world.village),
            (1, world.township),
            (2, world.lead),
        ]
        opened = CareRelationship.objects.filter(reason="escalation").values_list("organization_id", "scope", "episode")
        assert list(opened.order_by("id")) == [(world.township, "episode", "lamp/1"), (world.lead, "episode", "lamp/1")]
        assert worklist.close_tasks(machine="lamp", item_id=1, outcome="done", actor=actor) == 3


def _lit(number: int, organization_id: int) -> worklist.NewTask:
    return worklist.NewTask(
        kind="lamp.lit", item_id=number, item_key=uuid4(), organization_id=organization_id, clock=CLOCK
    )


@pytest.mark.django_db
def test_a_task_that_cannot_be_handed_on_holds_up_no_other_and_is_tried_again() -> None:
    world = make_world()
    with acting(CLOCKS) as actor:
        for number in (1, 2):
            worklist.open_task(_lit(number, world.village), now=START + timedelta(seconds=number))
        whole = Task.objects.get(item_id=1).escalate_to
        # A step without its time, as no version of the program writes it.
        Task.objects.filter(item_id=1).update(escalate_to=[{"to": "parent"}])
        worklist.run_clocks(actor=actor, now=START + timedelta(minutes=6))
        assert set(Task.objects.filter(level=1).values_list("item_id", flat=True)) == {2}
        assert worklist.count_stuck() == 1
        Task.objects.filter(item_id=1).update(escalate_to=whole)
        worklist.run_clocks(actor=actor, now=START + timedelta(minutes=6, seconds=30))
        assert worklist.count_stuck() == 1
        worklist.run_clocks(actor=actor, now=START + timedelta(minutes=7))
        assert set(Task.objects.filter(level=1).values_list("item_id", flat=True)) == {1, 2}
        assert worklist.count_stuck() == 0
        # Its owner was warned once, not at each try.
        assert EventRow.objects.filter(name="TaskWarned", subject_id=1).count() == 1


@pytest.mark.django_db
def test_clocks_that_stand_still_are_said_on_every_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    client.force_login(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    said = "超时提醒和逐级上报已停止"
    assert said not in client.get("/").content.decode()
    ticker = Ticker(URGENT_TICKS)
    for tick in URGENT_TICKS:
        ticker.take(tick)
    with acting(CLOCKS):
        pulse = Pulse.objects.get(name="clocks")
        assert said not in client.get("/").content.decode()
        Pulse.objects.update(at=pulse.at - timedelta(minutes=7))
    # A process that has just begun waits for a worker that has, too.
    monkeypatch.setattr(shell, "_STARTED", time.monotonic())
    assert said not in client.get("/").content.decode()
    monkeypatch.setattr(shell, "_STARTED", time.monotonic() - shell.SILENCE_SECONDS)
    assert f"{said} 7 分钟" in client.get("/").content.decode()
    # A task that is stuck keeps the pulse from beating; everything else is done.
    with acting(CLOCKS):
        worklist.open_task(_lit(1, world.village), now=timezone.now() - timedelta(minutes=9))
        Task.objects.update(escalate_to=[{"to": "parent"}])
    Ticker(URGENT_TICKS).take(URGENT_TICKS[0])
    assert f"{said} 7 分钟" in client.get("/").content.decode()


@pytest.mark.django_db
def test_open_tasks_shows_own_permissions_and_organisations_most_urgent_first() -> None:
    world = make_world()
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(CLOCKS):
        for number, (urgency, permission) in enumerate([(0, ""), (3, "ECG_ORDER"), (3, "ECG_SIGN")]):
            worklist.open_task(
                worklist.NewTask(
                    kind="lamp.lit",
                    item_id=number,
                    item_key=uuid4(),
                    organization_id=world.village,
                    urgency=urgency,
                    permission=permission,
                )
            )
    with acting(li):
        assert [task.item_id for task in queries.open_tasks(actor=li)] == [1, 0]
    with acting(zhao):
        assert queries.open_tasks(actor=zhao) == []
        assert Task.objects.count() == 0


@pytest.mark.django_db
@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)).map(lambda moment: moment.replace(tzinfo=CHINA)),
    minutes=st.integers(1, 3000),
)
def test_due_in_working_time_ends_within_opening_hours_of_a_workday(start: datetime, minutes: int) -> None:
    end = due(start, timedelta(minutes=minutes), working_time=True).astimezone(CHINA)
    assert end > start
    assert "08:00" <= f"{end:%H:%M}" <= "17:30"
    later = due(start, timedelta(minutes=minutes + 1), working_time=True)
    assert later > end


def test_due_in_working_time_skips_the_national_day_week_and_counts_make_up_days() -> None:
    eve = datetime(2025, 9, 30, 17, 0, tzinfo=CHINA)
    assert due(eve, timedelta(hours=1), working_time=True) == datetime(2025, 10, 9, 8, 30, tzinfo=CHINA)
    make_up_eve = datetime(2025, 10, 10, 17, 0, tzinfo=CHINA)  # Friday; Saturday the 11th is a make-up workday
    assert due(make_up_eve, timedelta(hours=1), working_time=True) == datetime(2025, 10, 11, 8, 30, tzinfo=CHINA)
