"""A village that follows a patient up whom it did not send: it is given the follow-up, reads the case and asks the ward."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, down_queries, handlers, queries, states
from doorstep.care.referrals.events import FollowUpRescheduled
from doorstep.care.referrals.models import CaseQuestion, FollowUp, Referral
from doorstep.care.referrals.presenters.homeward import by_day
from doorstep.care.referrals.tests.factories import GOOD, Loop, make_loop, referral_in
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def a_village(loop: Loop) -> tuple[Organization, Actor, Client]:
    """Another village below the township that takes the patient back, with 陈村医."""
    with acting(system_actor(Purpose.IMPORT)):
        one = Organization.objects.get(pk=loop.world.village)
        facts = {
            field.attname: getattr(one, field.attname)
            for field in Organization._meta.concrete_fields
            if field.name not in ("id", "key", "code")
        }
        village = Organization.objects.create(**{**facts, "name": "柳井村卫生室", "code": "V-9"})
    user = make_staff(name="陈村医", organization_id=village.pk, role="village_doctor", username="village9")
    client = Client()
    client.force_login(user)
    return village, of_user(user), client


def first_of(loop: Loop, referral: Referral) -> FollowUp:
    with acting(loop.family):
        return FollowUp.objects.select_related("referral").filter(referral=referral).order_by("day")[0]


def queries_of(loop: Loop, referral: Referral) -> list[FollowUp]:
    with acting(loop.family):
        return list(FollowUp.objects.select_related("referral").filter(referral=referral).order_by("day"))


def test_a_village_that_did_not_send_follows_up_and_asks_the_ward(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    village, doctor, theirs = a_village(loop)
    loop_family = of_user(loop.users["family"])
    with acting(doctor), pytest.raises(NotFound):
        queries.get(key=referral.key, actor=doctor)
    row = first_of(loop, referral)
    client.force_login(loop.users["family"])
    page = client.get(reverse("referrals:follow-up", args=[row.key])).content.decode()
    assert "柳井村卫生室" in page
    day = timezone.localdate() + timedelta(days=3)
    answer = client.post(
        reverse("referrals:reschedule", args=[row.key]),
        {"due_on": day.isoformat(), "unit": village.pk, "reason": "患者住在柳井村"},
    )
    assert answer.status_code == 302
    with acting(system_actor(Purpose.HANDLER)):
        event = EventRow.objects.filter(name="FollowUpRescheduled").latest("id")
        handlers.tell_follow_up_passed(to_event(event, FollowUpRescheduled))
        assert Notice.objects.filter(kind="follow-up-passed", organization_id=village.pk).exists()
        assert Task.objects.get(kind="follow-up.planned", item_id=row.pk, closed_at=None).organization_id == village.pk
    assert "周桂兰" in theirs.get(reverse("referrals:follow-ups")).content.decode()
    page = theirs.get(reverse("referrals:follow-up", args=[row.key])).content.decode()
    ask = reverse("referrals:ask", args=[referral.key])
    assert ask in page
    # It passes nothing on itself: the day alone is its own.
    assert 'name="unit"' not in page
    assert theirs.get(reverse("referrals:detail", args=[referral.key])).status_code == 200
    assert theirs.post(ask, {"text": "血压 150/95，需要调药吗？"}).status_code == 302
    with acting(loop.specialist) as ward:
        asked = CaseQuestion.objects.get()
        assert (asked.asker_id, asked.answerer_id) == (village.pk, loop.world.lead)
        actions.answer_question(question=asked, text="加用氢氯噻嗪 12.5 mg。", actor=ward)
    assert "加用氢氯噻嗪" in theirs.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    with acting(doctor):
        mine = queries.get_follow_up(key=row.key, actor=doctor)
        assert actions.complete_follow_up(follow_up=mine, findings=GOOD, actor=doctor).state == "done"
    # Who works for the township asks for the township.
    with acting(loop_family):
        own = actions.ask_question(
            referral=queries.get(key=referral.key, actor=loop_family), text="家属问能否爬楼？", actor=loop_family
        )
        assert own.asker_id == loop.world.township


def test_the_village_asks_for_thirty_days_after_the_end_and_no_longer() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    village, doctor, _client = a_village(loop)
    row = first_of(loop, referral)
    with acting(of_user(loop.users["family"])) as family:
        actions.reschedule_follow_up(
            follow_up=row, due_on=timezone.localdate(), reason="就近", actor=family, unit_id=village.pk
        )
        actions.close(referral=queries.get(key=referral.key, actor=family), actor=family, outcome="恢复良好")
    with acting(doctor):
        case = queries.get(key=referral.key, actor=doctor)
        actions.ask_question(referral=case, text="还能再问一句吗？", actor=doctor)
        case.closed_at = timezone.now() - states.REACHABLE - timedelta(minutes=1)
        with pytest.raises(Conflict) as caught:
            actions.ask_question(referral=case, text="第 31 天还能问吗？", actor=doctor)
        assert "30 天" in str(caught.value.message)


def test_the_form_of_a_question_is_not_shown_where_none_can_be_asked(client: Client) -> None:
    loop = make_loop()
    client.force_login(loop.users["family"])
    referral = referral_in(loop, "received_back")
    address = reverse("referrals:ask", args=[referral.key])
    assert 'name="text"' in client.get(address).content.decode()
    with acting(loop.family) as family:
        actions.close(referral=queries.get(key=referral.key, actor=family), actor=family, outcome="恢复良好")
    with acting(system_actor(Purpose.HANDLER)):
        Referral.objects.update(closed_at=timezone.now() - states.REACHABLE - timedelta(minutes=1))
    page = client.get(address).content.decode()
    assert 'name="text"' not in page
    assert "超过 30 天，请重新发起转诊或会诊" in page
    assert address not in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()


def test_a_waiting_question_shows_its_clock_and_a_late_answer_that_it_was_late(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family) as family:
        case = queries.get(key=referral.key, actor=family)
        late, soon = (
            actions.ask_question(referral=case, text=text, actor=family)
            for text in ("血压 150/95，需要调药吗？", "几时复查血脂？")
        )
        actions.ask_question(referral=case, text="伤口渗液，需要返院吗？", urgent=True, actor=family)
    with acting(system_actor(Purpose.HANDLER)):
        CaseQuestion.objects.filter(pk=late.pk).update(created_at=timezone.now() - timedelta(hours=25))
    for question in (late, soon):
        with acting(loop.specialist) as ward:
            found = down_queries.get_question(key=question.key)
            actions.answer_question(question=found, text="加用氢氯噻嗪 12.5 mg。", actor=ward)
    client.force_login(loop.users["specialist"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert page.count("逾时答复") == 1
    asked = page.partition("伤口渗液")[2].partition("</tr>")[0]
    assert "data-due" in asked
    assert "逾时答复" in client.get(reverse("referrals:question", args=[late.key])).content.decode()
    assert "逾时答复" not in client.get(reverse("referrals:question", args=[soon.key])).content.decode()


def test_a_village_that_gave_all_back_reads_the_case_no_more() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    village, doctor, theirs = a_village(loop)
    rows, today = queries_of(loop, referral), timezone.localdate()
    with acting(of_user(loop.users["family"])) as family:
        for row in rows[:2]:
            actions.reschedule_follow_up(follow_up=row, due_on=today, reason="就近", actor=family, unit_id=village.pk)
            row.refresh_from_db()
        hands = loop.world.township
        actions.reschedule_follow_up(follow_up=rows[0], due_on=today, reason="收回", actor=family, unit_id=hands)
    # One is still in its hands.
    assert theirs.get(reverse("referrals:detail", args=[referral.key])).status_code == 200
    with acting(of_user(loop.users["family"])) as family:
        actions.reschedule_follow_up(follow_up=rows[1], due_on=today, reason="收回", actor=family, unit_id=hands)
        assert queries.get(key=referral.key, actor=family).followers == []
    with acting(doctor), pytest.raises(NotFound):
        queries.get(key=referral.key, actor=doctor)
    assert theirs.get(reverse("residents:detail", args=[loop.resident.key])).status_code == 404
    # The receiver and the ward go on.
    for who in ("family", "specialist"):
        with acting(of_user(loop.users[who])) as actor:
            assert queries.get(key=referral.key, actor=actor).state == "received_back"


def test_a_village_that_took_part_learns_how_it_ends() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    village, doctor, theirs = a_village(loop)
    first, today = first_of(loop, referral), timezone.localdate()
    with acting(of_user(loop.users["family"])) as family:
        actions.reschedule_follow_up(follow_up=first, due_on=today, reason="就近", actor=family, unit_id=village.pk)
    with acting(doctor):
        case = queries.get(key=referral.key, actor=doctor)
        actions.ask_question(referral=case, text="血压 150/95，需要调药吗？", actor=doctor)
    with acting(of_user(loop.users["family"])) as family:
        first.refresh_from_db()
        first.referral.refresh_from_db()
        hands = loop.world.township
        actions.reschedule_follow_up(follow_up=first, due_on=today, reason="收回", actor=family, unit_id=hands)
        assert queries.get(key=referral.key, actor=family).followers == [village.pk]
    assert theirs.get(reverse("referrals:detail", args=[referral.key])).status_code == 200


def test_a_follow_up_goes_to_no_unit_but_the_receivers_own() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    row, today = first_of(loop, referral), timezone.localdate()
    with acting(loop.family) as family:
        for unit in (loop.world.other_village, loop.world.lead, loop.world.other_township):
            with pytest.raises(Refused) as caught:
                actions.reschedule_follow_up(follow_up=row, due_on=today, reason="x", actor=family, unit_id=unit)
            assert set(caught.value.fields) == {"unit"}
        assert queries.get(key=referral.key, actor=family).followers == []


def test_the_follow_up_page_says_whom_to_call_and_what_is_taken(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    row = first_of(loop, referral)
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=referral.pk).update(patient_phone="13800000001", goes_to="home")
    client.force_login(loop.users["family"])
    page = client.get(reverse("referrals:follow-up", args=[row.key])).content.decode()
    assert "13800000001" in page
    assert "女 · 6" in page
    # The dose and how often, not the name alone.
    assert "阿司匹林肠溶片</b> 100 mg · 每日 1 次" in page
    # Who stays at home is visited there.
    assert re.search(r'<input[^>]*name="way"[^>]*value="visit"[^>]*checked', page)


@pytest.mark.parametrize(
    ("hour", "proposed"), [(2, (0, 9)), (7, (0, 9)), (8, (0, 8)), (16, (0, 16)), (17, (1, 9)), (23, (1, 9))]
)
def test_a_proposed_time_is_one_at_which_somebody_comes(hour: int, proposed: tuple[int, int]) -> None:
    at = timezone.localtime().replace(hour=hour, minute=0, second=0, microsecond=0)
    found = timezone.localtime(by_day(at))
    assert ((found.date() - at.date()).days, found.hour) == proposed
