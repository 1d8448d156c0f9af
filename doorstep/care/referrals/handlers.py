"""Who is told at each stage: the sender, the target's office and specialists, the receiver, the resident; what a death ends."""

from collections.abc import Mapping
from typing import Any

from doorstep.care.referrals import actions, debt_handlers, down_queries, family_words, own_words, queries
from doorstep.care.referrals.benefits import family_doctor_of
from doorstep.care.referrals.events import OfferRefused
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.coordination.notices.actions import tell
from doorstep.coordination.notices.texts import Text
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event
from doorstep.people.residents import queries as residents

TEXTS: dict[str, Text] = {
    "referral-green": Text("绿色通道转诊待受理，请立即处理", "A green-channel referral waits for you now", "critical"),
    "referral-redirected": Text("转诊已改派到其他科室或机构", "A referral was redirected", "warn"),
    "referral-offered": Text(
        "对方已安排号源或床位，请与患者确认", "A place was offered: confirm it with the patient", "warn"
    ),
    "referral-offer-refused-green": Text(
        "绿色通道患者未接受到院安排，请立即另行安排并联系患者",
        "A green-channel patient did not take the offered place: find another and call the patient now",
        "critical",
    ),
    "referral-offer-worse": Text(
        "患者称病情加重，未接受到院安排，请立即联系患者",
        "A patient got worse and did not take the offered place: call the patient now",
        "critical",
    ),
    "referral-confirmed": Text("患者已确认到院安排", "The patient agreed to the offered place"),
    "referral-offer-refused": Text(
        "患者未接受到院安排，请另行安排", "The offered place was not taken: find another", "warn"
    ),
    "referral-offer-turned-down": Text(
        "患者未接受到院安排，对方会另行安排",
        "The patient did not take the offered place: the hospital looks for another",
        "warn",
    ),
    "referral-offer-lapsed": Text(
        "到院安排逾期未确认，请联系患者另行安排",
        "An offered place ran out unconfirmed: ask the patient and find another",
        "warn",
    ),
    "referral-advised": Text("专科已答复建议，不必到院", "Answered by advice: no visit is needed"),
    "referral-passed-on": Text(
        "转诊逾时未答复，系统已转交下一家机构", "A referral was not answered in time and went to the next unit", "warn"
    ),
    "referral-unanswered": Text(
        "转诊逾时未答复且没有下一家机构，请立即协调",
        "A referral was not answered and there is no next unit: act now",
        "critical",
    ),
    "referral-dark": Text(
        "有在途转诊无人负责，请立即处理", "An open referral is on nobody's list: act now", "critical"
    ),
    "referral-departed": Text("转诊患者已出发", "A referred patient is on the way"),
    "referral-elsewhere": Text("患者已在他处就诊，转诊已结束", "The patient was seen elsewhere; the referral ended"),
    "referral-outside": Text("居民已转往医共体外，请随访结果", "A resident was sent out of the network: follow it up"),
    "referral-seen-elsewhere": Text(
        "转诊途中的患者已在%(unit)s就诊，请核实是否仍需到院",
        "The patient of an open referral is being seen at %(unit)s: please check whether the referral is still needed",
        "warn",
    ),
    "referral-died": Text("转诊已因患者离世结束", "The referral ended with the patient's death"),
    "bed-released": Text(
        "为转诊患者预留的床位已放回，请另行安排",
        "The bed kept for a referred patient is free again: find another",
        "warn",
    ),
    "bed-released-there": Text(
        "对方为患者预留的床位已放回，正在另行安排",
        "The bed kept for your patient was given up: the other side looks for another",
    ),
    "check-in-corrected": Text("一次报到已更正", "A check-in was corrected", "warn"),
    "case-asked": Text("下转病例有新的提问，请答复", "A question on a case waits for your answer", "warn"),
    "case-late": Text(
        "%(unit)s 逾时未答复您的提问，急需时请电话联系",
        "%(unit)s has not answered your question in time: call if it is urgent",
        "warn",
    ),
    "case-answered": Text("您的提问已得到答复", "Your question was answered"),
    "down-proposed": Text("有患者符合下转标准，请确认", "A patient meets the criteria of going home: please confirm"),
    "down-asked": Text("医院询问能否承接下转患者", "A hospital asks whether you can take a patient", "warn"),
    "down-agreed": Text("基层已同意承接，请办理出院下转", "The receiver agreed: discharge and hand back"),
    "down-returned": Text(
        "所询机构不能承接或未答复，请另选机构或去向",
        "The units asked cannot take the patient or did not answer: choose another",
        "warn",
    ),
    "down-unasked": Text(
        "一份下转询问已改问其他机构，无需答复",
        "A patient you were asked about goes to another unit: no answer is needed",
    ),
    "referral-withdrawn": Text("转诊已被转出方撤回", "A referral was withdrawn by its sender", "warn"),
    "referral-arrived": Text("转诊患者已到院报到", "A referred patient has arrived"),
    "referral-not-arrived": Text(
        "转诊患者逾时未到院，请联系患者", "A referred patient did not come: find out why", "warn"
    ),
    "referral-place-wanted": Text(
        "患者取消了转诊号源，请与患者联系后另行安排",
        "A referred patient gave the booked place up: call and find another",
        "warn",
    ),
    "referral-place-given-up": Text(
        "患者取消了转诊号源，接收方会另行安排；患者不去的请撤回转诊",
        "Your patient gave the booked place up: the hospital looks for another; withdraw the referral if it is not needed",
        "warn",
    ),
    "referral-new-day": Text("患者已约定新的到院时间", "A referred patient comes another day"),
    "referral-treated": Text("转诊患者已接诊收治", "A referred patient is being treated"),
    "referral-discharged": Text("转诊患者已出院", "A referred patient was discharged"),
    "return-declined": Text("下转未被承接，请改选承接机构", "A hand-back was not taken: choose another unit", "warn"),
    "return-arranged": Text(
        "下转患者已由基层承接，到达时间已约定", "The receiver takes the patient: the time of arrival is agreed"
    ),
    "return-received": Text("下转患者已由基层承接，进入随访", "A patient was received back and is followed up"),
    "referral-closed": Text("转诊已办结，可查看结局", "A referral was closed: see how it ended"),
    "follow-up-passed": Text(
        "有随访转交给您，请按日期完成", "A follow-up was given into your hands: please do it on its day"
    ),
    "follow-up-missed": Text("有随访逾期未访", "A follow-up was missed", "warn"),
    "follow-up-escalated": Text("随访发现病情变化，请查看", "A follow-up found a change for the worse", "warn"),
    **own_words.TEXTS,
    **family_words.TEXTS,
    **debt_handlers.TEXTS,
}

