"""What an ECG report says, already decided and worded: the page adds nothing."""

from dataclasses import dataclass
from datetime import date, datetime

from doorstep.care.diagnosis.ecg.recording import Recording, Sex


@dataclass(frozen=True)
class ReportFacts:
    """One signed report. Instants are aware. `measurements` are label and value as the reader left them."""

    centre: str
    requester: str
    report_number: str
    name: str
    sex: Sex | None
    birth_date: date | None
    resident_number: str
    complaint: str
    recording: Recording
    measurements: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    conclusion: str
    critical: str
    reader: str
    verifier: str
    recorded_at: datetime
    reported_at: datetime
    url: str
