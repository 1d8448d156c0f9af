"""Who is told at each stage: the sender, the target's office and specialists, the receiver, the resident; what a death ends."""

from doorstep.care.referrals import actions
from doorstep.coordination.notices.actions import tell
from doorstep.coordination.notices.texts import Text
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event

TEXTS: dict[str, Text] = {
    "referral-green": Text("绿色通道转诊待受理，请立即处理", "A green-channel referral waits for you now", "critical"),
    "referral-redirected": Text("转诊已改派到其他科室或机构", "A referral was redirected", "warn"),
    "referral-withdrawn": Text("转诊已被转出方撤回", "A referral was withdrawn by its sender", "warn"),
    "referral-arrived": Text("转诊患者已到院报到", "A referred patient has arrived"),
    "referral-not-arrived": Text(
        "转诊患者逾时未到院，请联系患者", "A referred patient did not come: find out why", "warn"
    ),
    "referral-treated": Text("转诊患者已接诊收治", "A referred patient is being treated"),
    "referral-discharged": Text("转诊患者已出院", "A referred patient was discharged"),
    "return-declined": Text("下转未被承接，请改选承接机构", "A hand-back was not taken: choose another unit", "warn"),
    "return-received": Text("下转患者已由基层承接，进入随访", "A patient was received back and is followed up"),
    "referral-closed": Text("转诊已办结，可查看结局", "A referral was closed: see how it ended"),
    "follow-up-missed": Text("有随访逾期未访", "A follow-up was missed", "warn"),
    "follow-up-escalated": Text("随访发现病情变化，请查看", "A follow-up found a change for the worse", "warn"),
}

# event -> what the source, the target, the receiver and the resident are told ("" for nothing).
_TOLD: dict[str, tuple[str, str, str, str]] = {
    "ReferralSubmitted": ("", "referral-submitted", "", "referral-submitted"),
    "ReferralAccepted": ("referral-accepted", "", "", "referral-accepted"),
    "ReferralReturned": ("referral-returned", "", "", ""),
    "ReferralRedirected": ("referral-redirected", "referral-submitted", "", "referral-redirected"),
    "ReferralDeclined": ("referral-declined", "", "", "referral-declined"),
    "ReferralWithdrawn": ("", "referral-withdrawn", "", ""),
    "PatientArrived": ("referral-arrived", "referral-arrived", "", ""),
    "PatientNotArrived": ("referral-not-arrived", "", "", "referral-not-arrived"),
    "TreatmentStarted": ("referral-treated", "", "", ""),
    "PatientAdmitted": ("referral-treated", "", "", ""),
    "PatientDischarged": ("referral-discharged", "", "", ""),
    "PatientHandedBack": ("", "", "return-submitted", "return-submitted"),
    "HandBackDeclined": ("", "return-declined", "", ""),
    "PatientReceivedBack": ("return-received", "return-received", "", ""),
    "ReferralClosed": ("referral-closed", "referral-closed", "", "referral-closed"),
}


def tell_parties(event: Event) -> None:
    """Tell each party of a referral what concerns it; facts travel in the event, the text holds no diagnosis."""
    source, target, receiver, resident = _TOLD[type(event).__name__]
    facts = event.details
    green = facts.get("kind") == "green"
    # A draft that was withdrawn was never known to the target.
    if type(event).__name__ == "ReferralWithdrawn" and facts.get("from") == "draft":
        target = ""
    for kind, unit in ((source, facts.get("source")), (target, facts.get("target")), (receiver, facts.get("receiver"))):
        if kind and unit:
            urgent = green and kind == "referral-submitted"
            tell(
                kind="referral-green" if urgent else kind,
                organization_id=int(unit),
                link=event.subject,
                params={"number": facts.get("number", "")},
            )
    if resident and event.resident_id is not None:
        tell(kind=resident, resident_id=event.resident_id, link="", params={"number": facts.get("number", "")})


def tell_follow_up_due(event: Event) -> None:
    """Tell the unit and the resident that the day of a follow-up has come."""
    tell(kind="follow-up-due", organization_id=int(event.details["unit"]), link=event.subject)
    if event.resident_id is not None:
        tell(kind="follow-up-due", resident_id=event.resident_id)


def tell_follow_up_missed(event: Event) -> None:
    """Tell the unit that a follow-up was missed."""
    tell(kind="follow-up-missed", organization_id=int(event.details["unit"]), link=event.subject)


def tell_follow_up_escalated(event: Event) -> None:
    """Tell the hospital that treated, and the receiver, that a patient got worse."""
    units = {unit for unit in (event.details.get("target"), event.details.get("receiver")) if unit}
    for unit in units:
        tell(kind="follow-up-escalated", organization_id=int(unit), link=str(event.details["referral"]))


def end_for_death(event: Event) -> None:
    """End the referrals and follow-ups of a resident who has died."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)