# event -> what the source, the target and the receiver are told ("" for nothing); the resident's own words are in `own_words`.
_TOLD: dict[str, tuple[str, str, str]] = {
    "ReferralSubmitted": ("", "referral-submitted", ""),
    "PlaceOffered": ("referral-offered", "", ""),
    "OfferConfirmed": ("referral-confirmed", "referral-confirmed", ""),
    "OfferRefused": ("referral-offer-turned-down", "referral-offer-refused", ""),
    "OfferExpired": ("referral-offer-lapsed", "referral-offer-lapsed", ""),
    "ReferralAdvised": ("referral-advised", "", ""),
    "ReferralPassedOn": ("referral-passed-on", "referral-submitted", ""),
    "PatientDeparted": ("", "referral-departed", ""),
    "CheckInCorrected": ("check-in-corrected", "", ""),
    "PatientWentElsewhere": ("referral-elsewhere", "referral-elsewhere", ""),
    "PatientLeftNetwork": ("referral-outside", "", ""),
    "OutsideResultKnown": ("", "", ""),
    "PatientDied": ("referral-died", "referral-died", "referral-died"),
    "ReferralAccepted": ("referral-accepted", "", ""),
    "ReferralReturned": ("referral-returned", "", ""),
    "ReferralRedirected": ("referral-redirected", "referral-submitted", ""),
    "ReferralDeclined": ("referral-declined", "", ""),
    "ReferralWithdrawn": ("", "referral-withdrawn", ""),
    "PatientArrived": ("referral-arrived", "referral-arrived", ""),
    "PatientNotArrived": ("referral-not-arrived", "", ""),
    "PlaceGivenUp": ("referral-place-given-up", "referral-place-wanted", ""),
    "NewDayAgreed": ("referral-new-day", "referral-new-day", ""),
    "TreatmentStarted": ("referral-treated", "", ""),
    "PatientAdmitted": ("referral-treated", "", ""),
    "PatientDischarged": ("referral-discharged", "", ""),
    "PatientHandedBack": ("", "", "return-submitted"),
    "HandBackDeclined": ("", "return-declined", ""),
    "ReturnArranged": ("return-arranged", "return-arranged", ""),
    "PatientReceivedBack": ("return-received", "return-received", ""),
    "ReferralClosed": ("referral-closed", "referral-closed", ""),
}


