"""Days in the clinics: visits with presence and pressure, ECGs to the centre, critical values, and the way up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from django.utils import timezone

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.diagnosis import queries as diagnosis_queries
from doorstep.care.diagnosis.models import CriticalValue, EcgOrder
from doorstep.care.referrals import actions as referrals
from doorstep.care.referrals.actions import Consent
from doorstep.care.referrals.models import Referral
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.models import Visit
from doorstep.demo.cast import actor_of_practitioner, colleague
from doorstep.demo.county import heroes
from doorstep.demo.county.clock import Act, PlannedAct
from doorstep.demo.county.residents import HEROES
from doorstep.demo.living.agenda import Agenda, NobodyThere
from doorstep.demo.tracings import TRACINGS, Tracing, recording_of
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents import actions as residents
from doorstep.people.residents.models import Resident

COMPLAINTS = {"I10": "高血压随访", "E11.900": "糖尿病随访", "R07.400": "胸闷、胸痛", "R53": "乏力不适"}
IMPRESSIONS = {"I21.900": "急性心肌梗死可能", "I47.200": "室性心动过速", "I10": "原发性高血压", "R53": "乏力待查"}
_CRITICAL: dict[str, object] = {
    "present_illness": "突发胸闷胸痛，心电图提示危急，需立即上转。", "bed_requested": True,
}  # fmt: skip
_ORDINARY: dict[str, object] = {
    "kind": "ordinary", "present_illness": "规范治疗 3 个月症状控制不佳，请上级医院评估并调整方案。", "bed_requested": True,
}  # fmt: skip
_READERS = (heroes.ECG_READER, heroes.SECOND_ECG_READER)
# How people work [own choice]: seconds from, to; and the share that takes longer than the clock allows.
_UPLOAD, _WAIT, _LONG_WAIT, _READ = (40, 170), (60, 400), (620, 900), (60, 165)
_ANSWER, _LATE_ANSWER, _DISPOSAL = (25, 230), (320, 560), (240, 1500)
_LATE_READINGS, _LATE_ANSWERS = 0.06, 0.15
_STAY = (600, 2400)

Course = Callable[["Day", Referral, datetime], None]
# What follows when a resident leaves a doctor.
Leaving = Callable[["Day", Resident, Actor], None]


@dataclass(slots=True)
class Day:
    """One planned day being lived: what later acts follow from, by position in the plan."""

    agenda: Agenda
    plan: list[PlannedAct]
    rng: np.random.Generator
    course: Course
    leaving: Leaving
    visits: dict[int, Visit] = field(default_factory=dict)
    orders: dict[int, EcgOrder] = field(default_factory=dict)
    signed_at: dict[int, datetime] = field(default_factory=dict)

    def begin(self) -> None:
        """Put the plan's acts on the agenda; the heroes of the demonstration are left as they are."""
        for position, act in enumerate(self.plan):
            if act.resident_id > HEROES:
                self.agenda.put(act.at, act.act.value, partial(_ACTS[act.act], self, position, act))

    def later(self, at: datetime, span: tuple[int, int]) -> datetime:
        """An instant so many seconds after another, drawn evenly."""
        return at + timedelta(seconds=int(self.rng.integers(*span)))

    def happens(self, share: float) -> bool:
        """Whether something of this share happens now."""
        return bool(self.rng.random() < share)


def _visit(day: Day, position: int, act: PlannedAct) -> None:
    """Presence, the visit, the pressure; the visit ends when what follows from it is done."""
    actor = actor_of_practitioner(act.practitioner_id)
    resident = resident_of(act.resident_id)
    with acting(actor):
        visit = visits.open_visit(
            resident_id=resident.pk,
            actor=actor,
            presence_id=_presence(resident, actor),
            complaint=COMPLAINTS.get(act.code, "复诊"),
        )
        if act.systolic and act.diastolic:
            visits.record_vitals(
                visit=visit, actor=actor, systolic=act.systolic, diastolic=act.diastolic, confirmed=True
            )
    day.visits[position] = visit
    day.agenda.put(day.later(act.at, _STAY), "visit-end", partial(_finish, visit, actor))
    if act.act is Act.VISIT:
        day.leaving(day, resident, actor)


def _finish(visit: Visit, actor: Actor) -> None:
    with acting(actor):
        visits.finish(visit=visit, actor=actor)


def _order(day: Day, position: int, act: PlannedAct) -> None:
    """The order; the cart's file follows, then the centre."""
    actor = actor_of_practitioner(act.practitioner_id)
    visit = day.visits.get(-1 if act.after is None else act.after)
    if visit is None:
        raise NobodyThere()
    with acting(actor):
        order = diagnosis.order_after_look(
            visit=visit, actor=actor, indication=COMPLAINTS.get(act.code, "心悸"), repeat_reason="R1"
        )
    day.agenda.put(day.later(act.at, _UPLOAD), "ecg-upload", partial(_upload, day, position, act, order, actor))


