"""Recordings that no journey has sent before."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.demo.county.heroes import HeroResident, hero_residents

NAME = "周桂兰"


def heroine() -> HeroResident:
    """周桂兰 as the demo county knows her."""
    return hero_residents(datetime.now(ZoneInfo("Asia/Shanghai")).date())[0]


def fresh_file(folder: Path, kind: Kind = Kind.INFERIOR_STEMI) -> Path:
    """A new DICOM recording of 周桂兰."""
    number = heroine().national_id
    facts = PatientFacts(name=NAME, patient_id=number, national_id=number)
    taken_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    path = folder / "fresh.dcm"
    path.write_bytes(to_dicom(synthesize(kind, seed=time.time_ns() % 10_000_000, taken_at=taken_at, patient=facts)))
    return path