def _number(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"number": facts.get("number", "")}


def tell_parties(event: Event) -> None:
    """Tell each party of a referral what concerns it; facts travel in the event, the text holds no diagnosis."""
    source, target, receiver = _TOLD[type(event).__name__]
    facts = event.details
    if isinstance(event, OfferRefused) and not facts.get("by"):
        # Whoever wrote it down knows.
        source = ""
    family = family_doctor_of(resident_id=event.resident_id) if event.resident_id is not None else None
    if family is not None and family not in (facts.get("source"), facts.get("target"), facts.get("receiver")):
        # The family doctor's team learns every stage, also of a referral that a hospital or another unit sent.
        tell(
            kind=family_words.TOLD.get(type(event).__name__) or source or target or receiver,
            organization_id=family,
            about=event.resident_id,
            # The case is the other units'; the family doctor reads it in the record.
            link=_record_of(event),
            params=_number(facts),
        )
    # A draft that ended was never known to the target.
    if facts.get("from") == "draft" and type(event).__name__ != "ReferralSubmitted":
        target = ""
    parties = ((source, facts.get("source")), (target, facts.get("target")), (receiver, facts.get("receiver")))
    # A hospital that sends its own patient home is source and target: it is told once.
    for kind, unit in dict.fromkeys(parties):
        if kind and unit:
            told, urgent = _at_once(kind, facts)
            tell(
                kind=told,
                organization_id=int(unit),
                about=event.resident_id,
                link=event.subject,
                params=_number(facts),
                urgent=urgent,
            )
    _tell_resident(event)


def _record_of(event: Event) -> str:
    referral = queries.by_subject(subject=event.subject)
    return f"resident/{referral.resident_key}" if referral is not None else event.subject


def _tell_resident(event: Event) -> None:
    """Tell the resident on the own phone; a draft that never left is nobody's news there."""
    kind = own_words.TOLD.get(type(event).__name__, "")
    silent = event.details.get("from") == "draft" and type(event).__name__ in (
        "ReferralWithdrawn",
        "PatientWentElsewhere",
    )
    if kind and not silent and event.resident_id is not None:
        tell(kind=kind, resident_id=event.resident_id, link=f"own-{event.subject}", params=_number(event.details))


def _at_once(kind: str, facts: Mapping[str, Any]) -> tuple[str, bool]:
    """What is told with a sound because it cannot wait, by the channel of the referral or by what the patient said."""
    green = facts.get("kind") == "green"
    refused = ("referral-offer-refused", "referral-offer-turned-down", "referral-offer-lapsed")
    if kind in refused and facts.get("code") == "worse":
        return "referral-offer-worse", True
    if kind in refused and green:
        return "referral-offer-refused-green", True
    return ("referral-green", False) if kind == "referral-submitted" and green else (kind, False)


def tell_follow_up_due(event: Event) -> None:
    """Tell the unit and the resident that the day of a follow-up has come."""
    unit = int(event.details["unit"])
    tell(kind="follow-up-due", organization_id=unit, about=event.resident_id, link=event.subject)
    if event.resident_id is not None:
        tell(kind="own-follow-up", resident_id=event.resident_id)


def tell_follow_up_passed(event: Event) -> None:
    """Tell the unit into whose hands a follow-up was given."""
    if event.details.get("passed"):
        unit = int(event.details["unit"])
        tell(kind="follow-up-passed", organization_id=unit, about=event.resident_id, link=event.subject)


def tell_follow_up_missed(event: Event) -> None:
    """Tell the unit that a follow-up was missed."""
    unit = int(event.details["unit"])
    tell(kind="follow-up-missed", organization_id=unit, about=event.resident_id, link=event.subject)


def tell_follow_up_escalated(event: Event) -> None:
    """Tell the hospital that treated, and the receiver, that a patient got worse."""
    units = {unit for unit in (event.details.get("target"), event.details.get("receiver")) if unit}
    for unit in units:
        about, link = event.resident_id, str(event.details["referral"])
        tell(kind="follow-up-escalated", organization_id=int(unit), about=about, link=link)


def end_for_death(event: Event) -> None:
    """End the referrals and follow-ups of a resident who has died."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)


def follow_name(event: Event) -> None:
    """Open referrals of somebody who was named, renamed, merged or parted go by the name that is right."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    former = str(event.details.get("former", ""))
    ids = {event.resident_id, residents.get_former(key=former).pk if former else None}
    for resident_id in sorted(one for one in ids if one is not None):
        actions.rename(resident_id=resident_id, actor=actor)


