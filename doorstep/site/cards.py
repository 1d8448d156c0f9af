"""What other systems may ask the house while somebody works in them, and what our own pages say: a line per service."""

from doorstep.care.contracts.cards import benefits_card
from doorstep.coordination.recognition.cards import recognition_cards
from doorstep.kernel.hooks.registry import Service

_PATIENT = {"patient": "Patient/{{context.patientId}}"}
# The insurance decides some benefits, and their reasons name it.
_CONTRACTED = ("Contract", "Coverage")
_BENEFITS = "居民当日可享的家庭医生签约权益及依据 / what the family-doctor contract gives the patient today, and why"
_RECOGNITION = "拟开检查已有可互认结果时提示 / says when a result stands for what is about to be ordered"

SERVICES = (
    Service(
        id="contract-benefits",
        hook="patient-view",
        title="签约权益 / Contract benefits",
        description=_BENEFITS,
        discloses=_CONTRACTED,
        answer=benefits_card,
        prefetch=_PATIENT,
    ),
    Service(
        id="contract-benefits-select",
        hook="order-select",
        title="签约权益（开单时） / Contract benefits while ordering",
        description=_BENEFITS,
        discloses=_CONTRACTED,
        answer=benefits_card,
        prefetch=_PATIENT,
    ),
    Service(
        id="recognition-select",
        hook="order-select",
        title="检查检验结果互认（选项时） / Recognition of results while choosing",
        description=_RECOGNITION,
        discloses=("DiagnosticReport",),
        answer=recognition_cards,
    ),
    Service(
        id="recognition-sign",
        hook="order-sign",
        title="检查检验结果互认（签发时） / Recognition of results while signing",
        description=_RECOGNITION,
        discloses=("DiagnosticReport",),
        answer=recognition_cards,
    ),
)
