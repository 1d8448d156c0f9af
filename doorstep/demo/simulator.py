"""The simulator: carries out a planned day through the same actions that the pages call, as the people of the plan.

What is done is done now: the actions take the server's clock, and clocks, escalations and reports follow for real.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.referrals import actions as referrals
from doorstep.care.referrals.actions import Consent
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.models import Visit
from doorstep.demo.cast import actor_of_practitioner
from doorstep.demo.county import heroes
from doorstep.demo.county.clock import Act, PlannedAct
from doorstep.demo.tracings import TRACINGS, read_and_sign, recording_of
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents import actions as residents
from doorstep.people.residents.models import Resident

_COMPLAINTS = {"I10": "高血压随访", "E11.900": "糖尿病随访", "R07.400": "胸闷、胸痛", "R53": "乏力不适"}
_IMPRESSIONS = {"I21.900": "急性心肌梗死可能", "I47.200": "室性心动过速"}
_READERS = (heroes.ECG_READER, heroes.SECOND_ECG_READER)
# A recording is a few minutes older than its arrival; numbers of acts keep two of one resident apart.
_TAKEN_AGO = timedelta(minutes=4)


class _NobodyThere(Exception):
    """The resident cannot prove to be there: no number, or the clinic's own phone."""


@dataclass(slots=True)
class Done:
    """What came of a plan: acts done and refused by kind, with the sentence of each refusal."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Day:
    """The things that later acts of the day follow from, by position in the plan."""

    plan: list[PlannedAct]
    visits: dict[int, Visit] = field(default_factory=dict)
    orders: dict[int, EcgOrder] = field(default_factory=dict)


def simulate(plan: list[PlannedAct], *, limit: int | None = None) -> Done:
    """Carry out the plan, or its first `limit` acts; an act that is refused is counted and the day goes on."""
    day, outcome = _Day(plan), Done()
    for position, act in enumerate(plan[:limit]):
        try:
            _ACTS[act.act](day, position, act)
            outcome.done[act.act.value] += 1
        except (Refused, _NobodyThere, User.DoesNotExist) as error:
            outcome.refused[act.act.value] += 1
            outcome.reasons[str(error) or type(error).__name__] += 1
    return outcome


def _visit(day: _Day, position: int, act: PlannedAct) -> None:
    """Presence, the visit, the pressure; the visit stays open for what follows from it."""
    actor = actor_of_practitioner(act.practitioner_id)
    resident = _resident(act.resident_id)
    with acting(actor):
        day.visits[position] = visits.open_visit(
            resident_id=resident.pk,
            actor=actor,
            presence_id=_presence(resident, actor),
            complaint=_COMPLAINTS.get(act.code, "复诊"),
        )
        if act.systolic and act.diastolic:
            visits.record_vitals(
                visit=day.visits[position],
                actor=actor,
                systolic=act.systolic,
                diastolic=act.diastolic,
                confirmed=True,
            )
    if not any(later.after == position for later in day.plan):
        with acting(actor):
            visits.finish(visit=day.visits[position], actor=actor)


def _ecg(day: _Day, position: int, act: PlannedAct) -> None:
    """The order, the cart's file, the reading and the signature."""
    actor = actor_of_practitioner(act.practitioner_id)
    visit = day.visits.get(-1 if act.after is None else act.after)
    if visit is None:
        raise _NobodyThere()
    resident, tracing = _resident(act.resident_id), TRACINGS[act.trace]
    now = timezone.now().replace(microsecond=0)
    data = recording_of(
        resident, tracing.kind, seed=int(now.timestamp()) % 100_000 + position, taken_at=now - _TAKEN_AGO
    )
    with acting(actor):
        order = diagnosis.order_ecg(visit=visit, actor=actor, indication=_COMPLAINTS.get(act.code, "心悸"))
        order = diagnosis.attach_recording(order=order, data=data, name=f"ecg-{position}.dcm", actor=actor)
    day.orders[position] = read_and_sign(order, tracing, practitioner_id=_READERS[position % len(_READERS)])


def _referral(day: _Day, position: int, act: PlannedAct) -> None:
    """A referral with everything the record knows, a bed asked for, and the patient's consent."""
    actor = actor_of_practitioner(act.practitioner_id)
    order = day.orders.get(-1 if act.after is None else act.after)
    if order is None:
        raise _NobodyThere()
    resident = _resident(act.resident_id)
    with acting(actor):
        draft = referrals.draft_from_record(
            resident=resident,
            actor=actor,
            origin_reference=f"DiagnosticReport/{order.key}",
            origin_subject=order.subject,
        )
        values = {
            "target_id": act.target_organization_id,
            "impression_code": act.code,
            "impression": _IMPRESSIONS.get(act.code, "待查"),
            "present_illness": "突发胸闷胸痛，心电图提示危急，需立即上转。",
            "bed_requested": True,
        }
        draft = referrals.revise(referral=draft, actor=actor, values=values)
        referrals.submit(referral=draft, consent=Consent(signer=resident.name, relation="self"), actor=actor)


_ACTS: dict[Act, Callable[[_Day, int, PlannedAct], None]] = {
    Act.VISIT: _visit,
    Act.FOLLOW_UP: _visit,
    Act.ECG_ORDER: _ecg,
    Act.REFERRAL_UP: _referral,
}


def _resident(resident_id: int) -> Resident:
    """The resident, whom the simulator knows as the county's maker."""
    with acting(system_actor(Purpose.IMPORT)):
        return Resident.objects.get(id=resident_id)


def _presence(resident: Resident, actor: Actor) -> int:
    """The number of the id card and the end of the phone, as the resident would say them."""
    answer = residents.prove_presence(
        number=resident.national_id, name=resident.name, phone_last_four=resident.phone[-4:], actor=actor
    )
    if answer.presence_id is None:
        raise _NobodyThere()
    return answer.presence_id
