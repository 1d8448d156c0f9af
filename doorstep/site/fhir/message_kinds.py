"""The kinds of messages, after the NHS Booking and Referral Standard (BaRS): what is said, what it is about, and to whom of a referral.

A kind's code is the MessageHeader's eventCoding, its focus the type that it is about; the same in both directions.
"""

from dataclasses import dataclass

from doorstep.kernel.fhir import systems

TOPIC = f"{systems.BASE}/SubscriptionTopic/referral-messages"
# Appointments have a topic of their own: whoever does not ask for them hears of referrals alone.
BOOKING_TOPIC = f"{systems.BASE}/SubscriptionTopic/booking-messages"
EVENTS = f"{systems.BASE}/CodeSystem/message-event"
# What an answer holds beside its status: "slot" (in) the place that was booked, "alternative" where else the patient may go.
ANSWER = f"{systems.BASE}/CodeSystem/referral-answer"
# What is said -> the type of the focus.
FOCUS = {
    "servicerequest-request": "ServiceRequest",
    "servicerequest-update": "ServiceRequest",
    "servicerequest-cancel": "ServiceRequest",
    "servicerequest-response": "Task",
    "encounter-arrived": "Encounter",
    "encounter-treated": "Encounter",
    "encounter-admitted": "Encounter",
    "encounter-discharged": "Encounter",
    "careplan-handback": "CarePlan",
    "careplan-response": "Task",
    "communication-question": "Communication",
    "communication-answer": "Communication",
    "communication-return": "Communication",
    "booking-request": "Appointment",
    "booking-update": "Appointment",
    "booking-cancel": "Appointment",
}
# A referral's state that was entered -> what is said of it, and to which of its sides.
_ENTERED = {
    "submitted": ("servicerequest-request", ("target",)),
    "submitted_green": ("servicerequest-request", ("target",)),
    "returned": ("communication-return", ("source",)),
    "offered": ("servicerequest-response", ("source",)),
    "accepted": ("servicerequest-response", ("source",)),
    "on_the_way": ("servicerequest-update", ("target",)),
    "not_arrived": ("servicerequest-response", ("source", "target")),
    "arrived": ("encounter-arrived", ("source",)),
    "in_treatment": ("encounter-treated", ("source",)),
    "admitted": ("encounter-admitted", ("source",)),
    "discharged": ("encounter-discharged", ("source",)),
    "handed_back": ("careplan-handback", ("receiver", "source")),
    "expected_back": ("careplan-response", ("target",)),
    "received_back": ("careplan-response", ("target",)),
    "closed": ("careplan-response", ("target", "source")),
    "advised": ("servicerequest-response", ("source",)),
    "declined": ("servicerequest-response", ("source",)),
    "withdrawn": ("servicerequest-cancel", ("target",)),
    "elsewhere": ("servicerequest-cancel", ("target", "source")),
    "died": ("servicerequest-cancel", ("target", "source", "receiver")),
}
# The same state says something else when it was entered from there.
_FROM = {
    ("returned", "submitted"): ("servicerequest-update", ("target",)),
    ("returned", "submitted_green"): ("servicerequest-update", ("target",)),
    ("offered", "submitted"): ("servicerequest-update", ("target",)),
    ("offered", "submitted_green"): ("servicerequest-update", ("target",)),
    ("offered", "accepted"): ("servicerequest-update", ("target",)),
    ("not_arrived", "accepted"): ("servicerequest-update", ("target",)),
    ("handed_back", "discharged"): ("careplan-response", ("target",)),
    ("expected_back", "discharged"): ("careplan-response", ("target",)),
}


@dataclass(frozen=True, slots=True)
class Saying:
    """What a step of a referral says, and to whom."""

    event: str
    sides: tuple[str, ...]


def saying(*, before: str, now: str) -> Saying | None:
    """What is said when a referral comes from one state into another; None where nobody outside is told.

    One that stands in the same state was passed on to another unit, which hears of it for the first time.
    """
    if before in ("", "draft") and now not in ("submitted", "submitted_green"):
        # Nobody but the sender knew of it.
        return None
    found = _FROM.get((before, now)) or _ENTERED.get(now)
    return None if found is None else Saying(*found)


def said_of_booking(*, before: str, now: str, replaces: bool) -> Saying | None:
    """What is said when an Appointment comes to another status: the clinic hears who comes, who booked what became of it."""
    if before == now:
        return None
    if now == "booked":
        return Saying("booking-update" if replaces else "booking-request", ("target",))
    if now == "cancelled":
        return Saying("booking-cancel", ("target", "source"))
    return Saying("booking-update", ("source",)) if now in ("arrived", "fulfilled", "noshow") else None


def passed_on() -> Saying:
    """What the unit hears that had a referral before it was passed on."""
    return Saying("servicerequest-cancel", ("former",))


def said_of_question(status: str) -> Saying:
    """What a question on a case says by its status: the asked side hears the question, who asked hears the answer."""
    if status == "completed":
        return Saying("communication-answer", ("sender",))
    return Saying("communication-question", ("recipient",))
