"""Every act of a referral in any order, by everybody who may and by everybody who may not: what must hold after each of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from doorstep.care.referrals import actions, queries, states
from doorstep.care.referrals.actions import Place
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.tests.factories import CONSENT, PLAN, SUMMARY, Loop, draft, make_loop, make_slot
from doorstep.care.referrals.tests.holding import (
    Found,
    has_one_story,
    holds_what_it_needs,
    is_seen_by_whom_it_concerns,
    lies_with_one_owner,
)
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.models import Place as SlotPlace
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow.actions import check_way
from doorstep.kernel.workflow.queries import allowed
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

SYSTEM = system_actor(Purpose.HANDLER)
# What leads a case on.
ROAD = (
    "submit",
    "accept",
    "check_in",
    "treat",
    "admit",
    "discharge",
    "hand_back",
    "receive_back",
    "arrive_back",
    "close",
)
# Verbs that no act of this story goes by: a stay without a referral is another story.
ELSEWHERE = {"send_down"}
# Where a patient may go, by a number.
GOES = ("clinic", "bed", "rehab", "home")
LATER = timedelta(days=60)
Act = Callable[["Story", Referral, Actor, int], object]

ACTS: dict[str, Act] = {
    "submit": lambda story, one, who, _n: actions.submit(referral=one, consent=CONSENT, actor=who),
    "accept": lambda story, one, who, _n: actions.accept(referral=one, actor=who),
    "offer": lambda story, one, who, n: story.offer(one, who, n),
    "confirm": lambda story, one, who, _n: actions.confirm(referral=one, actor=who),
    "confirm_self": lambda story, one, who, _n: actions.confirm(referral=one, actor=who, by_resident=True),
    "refuse_offer": lambda story, one, who, _n: actions.refuse_offer(referral=one, code="time", reason="", actor=who),
    "refuse_self": lambda story, one, who, _n: actions.refuse_offer(
        referral=one, code="worse", reason="", actor=who, by_resident=True
    ),
    "advise": lambda story, one, who, _n: actions.advise(referral=one, advice="调整用药，两周后复查。", actor=who),
    "redirect": lambda story, one, who, n: story.redirect(one, who, n),
    "return": lambda story, one, who, _n: actions.return_for_information(
        referral=one, code="missing-exam", reason="请补心电图", actor=who
    ),
    "decline": lambda story, one, who, _n: actions.decline(
        referral=one, code="no-bed", reason="满床", alternative="请转市医院", actor=who
    ),
    "withdraw": lambda story, one, who, _n: actions.withdraw(referral=one, reason="家属要求", actor=who),
    "depart": lambda story, one, who, _n: actions.depart(referral=one, transport="own", actor=who),
    "check_in": lambda story, one, who, _n: actions.check_in(referral=one, method="qr", actor=who),
    "undo_check_in": lambda story, one, who, _n: actions.undo_check_in(referral=one, reason="同名", actor=who),
    "go_elsewhere": lambda story, one, who, _n: actions.go_elsewhere(
        referral=one, place="省人民医院", reason="", actor=who
    ),
    "leave": lambda story, one, who, _n: actions.leave_network(
        referral=one, place="省人民医院", code="no-skill", actor=who
    ),
    "report_outside": lambda story, one, who, _n: actions.report_outside(referral=one, result="已手术", actor=who),
    "agree_day": lambda story, one, who, n: story.another_day(one, who, n),
    "treat": lambda story, one, who, _n: actions.treat(referral=one, actor=who),
    "admit": lambda story, one, who, _n: story.admit(one, who),
    "discharge": lambda story, one, who, _n: actions.discharge(referral=one, summary=SUMMARY, plan=PLAN, actor=who),
    "hand_back": lambda story, one, who, n: actions.hand_back(
        referral=one, receiver_id=story.loop.world.township, actor=who, aim=GOES[n]
    ),
    "arrive_back": lambda story, one, who, _n: actions.arrive_back(referral=one, actor=who),
    "postpone_back": lambda story, one, who, n: actions.postpone_back(
        referral=one, expected_at=timezone.now() + timedelta(days=1 + n), reason="家属接送", actor=who
    ),
    "receive_back": lambda story, one, who, n: story.take_back(one, who),
    "decline_back": lambda story, one, who, _n: actions.decline_back(
        referral=one, code="no-bed", reason="满床", actor=who
    ),
    "close": lambda story, one, who, _n: actions.close(referral=one, actor=who, outcome="迁居外地"),
    "record_death": lambda story, one, who, _n: actions.record_death(referral=one, reason="抢救无效", actor=who),
}
# One act of the patient's, told to the sender or to the office: whose verb it is has to be asked first.
TOLD_TO = {"confirm", "confirm_there", "refuse_offer", "refuse_there", "agree_day", "agree_day_there", "agree_day_self"}
ACTS |= {"confirm_there": ACTS["confirm"], "refuse_there": ACTS["refuse_offer"], "agree_day_there": ACTS["agree_day"]}
ACTS["agree_day_self"] = lambda story, one, who, n: story.another_day(one, who, n, by_resident=True)
# The clocks: what time does to whatever is waiting.
CLOCKS: tuple[Callable[[Actor], int], ...] = (
    lambda actor: actions.expire_offers(actor=actor, now=timezone.now() + LATER),
    lambda actor: actions.expire_arrivals(actor=actor, now=timezone.now() + LATER),
    lambda actor: actions.pass_on_silent(actor=actor, now=timezone.now() + LATER),
    lambda actor: actions.time_out_receivers(actor=actor, now=timezone.now() + LATER),
)


class Story(RuleBasedStateMachine):
    """One patient, a sender, two hospitals with an office and a doctor each, a receiver, the patient's phone, and a stranger."""

    loop: ClassVar[Loop]
    people: ClassVar[dict[str, Actor]]
    houses: ClassVar[tuple[int, int]]
    slots: ClassVar[tuple[Slot, ...]]

    def __init__(self) -> None:
        """Begin inside a savepoint: the next story starts from the same house."""
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.numbers: list[int] = []
        self.done = 0

    def teardown(self) -> None:
        """Undo the story."""
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize(kind=st.sampled_from(Referral.Kind.values), whole=st.booleans())
    def begin(self, kind: str, whole: bool) -> None:
        referral = draft(self.loop)
        self.numbers.append(referral.pk)
        self._revise(referral, kind, whole)

    @rule(picks=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 3)), min_size=2, max_size=6))
    def people_do_what_their_pages_offer(self, picks: list[tuple[int, int]]) -> None:
        for pick, n in picks:
            ways = self.offered()
            if ways:
                one, who, verb = ways[pick % len(ways)]
                self.carry_out(one, who, verb, n, may=True)

    @rule(tries=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(sorted(ACTS)),
            st.sampled_from(("village", "office", "office2", "specialist", "family", "phone", "stranger")),
        ), min_size=1, max_size=4,
    ))  # fmt: skip
    def people_try_anything(self, tries: list[tuple[int, str, str]]) -> None:
        for pick, verb, name in tries:
            rows = self.referrals()
            one, who = rows[pick % len(rows)], self.people[name]
            verbs = {way.verb.replace("submit_green", "submit") for way in allowed(one, actor=who)}
            if verb != "record_death" or verb not in verbs:
                self.carry_out(one, who, verb, pick, may=verb in verbs)

    @precondition(lambda self: len(self.numbers) < 3)
    @rule(pick=st.integers(0, 999), kind=st.sampled_from(Referral.Kind.values), whole=st.booleans())
    def the_sender_asks_again(self, pick: int, kind: str, whole: bool) -> None:
        rows = [one for one in self.referrals() if one.state in states.MAY_BE_ASKED_AGAIN]
        if not rows or self.dead():
            return
        with acting(self.people["village"]) as village:
            again = actions.draft_again(referral=rows[pick % len(rows)], actor=village)
        if again.pk not in self.numbers:
            self.numbers.append(again.pk)
            self._revise(again, kind, whole, target=self.houses[pick % 2])

    @rule(pick=st.integers(0, 999))
    def the_sender_holds_a_place(self, pick: int) -> None:
        rows = [one for one in self.referrals() if one.state in ("draft", "returned") and one.booking_id is None]
        if rows and not self.dead():
            with acting(self.people["village"]) as village:
                slot = self.slots[pick % len(self.slots)]
                self.refusable(
                    lambda: actions.hold_slot(referral=rows[pick % len(rows)], slot_key=slot.key, actor=village)
                )

    @rule(pick=st.integers(0, 999))
    def the_sender_opens_the_whole_record(self, pick: int) -> None:
        rows = [one for one in self.referrals() if not one.whole_record]
        if rows:
            with acting(self.people["village"]) as village:
                one = queries.get(key=rows[pick % len(rows)].key, actor=village)
                self.refusable(lambda: actions.open_record(referral=one, actor=village))

    @rule(which=st.integers(0, len(CLOCKS) - 1))
    def time_goes_by(self, which: int) -> None:
        with acting(system_actor(Purpose.CLOCKS)) as clocks:
            CLOCKS[which](clocks)

    @precondition(lambda self: self.done > 12)
    @rule(pick=st.integers(0, 999))
    def the_patient_dies(self, pick: int) -> None:
        ways = self.offered(dying=True)
        if ways:
            self.carry_out(*ways[pick % len(ways)], 0, may=True)

    def offered(self, *, dying: bool = False) -> list[tuple[Referral, Actor, str]]:
        """Who may do what to which case now; what leads a case on stands there twice."""
        ways = [
            (one, who, way.verb)
            for one in self.referrals()
            for who in self.people.values()
            for way in allowed(one, actor=who)
            if way.verb not in ELSEWHERE and dying == (way.verb == "record_death")
        ]
        return [*ways, *(way for way in ways if way[2] in ROAD)]

    @invariant()
    def holds(self) -> None:
        with acting(SYSTEM):
            rows = list(Referral.objects.filter(pk__in=self.numbers).select_related("booking"))
            found = Found(rows)
            for one in rows:
                has_one_story(one, found)
                lies_with_one_owner(one, found)
                is_seen_by_whom_it_concerns(one, found)
                holds_what_it_needs(one, found)
            assert not FollowUp.objects.filter(
                referral__in=[one.pk for one in rows if one.state in states.ENDED],
                state__in=("planned", "due", "missed"),
            ).exists()
            booked = set(Booking.objects.filter(state__in=("booked", "arrived")).values_list("place_id", flat=True))
            places = list(SlotPlace.objects.filter(state__in=("booked", "held")).values_list("id", "state", "hold_key"))
            assert booked == {key for key, state, _hold in places if state == "booked"}
            held = {hold for _key, state, hold in places if state == "held"}
            assert held == {one.hold_key for one in rows if one.hold_key is not None}

    def referrals(self) -> list[Referral]:
        """The story's referrals as they stand, bound to nobody."""
        with acting(SYSTEM):
            return list(Referral.objects.filter(pk__in=self.numbers).order_by("id"))

    def dead(self) -> bool:
        with acting(SYSTEM):
            self.loop.resident.refresh_from_db(fields=["deceased_on"])
        return self.loop.resident.deceased_on is not None

    def carry_out(self, one: Referral, who: Actor, verb: str, n: int, *, may: bool) -> None:
        """Do it as this person: it succeeds exactly when the page offers it, or says why the world has no room for it."""
        verb = verb.replace("submit_green", "submit")
        before = (one.state, one.state_since)
        refused = self.refusable(lambda: self._as(who, lambda: self._act(one, who, verb, n)))
        after = next(row for row in self.referrals() if row.pk == one.pk)
        moved = (after.state, after.state_since) != before
        if refused is None:
            assert may, f"{verb} by {who.display_name} in {before[0]} should not be possible"
            assert moved
            self._react(after, verb)
            self.done += 1
        else:
            assert not moved
            if may:
                assert self._no_room(one, verb, refused), f"{verb} in {before[0]} was offered and refused: {refused}"
        self.holds()

    def _as(self, who: Actor, act: Callable[[], object]) -> None:
        with acting(who):
            act()

    def _act(self, one: Referral, who: Actor, verb: str, n: int) -> None:
        found = queries.get(key=one.key, actor=who)
        if verb in TOLD_TO:
            check_way(found, verb, actor=who)
        ACTS[verb](self, found, who, n)

    def _no_room(self, one: Referral, verb: str, refused: str) -> bool:
        """Refusals that a page cannot know of before: a form is incomplete, another request is open at that unit, somebody is dead."""
        if verb == "submit":
            return any(words in refused for words in ("未完成", "尚未结束", "本单位", "预留已过期"))
        if verb == "redirect":
            return "已有未结束的转诊" in refused
        if verb.startswith("agree_day"):
            return any(words in refused for words in ("号", "预约", "时段", "时间")) or self.dead()
        if verb in ("receive_back", "arrive_back") and one.goes_to == "bed":
            # The bed was given away when its keeping ran out, or others lie in all of them.
            return "床" in refused or self.dead()
        return self.dead()

    def _react(self, one: Referral, verb: str) -> None:
        """What the handlers of the event do."""
        with acting(SYSTEM):
            if verb == "check_in":
                actions.close_elsewhere(arrived=queries.get(key=one.key, actor=SYSTEM), place="", actor=SYSTEM)
        if verb == "record_death" and self.dead():
            with acting(SYSTEM):
                actions.end_for_death(resident_id=one.resident_id, actor=SYSTEM)

    def refusable(self, act: Callable[[], object]) -> str | None:
        try:
            act()
        except Refused as refused:
            return f"{refused.message} {dict(refused.fields)}"
        return None

    def offer(self, one: Referral, who: Actor, n: int) -> object:
        """A bed of the board, or a place in words."""
        later = timezone.now() + timedelta(hours=2 + n)
        free = Bed.objects.filter(state="free", ward__organization_id=one.target_id or 0).first() if n % 2 else None
        if free is not None:
            return actions.offer_place(referral=one, text="", bed_key=free.key, expected_at=later, actor=who)
        return actions.offer(referral=one, place=Place(text="心内科门诊", expected_at=later), actor=who)

    def redirect(self, one: Referral, who: Actor, n: int) -> object:
        """To another department of the same unit, or to the other hospital."""
        if n % 2 and one.target_id == self.loop.world.lead and one.department_id is None:
            return actions.redirect(referral=one, department_id=self.loop.department.pk, reason="专科不符", actor=who)
        other = self.houses[self.houses[0] == one.target_id]
        return actions.redirect(referral=one, target_id=other, reason="无床位", actor=who)

    def another_day(self, one: Referral, who: Actor, n: int, *, by_resident: bool = False) -> object:
        """A place of the clinic where one is left at that unit, else a time."""
        slot = self.slots[n % 2] if n and one.target_id == self.loop.world.lead else None
        at = timezone.now() + timedelta(days=1 + n)
        key = slot.key if slot else None
        return actions.agree_day(referral=one, actor=who, expected_at=at, slot_key=key, by_resident=by_resident)

    def take_back(self, one: Referral, who: Actor) -> object:
        """With a free bed of the centre where the patient goes to one."""
        free = Bed.objects.filter(state="free", ward__organization_id=one.receiver_id or 0).first()
        return actions.receive_back(
            referral=one, actor=who, bed_key=free.key if free and one.goes_to == "bed" else None
        )

    def admit(self, one: Referral, who: Actor) -> object:
        """To the bed that was kept, or in words."""
        kept = Bed.objects.filter(held_for=one.subject, state="held").first()
        return actions.admit(referral=one, actor=who, bed_key=kept.key if kept else None, ward="" if kept else "内科")

    def _revise(self, referral: Referral, kind: str, whole: bool, target: int | None = None) -> None:
        values: dict[str, Any] = {
            "kind": kind, "critical": False, "bed_requested": True, "whole_record": whole,
            "target_id": target or self.loop.world.lead, "reviewer_id": self.people["village"].practitioner_id,
            "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时",
        }  # fmt: skip
        with acting(self.people["village"]) as village:
            actions.revise(referral=referral, values=values, actor=village)


