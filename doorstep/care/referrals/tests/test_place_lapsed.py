"""Ten minutes went by over the form: what the doctor reads, and whoever cannot wait is sent all the same."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import CONSENT, Loop, make_loop, make_slot
from doorstep.care.referrals.tests.test_places import filled
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.models import Place
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db


def held(loop: Loop, kind: str) -> Referral:
    """A form of this kind, a place kept for it."""
    one = filled(loop, loop.world.lead)
    with acting(loop.village) as village:
        actions.revise(referral=one, actor=village, values={"kind": kind})
        actions.hold_slot(
            referral=one, slot_key=make_slot(loop, starts_at=timezone.now() + timedelta(days=1)).key, actor=village
        )
        return queries.get(key=one.key, actor=village)


def lapse() -> None:
    """The worker gives back what is over."""
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert scheduling.expire_holds(actor=clocks) == 1


@pytest.mark.parametrize("kind", ["green", "urgent"])
def test_who_cannot_wait_is_sent_without_the_place_that_went_back(kind: str) -> None:
    loop = make_loop()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        one = held(loop, kind)
        clock.shift(timedelta(minutes=11))
        lapse()
        with acting(loop.village) as village:
            sent = actions.submit(referral=one, consent=CONSENT, actor=village)
            sent.refresh_from_db()
            assert sent.state.startswith("submitted")
            # Nothing names a time that is not the patient's any more.
            assert (sent.booking_id, sent.hold_key, sent.appointment_text, sent.expected_at) == (None, None, "", None)
            assert Place.objects.get().state == "free"


def test_an_ordinary_one_chooses_again() -> None:
    loop = make_loop()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        one = held(loop, "ordinary")
        clock.shift(timedelta(minutes=11))
        with acting(loop.village) as village, pytest.raises(Refused) as refused:
            actions.submit(referral=one, consent=CONSENT, actor=village)
    assert "已超过 10 分钟" in str(refused.value.fields["slot"])


def test_the_form_does_not_show_a_place_as_kept_that_went_back(client: Client) -> None:
    loop = make_loop()
    client.force_login(loop.users["village"])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        one = held(loop, "ordinary")
        address = reverse("referrals:edit", args=[one.key])
        page = client.get(address).content.decode()
        assert "已预留" in page
        # The part that shows it is asked for again when the time is over.
        assert "load delay:600s" in page or "load delay:601s" in page
        clock.shift(timedelta(minutes=11))
        page = client.get(address).content.decode()
        assert "预留已过期" in page
        assert "已放回，请重新选号" in page
        assert "<b>已预留</b>" not in page


def test_a_place_that_is_gone_is_not_said_to_be_the_request_of_a_bed(client: Client) -> None:
    loop = make_loop()
    client.force_login(loop.users["village"])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        one = held(loop, "ordinary")
        clock.shift(timedelta(minutes=11))
        form = {
            "verb": "submit", "direction": "up", "aim": "department", "kind": "ordinary", "target_id": loop.world.lead,
            "reviewer_id": loop.village.practitioner_id, "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时",
            "consent_signer": "周桂兰", "consent_relation": "self",
        }  # fmt: skip
        answer = client.post(reverse("referrals:edit", args=[one.key]), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    summary = page[page.index("处需要更正") :][:800]
    assert "号源预留已超过 10 分钟" in summary
    assert "申请床位" not in summary


@pytest.mark.parametrize(("minutes", "without"), [(9, False), (11, True)])
def test_the_doctor_reads_whether_the_place_went_along(client: Client, minutes: int, without: bool) -> None:
    loop = make_loop()
    client.force_login(loop.users["village"])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        one = held(loop, "urgent")
        clock.shift(timedelta(minutes=minutes))
        form = {
            "verb": "submit", "direction": "up", "aim": "department", "kind": "urgent", "target_id": loop.world.lead,
            "reviewer_id": loop.village.practitioner_id, "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时",
            "consent_signer": "周桂兰", "consent_relation": "self",
        }  # fmt: skip
        answer = client.post(reverse("referrals:edit", args=[one.key]), form, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "转诊已提交" in page
    assert ("转诊单没有带号" in page) is without
