"""What the busiest acts send to the database, from the request to its answer, transaction control left out."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, draft, make_loop, make_slot, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db

MOST = 12
_CONTROL = re.compile(r"\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT)")


def sent_by(request: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        request()
    return [row["sql"] for row in captured.captured_queries if not _CONTROL.match(row["sql"])]


def listed(statements: list[str]) -> str:
    return "\n".join(f"{number}. {sql[:300]}" for number, sql in enumerate(statements, start=1))


def client_of(loop: Loop, who: str) -> Client:
    client = Client()
    client.force_login(loop.users[who])
    # The session notes its second factor on the first page.
    client.get(reverse("home"))
    return client


def form_of(loop: Loop, **values: object) -> dict[str, object]:
    return {
        "kind": "ordinary", "direction": "up", "aim": "department", "target_id": loop.world.lead,
        "reviewer_id": loop.village.practitioner_id, "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时",
        "bed_requested": "on", "consent_signer": "周桂兰", "consent_relation": "self", "verb": "submit",
        "idempotency_key": str(uuid.uuid4()), **values,
    }  # fmt: skip


def state_of(referral: Referral) -> str:
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get(pk=referral.pk).state


@pytest.mark.parametrize(
    "more", [{}, {"packet_sent": "1", "sight": "packet", "critical": ""}], ids=["whole record", "packet"]
)
def test_submit_sends_at_most_twelve_statements(more: dict[str, object]) -> None:
    loop = make_loop()
    client, referral = client_of(loop, "village"), draft(loop)
    address = reverse("referrals:edit", args=[referral.key])
    statements = sent_by(lambda: client.post(address, form_of(loop, **more)))
    assert state_of(referral) == "submitted"
    assert len(statements) <= MOST, listed(statements)


def test_submit_of_a_held_place_books_it_with_three_more() -> None:
    loop = make_loop()
    slot = make_slot(loop)
    client, referral = client_of(loop, "village"), draft(loop)
    client.post(reverse("referrals:hold", args=[referral.key]), {"slot": slot.key})
    address = reverse("referrals:edit", args=[referral.key])
    statements = sent_by(lambda: client.post(address, form_of(loop)))
    assert state_of(referral) == "submitted"
    assert len(statements) <= MOST + 2, listed(statements)


def test_accept_sends_at_most_nine_statements() -> None:
    loop = make_loop()
    client, referral = client_of(loop, "office"), referral_in(loop, "submitted_green")
    address = reverse("referrals:act", args=[referral.key, "accept"])
    data = {"instructions": "", "idempotency_key": str(uuid.uuid4())}
    statements = sent_by(lambda: client.post(address, data))
    assert state_of(referral) == "accepted"
    assert len(statements) <= 9, listed(statements)
