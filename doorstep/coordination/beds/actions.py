"""Every write of beds: setting up, keeping and giving back, lying in and leaving, rounds, and the waiting list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.beds.models import Bed, BedRequest, Stay, Ward
from doorstep.coordination.beds.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.remembered import Remembered
from doorstep.kernel.database.savepoints import apart
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents.models import Resident

# A predicted day of leaving further away than this is a slip of the hand; platform default.
LONGEST_STAY = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """For whom and how urgently a bed is asked: priority 0 ordinary, 1 urgent, 2 green, 3 life at stake."""

    organization_id: int
    resident_id: int
    patient_name: str
    reference: str
    priority: int = 0
    department_id: int | None = None
    kind: str = Ward.Kind.GENERAL


@transaction.atomic
def open_ward(
    *,
    organization_id: int,
    name: str,
    beds: Sequence[str],
    actor: Actor,
    kind: str = Ward.Kind.GENERAL,
    department_id: int | None = None,
) -> Ward:
    """Open a ward with its beds; raises Refused when the name is taken or there are no beds."""
    actor.check(Permission.BED_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
    numbers = [number.strip() for number in dict.fromkeys(beds) if number.strip()]
    if not name.strip() or not numbers:
        raise Refused(_("病区信息不完整。"), fields={"name": _("请填写病区名称和至少一个床号。")})
    if Ward.objects.filter(organization_id=organization_id, name=name.strip()).exists():
        raise Refused(_("病区已存在。"), fields={"name": _("本院已有同名病区。")})
    ward = Ward.objects.create(
        organization_id=organization_id, name=name.strip()[:60], kind=kind, department_id=department_id
    )
    for number in numbers:
        workflow.begin(
            Bed(ward=ward, organization_id=organization_id, number=number[:12]),
            "set_up",
            actor=actor,
            details={"ward": ward.name, "bed": number},
        )
    return ward


@transaction.atomic
def hold(*, bed: Bed, reference: str, until: datetime, actor: Actor) -> Bed:
    """Keep a free bed for a thing until a moment; an earlier bed kept for the same thing is given back.

    Raises TransitionRefused when another was first, and says who.
    """
    if until <= timezone.now():
        raise Refused(_("预留时间已过。"), fields={"until": _("预留到期时间应晚于现在。")})
    release(reference=reference, actor=actor, reason=_("改留其他床位"))
    try:
        with transaction.atomic():
            return workflow.apply(
                bed,
                "hold",
                actor=actor,
                values={"held_for": reference[:80], "held_until": until},
                details=_facts(bed, reference=reference),
                due_at=until,
            )
    except IntegrityError as error:
        raise Conflict(_("该患者的床位刚由同事预留，请刷新后查看。")) from error


def extend(*, reference: str, until: datetime) -> int:
    """Keep the bed of a thing until another moment, once it is confirmed; returns how many beds."""
    return Bed.objects.filter(held_for=reference, state="held").update(held_until=until)


def release(*, reference: str, actor: Actor, reason: str) -> int:
    """Give back the bed kept for a thing, by whoever may end that thing; returns how many (0 when it had gone already)."""
    found = list(Bed.objects.filter(held_for=reference, state="held"))
    for bed in found:
        # The sender of a withdrawn referral is not of the ward: the bed falls free by itself.
        verb = "release" if actor.reaches(bed.organization_id) and actor.may(Permission.BED_MANAGE) else "run_out"
        _fall_free(bed, verb, actor=actor, reference=reference, reason=reason)
    return len(found)


def run_out_holds(*, actor: Actor, now: datetime | None = None) -> int:
    """Free the beds whose keeping has run out; returns how many."""
    late = Bed.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state="held", held_until__lte=now or timezone.now()
    )
    found = list(late.order_by("held_until")[:200])
    for bed in found:
        _fall_free(bed, "run_out", actor=actor, reference=bed.held_for, reason="")
    return len(found)


@transaction.atomic
def occupy(
    *,
    bed: Bed,
    resident: Resident,
    actor: Actor,
    reference: str = "",
    diagnosis: str = "",
    diagnosis_code: str = "",
    predicted_on: date | None = None,
    medicines: Sequence[Mapping[str, Any]] = (),
) -> Stay:
    """A patient lies in a free bed, or in the one kept for this reference, and brings these medicines along.

    Raises Conflict when the bed is kept for somebody else or the patient lies in another bed.
    """
    if bed.state == "held" and bed.held_for != reference:
        raise Conflict(_("这张床已为另一位患者预留。"))
    if Stay.objects.filter(resident=resident, left_at__isnull=True).exists():
        raise Conflict(_("该患者已在另一张床上，请先办理腾床或转床。"))
    _check_predicted(predicted_on)
    moved = workflow.apply(
        bed,
        "occupy",
        actor=actor,
        values={"held_for": "", "held_until": None},
        details=_facts(bed, reference=reference),
    )
    end_request(reference=reference, given=True, actor=actor, reason="")
    return _lay(
        Stay(
            bed=moved,
            organization_id=moved.organization_id,
            consortium_id=moved.consortium_id,
            resident=resident,
            resident_key=resident.key,
            patient_name=resident.name,
            attending_id=actor.practitioner_id,
            reference=reference[:80],
            diagnosis=diagnosis[:200],
            diagnosis_code=diagnosis_code[:16],
            predicted_on=predicted_on,
            medicines=[dict(line) for line in medicines],
        )
    )


def _lay(stay: Stay) -> Stay:
    """Write a stay; raises Conflict while another house, whose stays are not seen here, has not written that the patient left."""
    try:
        with transaction.atomic():
            stay.save(force_insert=True)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != "stay_one_per_resident":
            raise
        raise Conflict(_("该患者在其他机构的床位尚未办理腾床，请联系该机构办理，或先填写病区收治。")) from error
    return stay


@transaction.atomic
def leave(*, stay: Stay, actor: Actor) -> Stay:
    """The patient leaves; the bed is cleaned next. Leaving twice is no fault."""
    now = timezone.now()
    if not Stay.objects.filter(pk=stay.pk, left_at__isnull=True).update(left_at=now):
        return stay
    stay.left_at = now
    workflow.apply(stay.bed, "vacate", actor=actor, details=_facts(stay.bed, reference=stay.reference))
    return stay


def write_round(
    *,
    stay: Stay,
    said: Mapping[str, Any],
    actor: Actor,
    predicted_on: date | None = None,
    medicines: Sequence[Mapping[str, str]] | None = None,
) -> Stay:
    """Write what the ward's doctor says of a patient today: the facts that decide about going home."""
    actor.check(Permission.BED_MANAGE)
    if not actor.reaches(stay.organization_id) or stay.left_at is not None:
        raise NotFound()
    _check_predicted(predicted_on)
    values: dict[str, Any] = {"rounds": dict(said), "round_on": timezone.localdate(), "predicted_on": predicted_on}
    if medicines is not None:
        values["medicines"] = [dict(line) for line in medicines]
    Stay.objects.filter(pk=stay.pk).update(**values)
    for name, value in values.items():
        setattr(stay, name, value)
    audit.record(
        action="stay.round", actor=actor, subject=f"stay/{stay.key}", resident_id=stay.resident_id, details=dict(said)
    )
    return stay


