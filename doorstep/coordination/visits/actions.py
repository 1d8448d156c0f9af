"""Opening a visit, measuring, finishing."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.visits import pregnancy, queries, rules
from doorstep.coordination.visits.events import PregnancySaid, VitalsRecorded
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.observations import to_observations, to_pregnancy, to_withdrawn
from doorstep.coordination.visits.permissions import Permission
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import queries as entries
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import actions as residents
from doorstep.people.residents import queries as resident_queries
from doorstep.people.residents.rules import age_on

# How long a visit lets its unit read the record: results come back, the resident comes again.
OPEN_FOR = timedelta(days=30)


@transaction.atomic
def open_visit(
    *,
    resident_id: int,
    actor: Actor,
    presence_id: int | None = None,
    complaint: str = "",
    kind: Visit.Kind = Visit.Kind.OUTPATIENT,
) -> Visit:
    """Begin to see a resident: opens the relationship of the visit, puts the resident on the unit's panel.

    Needs a proof of presence of the last 30 minutes or a live contract with the unit; raises NotFound without either.
    Returns the visit in progress when the unit has one of today; one left open on an earlier day is finished first.
    """
    actor.check(Permission.VISIT_OPEN)
    if actor.organization_id is None:
        raise NotFound()
    resident_queries.check_living(resident_id=resident_id)
    running = queries.open_visit_of(resident_id=resident_id, organization_id=actor.organization_id)
    if running is not None and running.created_at >= queries.midnight():
        return running
    if running is not None:
        finish(visit=running, actor=actor)
    visit = Visit(
        resident_id=resident_id,
        organization_id=actor.organization_id,
        practitioner_id=actor.practitioner_id,
        kind=kind,
        complaint=complaint.strip()[:400],
    )
    access.open_relationship(
        resident_id=resident_id,
        organization_id=actor.organization_id,
        reason=CareRelationship.Reason.VISIT,
        episode=visit.subject,
        closes_at=timezone.now() + OPEN_FOR,
        presence_id=presence_id,
        basis=visit.complaint,
        actor=actor,
    )
    visit.resident = resident_queries.get(resident_id=resident_id)
    visit.organization = organizations.get(organization_id=actor.organization_id)
    residents.add_to_panel(resident=visit.resident, organization_id=actor.organization_id, actor=actor)
    try:
        with transaction.atomic():
            return workflow.begin(visit, "open", actor=actor)
    except IntegrityError as error:
        raise Conflict(_("本单位的同事刚刚为这位居民开始了接诊。请刷新后继续。")) from error


@dataclass(frozen=True, slots=True)
class Measured:
    """What was written: the ids of the Observations, and the danger that the values show, if any."""

    observation_ids: tuple[str, ...]
    danger: rules.Danger | None


@transaction.atomic
def record_vitals(
    *,
    visit: Visit,
    actor: Actor,
    systolic: Decimal | int | None = None,
    diastolic: Decimal | int | None = None,
    heart_rate: Decimal | int | None = None,
    respiration: Decimal | int | None = None,
    temperature: Decimal | None = None,
    oxygen: Decimal | int | None = None,
    weight: Decimal | None = None,
    height: Decimal | None = None,
    glucose: Decimal | None = None,
    confirmed: bool = False,
) -> Measured:
    """Write what was measured during a visit: mmHg, per minute, °C, %, kg, cm, mmol/L.

    Raises Refused with the field: an impossible value always, an implausible one until it is `confirmed`.
    """
    actor.check(Permission.VITALS_RECORD)
    if not actor.reaches(visit.organization_id):
        raise NotFound()
    if visit.state != "in_progress":
        raise Conflict(_("这次接诊已经结束，不能再补录测量值。请重新接诊后录入。"))
    given = {
        "systolic": systolic,
        "diastolic": diastolic,
        "heart_rate": heart_rate,
        "respiration": respiration,
        "temperature": temperature,
        "oxygen": oxygen,
        "weight": weight,
        "height": height,
        "glucose": glucose,
    }
    values = {name: Decimal(str(value)) for name, value in given.items() if value is not None}
    _check(values, confirmed=confirmed)
    now = timezone.now()
    published = to_observations(visit, values, at=now)
    for one in published:
        record.publish(one, resident_id=visit.resident_id, actor=actor)
    expecting = is_asked_for_pregnancy(visit) and queries.pregnancy_known(resident_id=visit.resident_id) is not None
    danger = rules.danger_of(systolic=values.get("systolic"), diastolic=values.get("diastolic"), expecting=expecting)
    _tell(visit, values, danger=danger is not None, actor=actor)
    return Measured(tuple(one.content["id"] for one in published), danger)


@transaction.atomic
def record_pregnancy(
    *, visit: Visit, actor: Actor, status: str, last_period: date | None = None, delivered: date | None = None
) -> str:
    """Write what was said of a pregnancy during a visit, `status` one of `pregnancy.STATUSES`; returns the id of the Observation.

    The criteria of referrals read it from the record until it ends by itself. Raises Refused with the field: for somebody who is not
    asked, for a status that does not exist, and for a date that cannot be.
    """
    actor.check(Permission.VITALS_RECORD)
    if not actor.reaches(visit.organization_id):
        raise NotFound()
    if visit.state != "in_progress":
        raise Conflict(_("这次接诊已经结束，不能再补录测量值。请重新接诊后录入。"))
    today = timezone.localdate()
    faults = pregnancy.faults_of(
        status=status,
        last_period=last_period if status == pregnancy.PREGNANT else None,
        delivered=delivered if status == pregnancy.NURSING else None,
        asked=is_asked_for_pregnancy(visit),
        day=today,
    )
    if status not in pregnancy.STATUSES:
        faults["pregnancy"] = _("请从列表中选择妊娠与哺乳情况。")
    if faults:
        raise Refused(_("妊娠与哺乳情况有误，没有保存。"), fields=faults)
    since = {pregnancy.PREGNANT: last_period, pregnancy.NURSING: delivered}.get(status)
    said = pregnancy.Said(status=status, on=today, since=since)
    published = to_pregnancy(visit, said, at=timezone.now())
    record.publish(published, resident_id=visit.resident_id, actor=actor)
    facts = {"status": status, "since": since.isoformat() if since else ""}
    events.publish(
        PregnancySaid(
            subject=visit.subject,
            subject_id=visit.pk,
            resident_id=visit.resident_id,
            organization_id=visit.organization_id,
            consortium_id=visit.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
    audit.record(
        action="visit.pregnancy", actor=actor, subject=visit.subject, resident_id=visit.resident_id, details=facts
    )
    return str(published.content["id"])


def is_asked_for_pregnancy(visit: Visit) -> bool:
    """Whether the page of a visit asks for it: of women of an age."""
    resident = visit.resident
    return pregnancy.is_asked(gender=resident.gender, age=age_on(resident.birth_date, timezone.localdate()))


def _tell(visit: Visit, values: dict[str, Decimal], *, danger: bool, actor: Actor) -> None:
    facts = {name: str(value) for name, value in values.items()}
    events.publish(
        VitalsRecorded(
            subject=visit.subject,
            subject_id=visit.pk,
            resident_id=visit.resident_id,
            organization_id=visit.organization_id,
            consortium_id=visit.consortium_id,
            user_id=actor.user_id,
            details={**facts, "danger": danger},
        )
    )
    audit.record(
        action="visit.vitals", actor=actor, subject=visit.subject, resident_id=visit.resident_id, details=facts
    )


def _check(values: dict[str, Decimal], *, confirmed: bool) -> None:
    faults = rules.faults_of(values)
    if faults.impossible:
        raise Refused(_("测量值有误，没有保存。"), fields={**faults.doubtful, **faults.impossible})
    if faults.doubtful and not confirmed:
        raise Refused(_("有测量值不常见，请确认。"), fields=faults.doubtful, code="confirm")


def finish(*, visit: Visit, actor: Actor) -> Visit:
    """End the visit; what was opened for it stays open until its own day, but sensitive entries are veiled again."""
    access.close_sensitive(resident_id=visit.resident_id, actor=actor)
    return workflow.apply(visit, "finish", actor=actor, values={"ended_at": timezone.now()})


def void(*, visit: Visit, reason: str, actor: Actor) -> Visit:
    """Mark a visit that was opened by mistake, and what was measured in it, with the reason; its relationship ends now."""
    voided = workflow.apply(visit, "void", actor=actor, reason=reason)
    measured = entries.of_episode(episode=visit.subject, types=("Observation",))
    record.write([Row(published=to_withdrawn(one), resident_id=visit.resident_id) for one in measured], actor=actor)
    access.close_relationship(
        resident_id=visit.resident_id,
        reason=CareRelationship.Reason.VISIT,
        episode=visit.subject,
        actor=actor,
    )
    return voided
