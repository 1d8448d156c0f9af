"""What forms and dialogs of a referral let choose from."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, down_aims, down_queries, queries
from doorstep.care.referrals.actions.details import place_standing
from doorstep.care.referrals.actions.sending import KINDS_OF
from doorstep.care.referrals.actions.treating import default_receiver
from doorstep.care.referrals.fitting import fits, words_that_fit
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.record_facts import TRAVELS, known_of, packet_line
from doorstep.care.referrals.states import AT_RECEIVER
from doorstep.coordination.beds import queries as beds
from doorstep.coordination.scheduling import halfdays
from doorstep.coordination.scheduling import queries as slots
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.rules import Quota
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.formats import moment_short
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations.rules import sees_patients
from doorstep.people.workforce import queries as workforce

# How far ahead the office looks for a free place; platform default.
SLOTS_AHEAD = timedelta(days=14)
# More than anybody ticks.
_TICKED = 300
# Hospitals come first by their tier; centres, rehabilitation and care homes after them.
_TARGETS = ("hospital", "township-center", "community-center", "care-home")


def signed_of(referral: Referral) -> list[int]:
    """The hospitals of the resident's contract."""
    return benefits.signed_targets(resident_id=referral.resident_id, day=timezone.localdate())


def booked_of(referral: Referral, *, actor: Actor) -> str:
    """Where and when a referral that came back is booked still; "" when nothing is."""
    booking = place_standing(referral, actor=actor)
    return f"{referral.appointment_text} {moment_short(booking.slot.starts_at)}" if booking is not None else ""


def declined_before(referral: Referral) -> dict[str, str]:
    """Why the earlier request was not taken and what was offered instead; {} where it was not declined."""
    earlier = (
        Referral.objects.filter(pk=referral.previous_id).select_related("target").first()
        if referral.previous_id
        else None
    )
    if earlier is None or not earlier.decline_code:
        return {}
    reason = _(str(Referral.DeclineReason(earlier.decline_code).label))
    unit = earlier.target.name if earlier.target else ""
    return {"why": f"{unit}：{reason}" if unit else reason, "instead": earlier.alternative}


def chosen_of(referral: Referral, posted: Any) -> dict[str, list[tuple[int, str]]]:
    """The choices of a form that is sent: those alone that it names, as far as they may be named, and those that stand already."""
    ids = {name: _whole(posted.get(name)) for name in ("target_id", "reviewer_id", "department_id", "expert_id")}
    found = queries.names_of(
        named=queries.Named(**ids), source=referral.source, kinds=_TARGETS, day=timezone.localdate()
    )
    for name, key in ids.items():
        if key is not None and not found[name] and key == getattr(referral, name):
            found[name] = [(key, "")]
    return found


def _whole(text: Any) -> int | None:
    return int(text) if text and str(text).isdecimal() and len(str(text)) < 19 else None


def departments_of(referral: Referral) -> list[tuple[int, str]]:
    """The departments of the unit to which a patient can go: those of 医疗机构诊疗科目名录 that see patients, never an office."""
    found = [
        one
        for one in organizations.departments(organization_id=referral.target_id or 0)
        if sees_patients(code=one.code, name=one.name)
    ]
    words = words_of(referral)
    return [(one.id, one.name) for one in sorted(found, key=lambda one: not fits(one.name, words))]


def words_of(referral: Referral) -> tuple[str, ...]:
    """Parts of the names of clinics and wards that come first: the expert or department that is asked for, else what fits the impression."""
    named = referral.expert.name if referral.expert else referral.department.name if referral.department else ""
    # A ward of 心内科 is called 心血管内科: the fitting words stay beside the department's own name.
    fitting = words_that_fit(
        code=referral.impression_code, center=referral.green_center, impression=referral.impression
    )
    return ((named,) if named else ()) + (() if referral.expert else fitting)


def experts_of(referral: Referral) -> list[tuple[int, str]]:
    """The specialists of the unit to which the patient goes, who may be asked for by name."""
    if referral.target_id is None:
        return []
    staff = workforce.staff_of(organization_id=referral.target_id, day=timezone.localdate())
    found = [
        (one.practitioner_id, f"{one.practitioner.name} {one.practitioner.title}".strip())
        for one in staff
        if one.role == "specialist"
    ]
    if referral.expert is not None and referral.expert_id not in {one[0] for one in found}:
        found.append((referral.expert.id, referral.expert.name))
    return found[:80]


def beds_of(referral: Referral) -> list[tuple[str, str]]:
    """The free beds of the unit that has the patient next, of the kind that the patient goes to, and the one kept for this referral."""
    back = referral.state in AT_RECEIVER
    unit = referral.receiver_id if back else referral.target_id
    kinds = down_aims.AIMS[referral.goes_to].wards if back and referral.goes_to else ()
    found = beds.free_beds(organization_ids=[unit or 0], kept_for=referral.subject, kinds=kinds)
    words = words_of(referral)
    found.sort(key=lambda one: (one.state != "held", not fits(one.ward.name, words)))
    kept = _("（已预留）")
    return [(str(one.key), f"{one.ward.name} {one.number}" + (kept if one.state == "held" else "")) for one in found]