def keep_bed_list(event: Event) -> None:
    """A referral that asks for a bed waits on its target's list, and no longer once it needs none there."""
    facts = event.details
    waits = facts.get("to") in ("submitted", "submitted_green", "accepted", "offered", "on_the_way", "arrived")
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    if waits and facts.get("bed") and facts.get("target") and event.resident_id is not None:
        beds.ask(
            wanted=beds.Wanted(
                organization_id=int(facts["target"]),
                resident_id=event.resident_id,
                patient_name=str(facts.get("patient", "")),
                reference=event.subject,
                priority=int(facts.get("urgency", 0)),
                department_id=facts.get("department"),
            ),
            actor=actor,
        )
    elif not waits:
        beds.end_request(reference=event.subject, given=facts.get("to") == "admitted", actor=actor, reason="")


# Stages at which a bed is kept for somebody who has not come yet.
_BED_KEPT = ("offered", "accepted", "on_the_way", "expected_back")


def tell_bed_released(event: Event) -> None:
    """A kept bed fell free, on the board or by its time, while its patient is still expected: both sides learn that there is none."""
    referral = queries.by_subject(subject=str(event.details.get("reference", "")))
    if referral is None or referral.bed_key is None or referral.state not in _BED_KEPT:
        return
    if bed_queries.kept_for(reference=referral.subject) is not None:
        # Another one is kept instead.
        return
    home = referral.state == "expected_back"
    holder, other = (referral.receiver_id, referral.target_id) if home else (referral.target_id, referral.source_id)
    for kind, unit in (("bed-released", holder), ("bed-released-there", other)):
        if unit:
            about, link = referral.resident_id, referral.subject
            tell(kind=kind, organization_id=unit, about=about, link=link, params={"number": referral.number})


def close_others(event: Event) -> None:
    """The patient arrived here: what still waits elsewhere for the same matter ends, with its trace."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    arrived = queries.by_subject(subject=event.subject)
    if arrived is not None and arrived.target is not None:
        actions.close_elsewhere(arrived=arrived, place=arrived.target.name, actor=actor)


def tell_case(event: Event) -> None:
    """Tell who is asked that a question waits, and who asked that it was answered."""
    asked = type(event).__name__ == "QuestionAsked"
    tell(
        kind="case-asked" if asked else "case-answered",
        organization_id=int(event.details["answerer" if asked else "asker"]),
        about=event.resident_id,
        link=str(event.details["referral"]),
    )


def tell_question_late(event: Event) -> None:
    """The time of an answer has run out: whoever asked need not go on waiting for it without knowing."""
    if event.details.get("kind") != "case-question.asked":
        return
    # The event's subject is the case, its number the question's.
    question = down_queries.question_by_id(question_id=event.subject_id or 0)
    tell(
        kind="case-late",
        organization_id=question.asker_id,
        about=event.resident_id,
        link=question.referral.subject,
        params={"unit": question.answerer.name},
    )


def tell_down(event: Event) -> None:
    """Tell ward and receiver how a proposal of going home stands."""
    facts, name = event.details, type(event).__name__
    hospital, receiver, about, link = int(facts["hospital"]), facts.get("receiver"), event.resident_id, event.subject
    if name == "DownProposed":
        tell(kind="down-proposed", organization_id=hospital, role="specialist", about=about, link=link)
    elif name in ("WardAgreed", "ReceiverRefused", "ReceiverSilent", "OtherAsked") and receiver:
        tell(kind="down-asked", organization_id=int(receiver), about=about, link=link)
    elif name == "DownAgreed":
        tell(kind="down-agreed", organization_id=hospital, about=about, link=link)
    elif name == "DownReturned":
        tell(kind="down-returned", organization_id=hospital, role="specialist", about=about, link=link)
    if name in ("OtherAsked", "ReceiverSilent") and facts.get("former"):
        # Whoever was passed over need not go on looking into it; the page is the others' now.
        tell(kind="down-unasked", organization_id=int(facts["former"]))


def open_down_draft(event: Event) -> None:
    """Both doctors agreed on a patient who came without a referral: the ward finds the draft of a down-referral."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    proposal = down_queries.get_proposal(key=event.subject.partition("/")[2])
    actions.open_down_draft(proposal=proposal, actor=actor)
