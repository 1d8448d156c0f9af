"""Signing a report and replacing it by a newer version."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import queries
from doorstep.care.diagnosis.actions.critical import raise_critical, withdraw_critical
from doorstep.care.diagnosis.actions.reading import lock_own
from doorstep.care.diagnosis.models import EcgOrder, ReportVersion
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.report import Report, content_of, plain_words, problems_of, seal_of
from doorstep.coordination.notices import actions as notices
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.audit.actions import audit_key
from doorstep.kernel.web.push import push
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.workforce import queries as workforce
from doorstep.people.workforce.models import Practitioner


@transaction.atomic
def sign(*, order: EcgOrder, report: Report, measurements_confirmed: bool, actor: Actor) -> EcgOrder:
    """Sign the report of a case that this reader holds; a critical value is told to the village in the same transaction.

    Raises Refused with a sentence per field when something is missing, the figures are not confirmed or the signer has no
    licence on file; Conflict when the case is no longer the reader's.
    """
    signer = _signer(actor)
    locked = lock_own(order, actor)
    _check(report, measurements_confirmed=measurements_confirmed)
    now = timezone.now()
    values = _values(report, signer=signer, actor=actor, now=now, version=1)
    values |= {"reader_user_id": None, "reader_id": None, "lease_until": None}
    signed = workflow.apply(locked, "sign", actor=actor, values=values, details=_facts(report))
    _keep_version(signed, report, reason="")
    if report.critical_code:
        raise_critical(order=signed, actor=actor)
    _tell(signed, "ecg-report", actor)
    return signed


@transaction.atomic
def amend(*, order: EcgOrder, report: Report, reason: str, actor: Actor) -> EcgOrder:
    """Replace a signed report by a newer version, with the reason; the older versions stay readable.

    A critical value that is new is told; one that no longer holds is withdrawn.
    """
    signer = _signer(actor)
    locked = workflow.lock(order)
    if not queries.people([locked]):
        raise Refused(_("这份申请的 30 天查阅期已过，不能再修订。如结论有误，请联系申请单位重新申请。"))
    _check(report, measurements_confirmed=True)
    before = locked.critical_code
    values = _values(report, signer=signer, actor=actor, now=timezone.now(), version=locked.version + 1)
    amended = workflow.apply(locked, "amend", actor=actor, values=values, reason=reason, details=_facts(report))
    _keep_version(amended, report, reason=reason)
    if before != report.critical_code:
        if before:
            withdraw_critical(order=amended, reason=reason, actor=actor)
        if report.critical_code:
            raise_critical(order=amended, actor=actor)
    _tell(amended, "ecg-amended", actor)
    return amended


def _signer(actor: Actor) -> Practitioner:
    actor.check(Permission.ECG_SIGN)
    signer = workforce.practitioner_of_user(user_id=actor.user_id) if actor.user_id else None
    if signer is None or not signer.licence_number:
        raise Refused(
            _("系统里没有您的医师执业证书编号，不能签发报告。请联系本单位管理员登记后再签发。"), code="no-licence"
        )
    return signer


def _check(report: Report, *, measurements_confirmed: bool) -> None:
    problems = problems_of(report, confirmed=measurements_confirmed)
    if problems:
        raise Refused(_("报告还不能签发，请补全标出的内容。"), fields=problems)


def _values(report: Report, *, signer: Practitioner, actor: Actor, now: datetime, version: int) -> dict[str, Any]:
    plain_zh, plain_en = plain_words(report)
    return {
        **content_of(report),
        "findings_text": report.findings_text.strip(),
        "conclusion_text": report.conclusion_text.strip(),
        "plain_zh": plain_zh,
        "plain_en": plain_en,
        "version": version,
        "signed_at": now,
        "signed_by_id": signer.pk,
        "signed_by_user_id": actor.user_id,
    }


def _facts(report: Report) -> dict[str, Any]:
    return {"findings": list(report.findings), "critical": report.critical_code}


def _keep_version(order: EcgOrder, report: Report, *, reason: str) -> None:
    signer, signed_at = order.signed_by, order.signed_at
    if signer is None or signed_at is None:
        raise LookupError("A version is kept of a signed report.")
    content = content_of(report)
    ReportVersion.objects.create(
        order=order,
        order_key=order.key,
        resident_id=order.resident_id,
        source_id=order.source_id,
        center_id=order.center_id,
        number=order.version,
        signed_at=signed_at,
        signer_name=signer.name,
        signer_licence=signer.licence_number,
        content=content,
        reason=reason[:400],
        seal=seal_of(
            key=audit_key(),
            order_key=str(order.key),
            number=order.version,
            signed_at=signed_at,
            signer=signer.name,
            licence=signer.licence_number,
            content=content,
        ),
    )


def _tell(order: EcgOrder, kind: str, actor: Actor) -> None:
    topics = [f"organization:{order.source_id}"]
    if order.ordered_by_user_id:
        topics.append(f"user:{order.ordered_by_user_id}")
        notices.tell(
            kind="ecg-reported",
            user_id=order.ordered_by_user_id,
            about=order.resident_id,
            link=order.subject,
            actor=actor,
        )
    push(to=topics, kind=kind, reference=str(order.key))
    push(to=[f"organization:{order.center_id}"], kind="ecg-queue", reference=str(order.key))