@apart()
def ask(*, wanted: Wanted, actor: Actor) -> BedRequest:
    """Put a resident on the waiting list; asked again for the same thing it is the same place, at its new priority."""
    waiting = _WAITING.one(wanted.reference)
    if waiting is not None and waiting.organization_id == wanted.organization_id:
        BedRequest.objects.filter(pk=waiting.pk).update(priority=wanted.priority)
        return waiting
    if waiting is not None:
        end_request(reference=wanted.reference, given=False, actor=actor, reason=_("已改派到其他机构"))
    request = BedRequest(
        organization_id=wanted.organization_id,
        department_id=wanted.department_id,
        resident_id=wanted.resident_id,
        patient_name=wanted.patient_name[:60],
        reference=wanted.reference[:80],
        priority=wanted.priority,
        kind=wanted.kind,
    )
    return workflow.begin(request, "ask", actor=actor, details={"reference": wanted.reference})


_WAITING = Remembered(lambda reference: BedRequest.objects.filter(reference=reference, state="waiting").order_by("id"))


def end_request(*, reference: str, given: bool, actor: Actor, reason: str) -> int:
    """Take a thing from the waiting list: a bed was given, or none is needed; returns 0 when it did not wait."""
    waiting = BedRequest.objects.filter(reference=reference, state="waiting").first() if reference else None
    if waiting is None:
        return 0
    verb = "give" if given else "end"
    workflow.apply(
        waiting,
        verb,
        actor=actor,
        reason=reason or ("" if given else _("不再需要床位")),
        details={"reference": reference},
    )
    return 1


def move_bed(*, bed_key: UUID | str, verb: str, reason: str, actor: Actor) -> Bed:
    """Release, clean, close or reopen a bed by its verb; raises NotFound for another verb or another's bed."""
    bed = Bed.objects.filter(key=bed_key, organization_id__in=actor.reach).first()
    if bed is None or verb not in ("release", "ready", "close", "reopen"):
        raise NotFound()
    if verb == "release":
        return _fall_free(bed, verb, actor=actor, reference=bed.held_for, reason=reason)
    return workflow.apply(bed, verb, actor=actor, reason=reason, details=_facts(bed))


def _fall_free(bed: Bed, verb: str, *, actor: Actor, reference: str, reason: str) -> Bed:
    if verb == "run_out" and not actor.is_system:
        # Nobody of the ward acts: the end of the keeping is set to now and the clocks free it within seconds.
        Bed.objects.filter(pk=bed.pk, state="held").update(held_until=timezone.now())
        return bed
    return workflow.apply(
        bed,
        verb,
        actor=actor,
        reason=reason,
        values={"held_for": "", "held_until": None},
        details=_facts(bed, reference=reference),
    )


def _check_predicted(day: date | None) -> None:
    today = timezone.localdate()
    if day is not None and not today <= day <= today + LONGEST_STAY:
        raise Refused(_("预计出院日不对。"), fields={"predicted_on": _("预计出院日应在今天至 180 天之内。")})


def _facts(bed: Bed, *, reference: str = "") -> dict[str, Any]:
    return {"ward": bed.ward.name, "bed": bed.number, "reference": reference}


@transaction.atomic
def rename(*, resident_id: int, name: str, actor: Actor) -> int:
    """Bring the name in open requests and stays of a resident up to the record; returns how many rows changed."""
    waiting = BedRequest.objects.filter(resident_id=resident_id, state="waiting").exclude(patient_name=name)
    lying = Stay.objects.filter(resident_id=resident_id, left_at__isnull=True).exclude(patient_name=name)
    return waiting.update(patient_name=name) + lying.update(patient_name=name)
