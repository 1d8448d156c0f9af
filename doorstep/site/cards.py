"""What other systems may ask the house while somebody works in them: a line per service."""

from doorstep.care.contracts.cards import benefits_card
from doorstep.kernel.hooks.registry import Service

SERVICES = (
    Service(
        id="contract-benefits",
        hook="patient-view",
        title="签约权益 / Contract benefits",
        description="居民当日可享的家庭医生签约权益及依据 / what the family-doctor contract gives the patient today, and why",
        answer=benefits_card,
        prefetch={"patient": "Patient/{{context.patientId}}"},
    ),
)
