"""The course of a referral: answered by the office, treated on the ward, sent home with a plan, followed up to the end."""

from datetime import datetime, time, timedelta
from functools import partial

from django.utils import timezone

from doorstep.care.referrals import actions as referrals
from doorstep.care.referrals import queries as referral_queries
from doorstep.care.referrals.actions import Discharge, Findings, Plan
from doorstep.care.referrals.actions.treating import default_receiver
from doorstep.care.referrals.models import Referral
from doorstep.demo.cast import actor_of_practitioner, colleague
from doorstep.demo.county import heroes
from doorstep.demo.county.clock import CHINA
from doorstep.demo.living.agenda import NobodyThere
from doorstep.demo.living.village import Day
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.session import acting

# Seconds from, to, between one stage and the next [own choice].
_ANSWER, _LATE_ANSWER, _WAY, _ADMISSION = (120, 780), (960, 1500), (2100, 6000), (900, 2700)
_LATE_ANSWERS = 0.1
_NIGHTS = (2, 6)
_HAND_BACK, _TAKE_OVER = (900, 3600), (1800, 14_400)
_PLAN = Plan(
    medicines=(
        {"name": "阿司匹林肠溶片", "dose": "100mg", "frequency": "每日 1 次", "days": "28", "note": ""},
        {"name": "阿托伐他汀钙片", "dose": "20mg", "frequency": "每晚 1 次", "days": "28", "note": ""},
    ),
    follow_up_days=(3, 7, 30),
    warning_signs=("胸痛持续 15 分钟以上", "晕厥", "夜间不能平卧"),
    rehabilitation="两周内避免重体力活动，步行由每日 10 分钟逐步增加。",
    diet="低盐低脂，戒烟限酒。",
    contact_name="宋怀远",
    contact_phone="0799-5550120",
)


def course(day: Day, referral: Referral, sent_at: datetime) -> None:
    """Plan how the hospital answers, from the moment that the referral arrived."""
    span = _LATE_ANSWER if day.happens(_LATE_ANSWERS) else _ANSWER
    day.agenda.put(day.later(sent_at, span), "referral-accept", partial(_accept, day, referral))


def _accept(day: Day, referral: Referral) -> None:
    office = actor_of_practitioner(heroes.REFERRAL_OFFICER)
    with acting(office):
        accepted = referrals.accept(referral=referral, actor=office)
    day.agenda.put(day.later(timezone.now(), _WAY), "referral-arrival", partial(_arrive, day, accepted))


def _arrive(day: Day, referral: Referral) -> None:
    office = actor_of_practitioner(heroes.REFERRAL_OFFICER)
    with acting(office):
        here = referrals.check_in(referral=referral, method=Referral.Arrival.NATIONAL_ID, actor=office)
    day.agenda.put(day.later(timezone.now(), _ADMISSION), "referral-admission", partial(_admit, day, here))


def _admit(day: Day, referral: Referral) -> None:
    expert = actor_of_practitioner(heroes.CARDIOLOGY_EXPERT)
    bed = f"{int(day.rng.integers(1, 42)):02d}"
    with acting(expert):
        lying = referrals.admit(referral=referral, actor=expert, ward="心血管内科一病区", bed=bed)
    nights = timedelta(days=int(day.rng.integers(*_NIGHTS)))
    morning = datetime.combine(timezone.localdate() + nights, time(9, 30), CHINA)
    day.agenda.put(day.later(morning, (0, 7200)), "referral-discharge", partial(_discharge, day, lying))


def _discharge(day: Day, referral: Referral) -> None:
    expert = actor_of_practitioner(heroes.CARDIOLOGY_EXPERT)
    summary = Discharge(
        diagnosis=referral.impression,
        diagnosis_code=referral.impression_code,
        findings="入院后复查心电图和肌钙蛋白，行冠状动脉造影。",
        summary="给予抗栓、调脂和对症治疗，症状缓解，生命体征平稳。",
        outcome="好转出院",
    )
    with acting(expert):
        home = referrals.discharge(referral=referral, actor=expert, summary=summary, plan=_PLAN)
    day.agenda.put(day.later(timezone.now(), _HAND_BACK), "referral-hand-back", partial(_hand_back, day, home))


def _hand_back(day: Day, referral: Referral) -> None:
    expert = actor_of_practitioner(heroes.CARDIOLOGY_EXPERT)
    with acting(expert):
        receiver = default_receiver(referral)
        if receiver is None:
            raise NobodyThere()
        sent = referrals.hand_back(referral=referral, actor=expert, receiver_id=receiver)
    doctor = colleague(at=receiver, roles=("family_doctor", "township_duty"))
    if doctor is None:
        raise NobodyThere()
    day.agenda.put(day.later(timezone.now(), _TAKE_OVER), "referral-take-over", partial(_take_over, day, sent, doctor))


def _take_over(day: Day, referral: Referral, doctor: Actor) -> None:
    with acting(doctor):
        taken = referrals.receive_back(referral=referral, actor=doctor)
        rows = referral_queries.follow_ups_of(referral=taken)
    for row in rows:
        morning = datetime.combine(row.due_on, time(9, 0), CHINA)
        at = max(day.later(morning, (0, 9000)), timezone.now() + timedelta(minutes=5))
        day.agenda.put(at, "follow-up", partial(_follow_up, day, row, doctor))


def _follow_up(day: Day, row: object, doctor: Actor) -> None:
    systolic = int(day.rng.integers(116, 146))
    findings = Findings(systolic=systolic, diastolic=systolic - 52, pulse=72, adherence="good", advice="继续原方案。")
    with acting(doctor):
        referrals.complete_follow_up(follow_up=row, findings=findings, actor=doctor)  # type: ignore[arg-type]
