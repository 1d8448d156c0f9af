"""Lists a page at a time, and the board of flows as it is kept: nothing twice, nothing left out, few statements."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, list_queries
from doorstep.care.referrals.list_queries import Page
from doorstep.care.referrals.models import KeptBoard, Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import make_resident

pytestmark = pytest.mark.django_db
_ALL_QUERIES = 12


def crowd(loop: Loop, count: int) -> None:
    """So many submitted referrals of so many residents beside the first, every third of them urgent, one green."""
    first = referral_in(loop, "submitted_green")
    copied = {
        one.attname: getattr(first, one.attname)
        for one in Referral._meta.concrete_fields
        if one.name not in ("id", "key", "desk")
    }
    with acting(system_actor(Purpose.IMPORT)):
        for number in range(count):
            person = make_resident(
                organization_id=loop.world.village, name=f"居民{number}", number="", panel_of=(loop.world.village,)
            )
            moment = timezone.now() - timedelta(minutes=number % 7)
            facts = {**copied, "resident_id": person.id, "resident_key": person.key, "state": "submitted"}
            facts |= {"kind": "urgent" if number % 3 == 0 else "ordinary", "state_since": moment, "created_at": moment}
            Referral.objects.create(**{**facts, "outcome": "好转" if number % 2 else ""})


def all_pages(ask: object) -> list[Referral]:
    found: list[Referral] = []
    page = Page([], "")
    for _turn in range(40):
        page = ask(page.next)  # type: ignore[operator]
        found += page.rows
        if not page.next:
            return found
    raise AssertionError("the list has no end")


def test_pages_hold_everything_once_and_in_order() -> None:
    loop = make_loop()
    crowd(loop, 23)
    with acting(loop.office):
        office = all_pages(lambda after: list_queries.list_incoming(actor=loop.office, after=after, limit=5))
        told = all_pages(lambda after: list_queries.list_outcomes(actor=loop.office, after=after, limit=4))
    with acting(loop.village):
        sent = all_pages(lambda after: list_queries.list_sent(actor=loop.village, after=after, limit=5))
    with acting(loop.family):
        family = all_pages(lambda after: list_queries.list_sent(actor=loop.family, after=after, limit=5))
    assert len(office) == len({one.pk for one in office}) == 24
    assert office == sorted(office, key=lambda one: (one.desk, one.state_since, one.pk))
    assert [one.desk for one in office[:2]] == [0, 1]
    assert len(sent) == len({one.pk for one in sent}) == 24
    assert sent == sorted(sent, key=lambda one: (one.created_at, one.pk), reverse=True)
    assert len({one.pk for one in told}) == len(told) == 11
    assert len(family) == len({one.pk for one in family}) == 24


def test_an_address_that_is_not_ours_begins_at_the_top() -> None:
    loop = make_loop()
    referral_in(loop, "submitted_green")
    client = Client()
    client.force_login(loop.users["office"])
    for wrong in ("x", "1_2", "9" * 40, "1_2_3_4", "_ _", "0_99999999999999999_1"):
        assert client.get(reverse("referrals:office"), {"after": wrong}).status_code == 200


@pytest.mark.parametrize(
    ("who", "name", "state"),
    [
        ("office", "office", "submitted_green"),
        ("office", "detail", "submitted_green"),
        ("specialist", "detail", "admitted"),
        ("specialist", "treating", "admitted"),
        ("family", "list", "handed_back"),
        ("family", "detail", "received_back"),
        ("office", "flow", "submitted_green"),
        ("office", "flow-cases", "submitted_green"),
    ],
)
def test_whole_pages_send_few_statements(who: str, name: str, state: str) -> None:
    """Session, account and posts included."""
    loop = make_loop()
    referral = referral_in(loop, state)
    client = Client()
    client.force_login(loop.users[who])
    address = reverse(f"referrals:{name}", args=[referral.key] if name == "detail" else [])
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    own = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    # Plan, follow-ups and questions of a case that came back, beside a list of two kinds.
    most = _ALL_QUERIES + (who == "family" and name == "detail")
    assert len(own) <= most, "\n".join(sql[:120] for sql in own)


def test_a_board_is_kept_and_counted_anew() -> None:
    loop = make_loop()
    referral_in(loop, "submitted_green")
    with acting(loop.office):
        first, at = actions.board_now(actor=loop.office, period="month")
        again, same = actions.board_now(actor=loop.office, period="month")
    assert first == again
    assert at == same
    assert first.stages == [("submitted_green", 1, 0)]
    assert first.flows[0].target
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.refresh_boards(actor=clock) == 0
        KeptBoard.objects.update(counted_at=timezone.now() - timedelta(minutes=2))
        Referral.objects.update(state="accepted")
        assert actions.refresh_boards(actor=clock) == 1
    with acting(loop.office):
        fresh, _at = actions.board_now(actor=loop.office, period="month")
    assert [row[0] for row in fresh.stages] == ["accepted"]


def test_a_dark_referral_is_found_and_called_out() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.watch_dark(actor=clock) == 0
        Task.objects.filter(item_id=referral.pk).update(closed_at=timezone.now(), outcome="lost")
        assert actions.watch_dark(actor=clock) == 1
        assert actions.watch_dark(actor=clock) == 0
        assert Referral.objects.get(pk=referral.pk).dark_since is not None
    with acting(loop.office):
        board, _at = actions.board_now(actor=loop.office, period="month")
        assert board.dark == 1
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        Task.objects.filter(item_id=referral.pk).update(closed_at=None, outcome="")
        actions.watch_dark(actor=clock)
        assert Referral.objects.get(pk=referral.pk).dark_since is None


@pytest.mark.parametrize(("who", "name"), [("office", "office"), ("village", "list")])
def test_twenty_lines_are_asked_with_the_statements_of_one(who: str, name: str) -> None:
    loop = make_loop()
    crowd(loop, 20)
    with acting(system_actor(Purpose.IMPORT)):
        # Whatever a line may show of a referral is there.
        Referral.objects.update(kind="green", green_center="chest-pain", outside_name="省立医院", outcome="好转")
    client = Client()
    client.force_login(loop.users[who])
    address = reverse(f"referrals:{name}")
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(address).content.decode()
    own = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert page.count("胸痛中心") >= 20
    assert len(own) <= _ALL_QUERIES, "\n".join(sql[:120] for sql in own)
