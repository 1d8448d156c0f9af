"""Recordings and files for the tests of this package."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from pydicom.data import get_testdata_file

from doorstep.care.diagnosis.ecg.recording import PatientFacts, Recording
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize

TAKEN_AT: Final = datetime(2026, 3, 2, 1, 30, 15, tzinfo=UTC)
WANG: Final = PatientFacts(
    name="王小明",
    patient_id="110101196003077715",
    national_id="110101196003077715",
    birth_date=date(1960, 3, 7),
    sex="male",
)


def real_file() -> bytes:
    """The anonymous 12-lead recording that pydicom ships."""
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    return Path(str(path)).read_bytes()


def recording(
    kind: Kind = Kind.NORMAL, *, seed: int = 7, seconds: float = 10.0, sampling_hz: float = 500.0
) -> Recording:
    """A synthetic recording of Wang Xiaoming."""
    return synthesize(kind, seed=seed, taken_at=TAKEN_AT, patient=WANG, seconds=seconds, sampling_hz=sampling_hz)
