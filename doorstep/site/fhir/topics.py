"""The topics that hospital systems may subscribe to, out of the tables of our workflows."""

from typing import Any

from doorstep.care.diagnosis.states import CRITICAL_VALUE
from doorstep.care.referrals.states import REFERRAL
from doorstep.coordination.scheduling.states import BOOKING
from doorstep.kernel.fhir import systems
from doorstep.kernel.subscriptions.topics import Part, Topic, all_topics
from doorstep.kernel.workflow.machine import Machine
from doorstep.site.fhir.message_kinds import BOOKING_TOPIC, FOCUS, TOPIC

_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
# hl7.org/fhir/uv/subscriptions-backport: how an R4 server says which topics there are.
_CANONICAL = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
)


def _states(machine: Machine) -> str:
    return ", ".join(f"{state.code} ({state.zh})" for state in machine.states)


def _kinds(*, booking: bool) -> str:
    return ", ".join(event for event in FOCUS if event.startswith("booking-") == booking)


TOPICS = (
    Topic(
        url=f"{systems.BASE}/SubscriptionTopic/referral-stage",
        title_zh="转诊环节",
        title="A referral enters a stage",
        description=f"The Task of a referral has another businessStatus: {_states(REFERRAL)}.",
        type="Task",
        criteria=f"business-status={systems.REFERRAL_STATE}|",
        changed=("businessStatus",),
        filters=("patient", "subject", "business-status", "status", "requester", "owner", "priority"),
    ),
    Topic(
        url=f"{systems.BASE}/SubscriptionTopic/report-signed",
        title_zh="报告签发",
        title="A report is signed or amended",
        description="A DiagnosticReport is final or amended, and was issued anew.",
        type="DiagnosticReport",
        criteria="status=final,amended",
        changed=("status", "issued"),
        filters=("patient", "subject", "category", "code", "status", "performer", "conclusion"),
    ),
    Topic(
        url=f"{systems.BASE}/SubscriptionTopic/critical-value",
        title_zh="危急值",
        title="A critical value is reported, passed on, acknowledged or dealt with",
        description=f"The Communication of a critical value has another status or recipient: {_states(CRITICAL_VALUE)}.",
        type="Communication",
        criteria=f"category={_CATEGORY}|alert",
        changed=("status", "recipient", "received", "payload"),
        filters=("patient", "subject", "status", "recipient", "sender"),
    ),
    Topic(
        url=f"{systems.BASE}/SubscriptionTopic/appointment",
        title_zh="预约",
        title="An appointment is made, moved, kept or given back",
        description=f"An Appointment has another status, time or slot: {_states(BOOKING)}.",
        type="Appointment",
        changed=("status", "start", "slot"),
        filters=("patient", "actor", "status", "date", "service-category", "service-type", "slot"),
    ),
    Topic(
        url=TOPIC,
        title_zh="转诊消息",
        title="What happens to a referral, as messages",
        description=f"For a hospital that is not on Doorstep, by a channel of type message. Kinds: {_kinds(booking=False)}.",
        type="Task",
        criteria=f"business-status={systems.REFERRAL_STATE}|",
        changed=("businessStatus", "owner"),
        also=(Part(type="Communication", criteria="based-on:missing=false", changed=("status",)),),
        messages=True,
    ),
    Topic(
        url=BOOKING_TOPIC,
        title_zh="预约消息",
        title="What happens to an appointment, as messages",
        description=f"For a hospital that is not on Doorstep, by a channel of type message. Kinds: {_kinds(booking=True)}.",
        type="Appointment",
        changed=("status",),
        messages=True,
    ),
)


def extensions(type: str) -> list[dict[str, Any]]:
    """What the CapabilityStatement says of a type: at Subscription the topics."""
    if type != "Subscription":
        return []
    return [{"url": _CANONICAL, "valueCanonical": one.url} for one in all_topics()]