def make_house() -> None:
    """The loop's people, a second hospital with office and ward, beds and a clinic, and the patient's own phone."""
    loop = make_loop()
    with acting(system_actor(Purpose.IMPORT)) as system:
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
        user = User.objects.create_user(username="phone", password="x" * 20, kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident_id=loop.resident.pk, since=timezone.localdate())
        beds.open_ward(organization_id=loop.world.lead, name="心内一病区", beds=["1", "2"], actor=system)
        beds.open_ward(organization_id=loop.world.township, name="住院部", beds=["1", "2", "3", "4"], actor=system)
        phone = of_user(user)
    Story.loop = loop
    Story.houses = (loop.world.lead, other.pk)
    Story.slots = (make_slot(loop, places=2), make_slot(loop, starts_at=timezone.now() + timedelta(hours=5)))
    Story.people = {
        "village": loop.village, "office": loop.office, "specialist": loop.specialist, "family": loop.family,
        "stranger": loop.stranger, "phone": phone,
        "office2": of_user(make_staff(name="另一专员", organization_id=other.pk, role="referral_officer", username="o2")),
        "doctor2": of_user(make_staff(name="另一主任", organization_id=other.pk, role="specialist", username="s2")),
    }  # fmt: skip


@pytest.mark.django_db
def test_referral_story() -> None:
    make_house()
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