def _upload(day: Day, position: int, act: PlannedAct, order: EcgOrder, actor: Actor) -> None:
    tracing, now = TRACINGS[act.trace], timezone.now().replace(microsecond=0)
    seed = int(now.timestamp()) % 100_000 + position
    data = recording_of(resident_of(act.resident_id), tracing.kind, seed=seed, taken_at=now - timedelta(minutes=1))
    with acting(actor):
        sent = diagnosis.attach_recording(order=order, data=data, name=f"ecg-{position}.dcm", actor=actor)
    reader = actor_of_practitioner(_READERS[position % len(_READERS)])
    wait = _LONG_WAIT if day.happens(_LATE_READINGS) else _WAIT
    day.agenda.put(day.later(now, wait), "ecg-claim", partial(_claim, day, position, sent, tracing, reader))


def _claim(day: Day, position: int, order: EcgOrder, tracing: Tracing, reader: Actor) -> None:
    with acting(reader):
        claimed = diagnosis.claim(order=order, actor=reader)
    at = day.later(timezone.now(), _READ)
    day.agenda.put(at, "ecg-sign", partial(_sign, day, position, claimed, tracing, reader))


def _sign(day: Day, position: int, order: EcgOrder, tracing: Tracing, reader: Actor) -> None:
    with acting(reader):
        signed = diagnosis.sign(order=order, report=tracing.report, measurements_confirmed=True, actor=reader)
        critical = diagnosis_queries.open_critical_of(order=signed)
    now = timezone.now()
    day.orders[position], day.signed_at[position] = signed, now
    if critical is None:
        return
    doctor, span = actor_of_practitioner(day.plan[position].practitioner_id), _ANSWER
    if day.happens(_LATE_ANSWERS):
        # The clinic does not look: after five minutes the unit above has it.
        doctor, span = (
            colleague(above=order.source_id, roles=("township_duty", "family_doctor")) or doctor,
            _LATE_ANSWER,
        )
    day.agenda.put(day.later(now, span), "critical-read", partial(_acknowledge, day, critical, doctor))


def _acknowledge(day: Day, critical: CriticalValue, doctor: Actor) -> None:
    with acting(doctor):
        taken = diagnosis.acknowledge(critical=critical, actor=doctor)
    day.agenda.put(day.later(timezone.now(), _DISPOSAL), "critical-end", partial(_dispose, taken, doctor))


def _dispose(critical: CriticalValue, doctor: Actor) -> None:
    with acting(doctor):
        diagnosis.close_critical(
            critical=critical, action=CriticalValue.Action.REFERRED, note="已联系患者，立即上转。", actor=doctor
        )


def _refer(day: Day, position: int, act: PlannedAct) -> None:
    """A referral with everything the record knows and the patient's consent: after a critical report, or after a visit."""
    cause = -1 if act.after is None else act.after
    if cause in day.visits:
        _send(day, act, origin=("", ""), values=_ORDINARY)
    elif cause in day.signed_at:
        order = day.orders[cause]
        _send(day, act, origin=(f"DiagnosticReport/{order.key}", order.subject), values=_CRITICAL)
    elif timezone.now() - act.at > timedelta(hours=1):
        raise NobodyThere()
    else:
        # The report is not there yet.
        day.agenda.put(timezone.now() + timedelta(minutes=3), act.act.value, partial(_refer, day, position, act))


def _send(day: Day, act: PlannedAct, *, origin: tuple[str, str], values: dict[str, object]) -> None:
    actor, resident = actor_of_practitioner(act.practitioner_id), resident_of(act.resident_id)
    with acting(actor):
        draft = referrals.draft_from_record(
            resident=resident, actor=actor, origin_reference=origin[0], origin_subject=origin[1]
        )
        facts = {
            **values,
            "target_id": act.target_organization_id,
            "impression_code": act.code,
            "impression": IMPRESSIONS.get(act.code, "待查"),
        }
        draft = referrals.revise(referral=draft, actor=actor, values=facts)
        sent = referrals.submit(referral=draft, consent=Consent(signer=resident.name, relation="self"), actor=actor)
    day.course(day, sent, timezone.now())


_ACTS: dict[Act, Callable[[Day, int, PlannedAct], None]] = {
    Act.VISIT: _visit,
    Act.FOLLOW_UP: _visit,
    Act.ECG_ORDER: _order,
    Act.REFERRAL_UP: _refer,
}


def resident_of(resident_id: int) -> Resident:
    """The resident, whom the simulator knows as the county's maker."""
    with acting(system_actor(Purpose.IMPORT)):
        return Resident.objects.get(id=resident_id)


def _presence(resident: Resident, actor: Actor) -> int:
    """The number of the id card and the end of the phone, as the resident would say them."""
    answer = residents.prove_presence(
        number=resident.national_id, name=resident.name, phone_last_four=resident.phone[-4:], actor=actor
    )
    if answer.presence_id is None:
        raise NobodyThere()
    return answer.presence_id
