"""The county's past days through the real actions: what was planned for a minute happened at that minute."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone

from doorstep.coordination.visits.models import Visit
from doorstep.demo import cast
from doorstep.demo.county import heroes
from doorstep.demo.county.clock import CHINA
from doorstep.demo.county.residents import HEROES
from doorstep.demo.living.agenda import Agenda, NobodyThere
from doorstep.demo.tests.test_seeding import run
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow.models import Step
from doorstep.kernel.worklist.models import Task
from doorstep.people.identity.models import LikelyPair

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_agenda_acts_in_order_of_time_and_stops_at_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[datetime] = []
    monkeypatch.setattr(cast, "_chores", [lambda: looks.append(timezone.now())])
    seen: list[tuple[str, datetime]] = []
    agenda = Agenda(until=NINE + timedelta(hours=1))

    def first() -> None:
        seen.append(("first", timezone.now()))
        agenda.put(NINE + timedelta(minutes=20), "follows", lambda: seen.append(("follows", timezone.now())))

    def nobody() -> None:
        raise NobodyThere()

    agenda.put(NINE + timedelta(minutes=12), "refused", nobody)
    agenda.put(NINE, "first", first)
    agenda.put(NINE + timedelta(hours=2), "later", lambda: seen.append(("later", timezone.now())))
    outcome = agenda.run()
    assert [name for name, _at in seen] == ["first", "follows"], "what lies ahead stays undone"
    assert all(
        at - due < timedelta(seconds=5) for (_, at), due in zip(seen, (NINE, NINE + timedelta(minutes=20)), strict=True)
    )
    assert outcome.done == {"first": 1, "follows": 1}
    assert outcome.refused == {"refused": 1}
    assert looks == sorted(looks)
    assert len(looks) >= 4
    assert timezone.now().year >= 2026
    assert timezone.now() > NINE, "the clock is the machine's again"


@pytest.mark.journey
def test_live_days_leaves_visits_steps_and_tasks_on_their_days(owner_connection: psycopg.Connection) -> None:
    code, said = run(owner_connection)
    assert code == 0, said
    today = timezone.localdate()
    told = StringIO()
    call_command("live_days", days=8, stdout=told)
    assert "visit: " in told.getvalue()
    with acting(system_actor(Purpose.IMPORT)):
        visits = list(Visit.objects.exclude(state="").filter(created_at__gte=timezone.now() - timedelta(days=9)))
    lived = [visit for visit in visits if visit.complaint]
    assert lived
    assert all(visit.resident_id > HEROES for visit in lived), "the heroes stay as they are"
    days = {visit.created_at.astimezone(CHINA).date() for visit in lived}
    assert max(days) < today
    assert len(days) > 2
    with acting(system_actor(Purpose.INDICATORS)):
        steps = Step.objects.filter(machine="visit", item_id__in=[visit.pk for visit in lived])
        assert {step.at.astimezone(CHINA).date() for step in steps} == days
        assert all(8 <= step.at.astimezone(CHINA).hour < 19 for step in steps)
        assert not Task.objects.filter(closed_at__gt=timezone.now()).exists()
        assert not Task.objects.filter(kind__startswith="visit.", closed_at__isnull=True).exists()
    with acting(system_actor(Purpose.IMPORT)):
        made = LikelyPair.objects.filter(state="open", second__organization_id=heroes.TERTIARY_HOSPITAL)
        reached = made.filter(first__organization__path__contains=[heroes.TERTIARY_HOSPITAL])
        assert reached.count() == 3, "the records officer of the lead hospital sees all of them"
        assert not LikelyPair.objects.filter(first_id__lte=HEROES).exists()
