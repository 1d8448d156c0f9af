"""How each machine's things become resources of the record."""

from collections.abc import Callable
from typing import Any

from doorstep.care.contracts.fhir import contract_resources
from doorstep.care.diagnosis.fhir import critical_resources, order_resources
from doorstep.care.referrals.fhir import follow_up_resources, question_resources, referral_resources
from doorstep.coordination.beds.fhir import bed_resources
from doorstep.coordination.scheduling.fhir import booking_resources, rebooking_resources, waiting_resources
from doorstep.coordination.visits.fhir import to_resources as visit_resources
from doorstep.kernel.record.publishing import Published

MAPPINGS: dict[str, Callable[[Any], list[Published]]] = {
    "booking": booking_resources,
    "waiting": waiting_resources,
    "rebooking": rebooking_resources,
    "bed": bed_resources,
    "follow-up": follow_up_resources,
    "referral": referral_resources,
    "case-question": question_resources,
    "contract": contract_resources,
    "visit": visit_resources,
    "ecg-order": order_resources,
    "critical-value": critical_resources,
}
