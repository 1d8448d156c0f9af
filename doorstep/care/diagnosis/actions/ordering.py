"""Asking for an ECG, sending its recording, taking the order back."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import queries, states
from doorstep.care.diagnosis.device import publish_device
from doorstep.care.diagnosis.ecg.identity import check_identity
from doorstep.care.diagnosis.ecg.reading import fingerprint, read_recording
from doorstep.care.diagnosis.ecg.recording import Recording
from doorstep.care.diagnosis.ecg.refusals import EcgRefused
from doorstep.care.diagnosis.ecg.timing import doubt_of_time
from doorstep.care.diagnosis.models import CATEGORY, EcgOrder
from doorstep.care.diagnosis.permissions import Permission
from doorstep.coordination.notices import actions as notices
from doorstep.coordination.notices.audience import Audience
from doorstep.coordination.recognition import actions as recognition
from doorstep.coordination.recognition import rules
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.files import actions as files
from doorstep.kernel.jobs.outbox import defer
from doorstep.kernel.web.push import push
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents

# How long the centre keeps seeing the order and the resident's earlier ECGs.
OPEN_FOR = timedelta(days=30)
PREREAD_JOB = "doorstep.diagnosis.preread"
_MEDIA_TYPES = {"dicom": "application/dicom", "aecg": "application/xml"}
_URGENT = 2


@transaction.atomic
def order_ecg(
    *, actor: Actor, indication: str, visit: Visit | None = None, resident_id: int | None = None, urgent: bool = False
) -> EcgOrder:
    """Ask the consortium's ECG centre for a reading; the centre comes to see this order and earlier ECGs for 30 days.

    Returns the order that still waits for its recording when the unit has one for this resident. Raises Refused with the
    field when the indication is missing or the consortium has no centre, NotFound when the resident is not the actor's.
    """
    actor.check(Permission.ECG_ORDER)
    resident = residents.get(resident_id=visit.resident_id if visit else resident_id or 0)
    source_id = visit.organization_id if visit else actor.organization_id
    if source_id is None or not actor.reaches(source_id):
        raise NotFound()
    indication = indication.strip()
    if not indication:
        raise Refused(_("请填写申请理由。"), fields={"indication": _("请写明症状或检查目的，判读医师会据此阅图。")})
    waiting = queries.waiting_order(resident_id=resident.pk, source_id=source_id)
    if waiting is not None:
        return waiting
    center = organizations.shared_center(code="ECG")
    if center is None:
        raise Refused(_("医共体还没有登记心电诊断中心，暂时不能申请。请联系医共体管理员登记后再试。"))
    order = EcgOrder(
        resident=resident,
        visit=visit,
        visit_key=visit.key if visit else None,
        source=organizations.get(organization_id=source_id),
        center=center,
        ordered_by_id=actor.practitioner_id,
        ordered_by_user_id=actor.user_id,
        indication=indication[:400],
        urgent=urgent,
        queue_urgency=_URGENT if urgent else 0,
    )
    access.open_relationship(
        resident_id=resident.pk,
        organization_id=center.pk,
        reason=CareRelationship.Reason.ORDER,
        scope=CareRelationship.Scope.ORDER,
        episode=order.subject,
        category=CATEGORY,
        closes_at=timezone.now() + OPEN_FOR,
        basis=order.indication,
        actor=actor,
    )
    return workflow.begin(order, "order", actor=actor, details={"urgent": urgent})


@transaction.atomic
def order_after_look(
    *,
    visit: Visit,
    actor: Actor,
    indication: str,
    urgent: bool = False,
    repeat_reason: str = "",
    repeat_words: str = "",
) -> EcgOrder:
    """Ask for an ECG in a visit, and keep why when a result stands that could be recognised (国卫医发〔2022〕6号).

    Raises Refused with the field when such a result stands and no ground of the repeat is given; a dangerous result needs none.
    """
    actor.check(Permission.ECG_ORDER)
    standing = queries.standing_ecg(resident_id=visit.resident_id)
    faults = rules.reason_faults(reason=repeat_reason, words=repeat_words) if standing and not standing.critical else {}
    if faults:
        raise Refused(_("没有申请：请先看已有的结果。"), fields=faults)
    order = order_ecg(visit=visit, actor=actor, indication=indication, urgent=urgent)
    if standing and not standing.critical:
        recognition.record_repeat(
            resident=order.resident,
            standing=standing,
            episode=visit.subject,
            organization_id=visit.organization_id,
            order_key=order.key,
            reason=repeat_reason,
            words=repeat_words,
            actor=actor,
        )
    return order


@transaction.atomic
def recognise_result(*, visit: Visit, actor: Actor) -> None:
    """Keep that the ECG which stands is recognised in this visit and none is ordered; raises Conflict when none stands."""
    actor.check(Permission.ECG_ORDER)
    if not actor.reaches(visit.organization_id):
        raise NotFound()
    standing = queries.standing_ecg(resident_id=visit.resident_id)
    if standing is None:
        raise Conflict(_("这位居民没有在互认期限内的心电图，请重新申请。"))
    recognition.recognise(
        resident=visit.resident,
        standing=standing,
        episode=visit.subject,
        organization_id=visit.organization_id,
        actor=actor,
    )


@transaction.atomic
def attach_recording(
    *,
    order: EcgOrder,
    data: bytes,
    name: str,
    actor: Actor,
    confirm_missing_identity: bool = False,
    confirm_time: bool = False,
) -> EcgOrder:
    """Send the cart's file: the order goes to the centre's queue and its clock begins.

    Raises Refused with a sentence for the field `recording`: not an ECG, cut off, another person's, sent before; with code
    "confirm" for the field `confirm_missing_identity` when the file does not say whose it is, for `confirm_time` when it was
    not taken in this visit. Nothing is kept then.
    """
    locked = workflow.lock(order)
    if locked.machine.transition("submit", locked.state) is None:
        raise Conflict(_("这份申请已经上传过心电图，不能再次上传。如需再做一份，请新开申请。"))
    recording = _read(data)
    doubt = _check_doubts(locked, recording, person=confirm_missing_identity, time=confirm_time)
    mark = fingerprint(recording)
    _check_sent_before(locked, mark)
    stored = files.store(
        data=data,
        name=name,
        media_type=_MEDIA_TYPES[recording.format],
        resident_id=locked.resident_id,
        organization_id=locked.source_id,
        episode=locked.subject,
        category=CATEGORY,
        fingerprint=mark,
        actor=actor,
    )
    values = {
        "recording_id": stored.pk,
        "fingerprint": mark,
        "device_key": publish_device(recording.device, locked.source, actor=actor),
        "taken_at": recording.taken_at,
        "arrived_at": timezone.now(),
        "identity_note": doubt[:200],
        "preread": {},
        "preread_at": None,
        "queue_urgency": _URGENT if locked.urgent else 0,
    }
    sent = _submit(locked, values, details={"file": str(stored.key)}, actor=actor)
    defer(PREREAD_JOB, queue="preread", order_id=sent.pk)
    push(to=[f"organization:{sent.center_id}"], kind="ecg-queue", reference=str(sent.key))
    return sent


@transaction.atomic
def cancel(*, order: EcgOrder, reason: str, actor: Actor) -> EcgOrder:
    """Take an order back that nobody reads yet, with the reason; the centre stops seeing it."""
    cancelled = workflow.apply(order, "cancel", actor=actor, reason=reason)
    access.close_relationship(
        resident_id=order.resident_id, reason=CareRelationship.Reason.ORDER, episode=order.subject, actor=actor
    )
    push(to=[f"organization:{order.center_id}"], kind="ecg-queue", reference=str(order.key))
    return cancelled


def end_for_death(*, resident_id: int, actor: Actor) -> int:
    """Take back the orders of a resident who has died that nobody reads yet; a recording that is being read is reported."""
    found = [
        order
        for order in EcgOrder.objects.filter(resident_id=resident_id)
        if order.machine.transition("cancel", order.state) is not None and order.arrived_at is None
    ]
    for order in found:
        cancel(order=order, reason=_("居民已登记死亡"), actor=actor)
    return len(found)


def end_for_voided_visit(*, visit_key: str, resident_id: int, actor: Actor) -> int:
    """Take back what nobody reads yet of a visit that was opened by mistake, and tell the centre of what is read or reported already:
    whose heart it was can be said only by people. Returns how many orders were taken back."""
    ended = 0
    for order in EcgOrder.objects.filter(resident_id=resident_id, visit_key=visit_key).exclude(state=states.CANCELLED):
        if order.machine.transition("cancel", order.state) is not None:
            cancel(order=order, reason=_("所属就诊已作废"), actor=actor)
            ended += 1
        else:
            notices.tell(
                kind="ecg-visit-voided",
                organization_id=order.center_id,
                among=Audience(permission=Permission.ECG_READ),
                about=resident_id,
                link=order.subject,
                urgent=True,
                actor=actor,
            )
    return ended


def _read(data: bytes) -> Recording:
    try:
        return read_recording(data)
    except EcgRefused as refusal:
        sentence = refusal.en if (get_language() or "").startswith("en") else refusal.zh
        raise Refused(sentence, fields={"recording": sentence}, code=f"ecg-{refusal.code}") from refusal


def _submit(order: EcgOrder, values: dict[str, Any], *, details: dict[str, Any], actor: Actor) -> EcgOrder:
    try:
        with transaction.atomic():
            return workflow.apply(order, "submit", actor=actor, values=values, details=details)
    except IntegrityError as error:
        if "ecg_recording_sent_once" not in str(error):
            raise
        # The row that was first is another unit's and cannot be shown.
        raise _sent_before(_("这份心电图此前已由另一家机构上传，不能重复上传。请核对是否选错了文件。")) from error


def _check_doubts(order: EcgOrder, recording: Recording, *, person: bool, time: bool) -> str:
    """What a person has looked at and confirmed; everything that is still to be confirmed is told at once."""
    doubts = {"confirm_missing_identity": _check_person(order, recording), "confirm_time": _check_time(recording)}
    confirmed = {"confirm_missing_identity": person, "confirm_time": time}
    asked = {field: sentence for field, sentence in doubts.items() if sentence and not confirmed[field]}
    if asked:
        raise Refused("".join(asked.values()), fields=asked, code="confirm")
    return "".join(doubts.values())


def _check_person(order: EcgOrder, recording: Recording) -> str:
    resident = order.resident
    mismatch = check_identity(
        recording,
        national_id=resident.national_id or None,
        name=resident.name,
        birth_date=resident.birth_date,
        sex="male" if resident.gender == "male" else "female" if resident.gender == "female" else None,
    )
    if mismatch is None:
        return ""
    sentence = mismatch.en if (get_language() or "").startswith("en") else mismatch.zh
    if mismatch.refuses:
        raise Refused(sentence, fields={"recording": sentence}, code="ecg-other-person")
    return sentence


def _check_time(recording: Recording) -> str:
    doubt = doubt_of_time(recording.taken_at, now=timezone.now())
    return "" if doubt is None else doubt[(get_language() or "").startswith("en")]


def _check_sent_before(order: EcgOrder, mark: str) -> None:
    if order.state == states.RETURNED and order.fingerprint == mark:
        raise _sent_before(_("这正是刚被退回的那份记录。请按退回原因重新采集后，上传新的心电图。"))
    earlier = queries.order_by_fingerprint(mark)
    if earlier is not None:
        raise _sent_before(
            _("这份心电图已于 %(when)s 上传过，不能重复上传。请核对是否选错了文件；如需新报告请重新采集。")
            % {"when": _moment(earlier.arrived_at)}
        )


def _sent_before(sentence: str) -> Refused:
    return Refused(sentence, fields={"recording": sentence}, code="ecg-sent-before")


def _moment(value: datetime | None) -> str:
    return date_format(timezone.localtime(value), "Y-m-d H:i") if value else ""