def slots_of(referral: Referral, *, actor: Actor) -> list[SlotChoice]:
    """Free places of the unit's clinics for referrals, soonest first: of the department asked for, else of the whole house; the expert
    asked for, or what fits the impression, comes before the others."""
    found: list[SlotChoice] = []
    for department in dict.fromkeys((referral.department_id, None)):
        found = found or slots.free_slots(
            organization_ids=[referral.target_id or 0],
            origin=Quota.REFERRAL.value,
            until=timezone.now() + SLOTS_AHEAD,
            department_id=department,
            actor=actor,
            fitting=words_of(referral),
        )
    return found


def days_of(found: Sequence[SlotChoice], *, most: int) -> list[SlotChoice]:
    """The first place of each half day and doctor, so that few lines on a phone are several days and not one morning's half hours."""
    first: dict[tuple[str, str], SlotChoice] = {}
    for slot in found:
        half_day = halfdays.named(department_id=slot.department_id, starts_at=slot.starts_at)
        first.setdefault((half_day, slot.who), slot)
    return list(first.values())[:most]


def packet_for(referral: Referral, *, actor: Actor) -> list[dict[str, Any]]:
    """What the sender may put into the packet, newest first, with what was chosen marked."""
    known = known_of(resident_id=referral.resident_id, origin_reference="", actor=actor)
    chosen = {line["reference"] for line in referral.packet}
    lines = [
        *known.packet,
        *(one for one in referral.packet if one["reference"] not in {line["reference"] for line in known.packet}),
    ]
    return [{**line, "chosen": line["reference"] in chosen} for line in lines]


def ticked_of(referral: Referral, *, wanted: Iterable[str]) -> list[dict[str, Any]]:
    """The lines of the packet that were ticked, as the record names them now; one that it does not hold stays as it was."""
    day, references = timezone.localdate(), sorted(one for one in set(wanted) if one.partition("/")[0] in TRAVELS)
    entries = record.chosen(resident_id=referral.resident_id, references=references, types=(), limit=_TICKED)
    lines = [packet_line(entry, day=day) for entry in entries]
    found = {line["reference"] for line in lines}
    return [*lines, *(one for one in referral.packet if one["reference"] in set(references) - found)]


def targets_for(referral: Referral, *, signed: list[int] | None = None) -> list[tuple[int, str]]:
    """The units one may refer to: hospitals, the resident's own (`signed`) first, then centres and care homes."""
    own = signed or []
    units = organizations.search(text="", kinds=_TARGETS, limit=200)
    # Hospitals first, the higher ones on top; centres and care homes after them.
    fitting, near = KINDS_OF.get(referral.aim, ()), (referral.source.parent_id, referral.source_id)
    rehabilitates = referral.aim == Referral.Aim.REHABILITATION
    able = down_queries.rehabilitating() if rehabilitates else set()
    units.sort(
        key=lambda one: (
            one.kind not in fitting,
            rehabilitates and one.id not in able,
            rehabilitates and "康复" not in one.name,
            # The own township first: nobody is sent to a clinic across the county.
            bool(fitting) and one.id not in near,
            one.kind != _TARGETS[0],
            -one.tier,
        )
    )
    found = [(one.id, one.name) for one in units if one.id != referral.source_id]
    if referral.target is not None and referral.target_id not in {one[0] for one in found}:
        found.append((referral.target.id, referral.target.name))
    # Who goes to a centre's clinic or a care home does not go to the hospital of the contract.
    ranked = (
        found
        if fitting or rehabilitates
        else sorted(found, key=lambda one: own.index(one[0]) if one[0] in own else len(own))
    )
    notes = dict.fromkeys(able, _("（可康复）")) | dict.fromkeys(own, _("（签约医院）"))
    both = _("（签约医院，可康复）")
    return [(key, name + (both if key in able and key in own else notes.get(key, ""))) for key, name in ranked]


def target_for_aim(referral: Referral) -> int | None:
    """The unit that the form proposes: the one chosen where it fits the aim, else the first that does."""
    fitting = KINDS_OF.get(referral.aim, ())
    if referral.aim == Referral.Aim.REHABILITATION:
        able = down_queries.rehabilitating()
        # The hospital of the contract stood there by itself; another that can was chosen.
        if referral.target_id in able - set(signed_of(referral)):
            return referral.target_id
        return next((key for key, _name in targets_for(referral) if key in able), referral.target_id)
    if not fitting or (referral.target is not None and referral.target.kind in fitting):
        return referral.target_id
    offered = [key for key, _name in targets_for(referral)]
    kinds = {one.id: one.kind for one in organizations.several(ids=offered)}
    return next((key for key in offered if kinds.get(key) in fitting), referral.target_id)


def receiver_for(referral: Referral) -> int | None:
    """The unit to which the patient goes home."""
    return default_receiver(referral)


def reviewers_for(referral: Referral) -> list[tuple[int, str]]:
    """Who may review the referral."""
    units = [one for one in (referral.source_id, referral.source.parent_id) if one is not None]
    found = queries.reviewers(organization_ids=units, day=timezone.localdate())
    if referral.reviewer is not None and referral.reviewer_id not in {one[0] for one in found}:
        found.insert(0, (referral.reviewer.id, referral.reviewer.name))
    return found


def question_of(referral: Referral) -> benefits.Question:
    """The question of benefits as the form stands now."""
    return benefits.Question(
        resident_id=referral.resident_id,
        target_id=referral.target_id,
        kind=referral.kind,
        critical=referral.critical,
        day=timezone.localdate(),
        direction=referral.direction,
    )
