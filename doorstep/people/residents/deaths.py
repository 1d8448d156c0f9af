"""Recording a resident's death, and taking a mistaken record back. What is open elsewhere ends by the event."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.people.residents import queries
from doorstep.people.residents.events import ResidentDeathRevoked, ResidentDied
from doorstep.people.residents.models import Death, Resident
from doorstep.people.residents.patient import to_patient
from doorstep.people.residents.permissions import Permission

SHORTEST_REASON = 5


@transaction.atomic
def record_death(
    *, resident: Resident, died_on: date, source: str, actor: Actor, certificate: str = "", note: str = ""
) -> Death:
    """Record that a resident has died: day, source, by whom. Reminders stop; what is open ends through `ResidentDied`.

    Only somebody who sees the whole record may. Raises Refused at the field, Conflict when it is recorded already.
    国卫规划发〔2013〕57号 lets doctors fill in the certificate of death.
    """
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.DEATH_RECORD, actor=actor)
    faults = _faults(resident, died_on=died_on, source=source, certificate=certificate)
    if faults:
        raise Refused(_("死亡登记有内容需要更正，没有保存。"), fields=faults)
    try:
        with transaction.atomic():
            death = Death.objects.create(
                resident=resident,
                died_on=died_on,
                source=source,
                certificate=certificate.strip(),
                note=note.strip()[:400],
                recorded_by_id=actor.user_id,
                recorded_by_name=actor.display_name[:80],
                organization_id=actor.organization_id,
                organization_name=actor.organization_name[:120],
            )
    except IntegrityError as error:
        raise Conflict(_("这位居民的死亡已经登记过了，请刷新后查看。")) from error
    resident.deceased_on = died_on
    resident.save(update_fields=["deceased_on"])
    _tell(resident, death, actor, event=ResidentDied, action="resident.death")
    return death


@transaction.atomic
def revoke_death(*, resident: Resident, reason: str, actor: Actor) -> Death:
    """Take a mistaken death back, with the reason; the row stays as it was written.

    What the death ended stays ended: contract, booking and referral are made anew with the resident.
    """
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.DEATH_RECORD, actor=actor)
    if len(reason.strip()) < SHORTEST_REASON:
        sentence = _("请用不少于 %(count)s 个字写明怎样确认居民健在。") % {"count": SHORTEST_REASON}
        raise Refused(_("撤销死亡登记需要写明理由。"), fields={"reason": sentence})
    death = Death.objects.select_for_update(of=("self",)).filter(resident=resident, revoked_at__isnull=True).first()
    if death is None:
        if resident.deceased_on is None:
            raise Conflict(_("这位居民没有死亡登记，或已经撤销，请刷新后查看。"))
        # Brought in by a file, with no act of its own: the row says from where, so that it can be taken back.
        death = Death.objects.create(
            resident=resident, died_on=resident.deceased_on, source=Death.Source.IMPORTED, recorded_by_name=_("导入")
        )
    death.revoked_at = timezone.now()
    death.revoked_by_id = actor.user_id
    death.revoked_by_name = f"{actor.organization_name} {actor.display_name}".strip()[:120]
    death.revoke_reason = reason.strip()[:400]
    death.save(update_fields=["revoked_at", "revoked_by_id", "revoked_by_name", "revoke_reason"])
    resident.deceased_on = None
    resident.save(update_fields=["deceased_on"])
    _tell(resident, death, actor, event=ResidentDeathRevoked, action="resident.death-revoked")
    return death


def _faults(resident: Resident, *, died_on: date, source: str, certificate: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if died_on > timezone.localdate():
        found["died_on"] = _("死亡日期不能晚于今天，请核对。")
    elif died_on < resident.birth_date:
        found["died_on"] = _("死亡日期不能早于出生日期 %(day)s，请核对。") % {"day": resident.birth_date.isoformat()}
    if source not in queries.DEATH_SOURCES:
        found["source"] = _("请选择依据。")
    if source == Death.Source.CERTIFICATE and not certificate.strip():
        found["certificate"] = _("依据为死亡证时，请填写《居民死亡医学证明（推断）书》的编号。")
    return found


def _tell(
    resident: Resident,
    death: Death,
    actor: Actor,
    *,
    event: type[ResidentDied] | type[ResidentDeathRevoked],
    action: str,
) -> None:
    unit = resident.organization
    record.publish(
        to_patient(
            resident,
            organization_key=unit.key,
            organization_name=unit.name,
            replaces=queries.merged_into(resident),
        ),
        resident_id=resident.pk,
        actor=actor,
    )
    facts = {"died_on": death.died_on.isoformat(), "source": death.source, "death": str(death.key)}
    if death.revoke_reason:
        facts["reason"] = death.revoke_reason
    events.publish(
        event(
            subject=f"resident/{resident.key}",
            subject_id=resident.pk,
            resident_id=resident.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
    audit.record(action=action, actor=actor, subject=f"resident/{resident.key}", resident_id=resident.pk, details=facts)
