"""Invented ECGs of the demonstration: files for visitors, recordings for the simulator, the heroine's earlier one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone
from pydicom import dcmread
from pydicom.uid import UID

from doorstep.care.diagnosis import actions
from doorstep.care.diagnosis.ecg.aecg_writing import to_aecg
from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.report import Report
from doorstep.demo.cast import actor_of_practitioner
from doorstep.demo.county import heroes
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident

FOLDER = "demo-files"
STEMI, NORMAL, NO_ECG, CUT_OFF, OTHER_PERSON = (
    "ecg-zhou-stemi.dcm", "ecg-zhou-normal.xml", "not-an-ecg.dcm", "cut-off.dcm", "someone-else.dcm",
)  # fmt: skip
# What each file is for, as the start command prints it.
PURPOSES: Final = {
    STEMI: "周桂兰，下壁 ST 段抬高 / inferior ST elevation: the loop's critical value",
    NORMAL: "周桂兰，正常（HL7 aECG）/ normal, as HL7 aECG",
    NO_ECG: "不是心电图，应被拒收 / no ECG: refused",
    CUT_OFF: "传输中断，应被拒收 / cut off: refused",
    OTHER_PERSON: "他人的心电图，应被拒收 / another person's: refused",
}
_SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")


@dataclass(frozen=True, slots=True)
class Tracing:
    """What the cart draws for a kind of the county's plan, and what a reader writes about it."""

    kind: Kind
    report: Report


def _report(findings: tuple[str, ...], text: str, conclusion: str, rate: int, critical: str = "") -> Report:
    return Report(
        findings=findings,
        findings_text=text,
        conclusion_text=conclusion,
        measurements={"heart_rate": rate},
        critical_code=critical,
    )


# By the names that `county.clock.TRACES` uses; what the cart cannot draw is drawn as its nearest relative.
TRACINGS: Final = {
    "normal": Tracing(Kind.NORMAL, _report(("sinus_rhythm",), "窦性心律，各导联 ST-T 未见异常。", "正常心电图", 72)),
    "sinus_bradycardia": Tracing(Kind.SINUS_BRADYCARDIA, _report((), "窦性心律，心室率偏慢。", "窦性心动过缓", 52)),
    "atrial_fibrillation": Tracing(
        Kind.ATRIAL_FIBRILLATION, _report((), "P 波消失，代之以 f 波，RR 间期绝对不齐。", "心房颤动", 92)
    ),
    "premature_beats": Tracing(Kind.SINUS_TACHYCARDIA, _report((), "窦性心律，心室率偏快。", "窦性心动过速", 108)),
    "st_depression": Tracing(
        Kind.LEFT_BUNDLE_BRANCH_BLOCK,
        _report((), "QRS 波增宽，呈左束支阻滞图形，继发 ST-T 改变。", "完全性左束支阻滞", 76),
    ),
    "st_elevation": Tracing(
        Kind.INFERIOR_STEMI,
        _report(("sinus_rhythm",), "II、III、aVF 导联 ST 段弓背向上抬高。", "急性下壁心肌梗死可能", 88, "acs_stemi"),
    ),
    "ventricular_tachycardia": Tracing(
        Kind.VENTRICULAR_TACHYCARDIA, _report((), "宽 QRS 心动过速，节律规则。", "室性心动过速", 178, "vt")
    ),
}


def facts_of(resident: Resident) -> PatientFacts:
    """The person as a cart writes them into its file."""
    return PatientFacts(
        name=resident.name,
        patient_id=resident.national_id or None,
        national_id=resident.national_id or None,
        birth_date=resident.birth_date,
        sex="male" if resident.gender == "male" else "female",
    )


def recording_of(resident: Resident, kind: Kind, *, seed: int, taken_at: datetime) -> bytes:
    """A cart's DICOM file of a resident."""
    return to_dicom(synthesize(kind, seed=seed, taken_at=taken_at, patient=facts_of(resident)))


def write_files(heroine: Resident, other: Resident) -> Path:
    """Write the files for visitors beside the database; returns their folder."""
    folder = Path(settings.DATA) / FOLDER
    folder.mkdir(exist_ok=True)
    now = timezone.now().replace(microsecond=0)
    stemi = recording_of(heroine, Kind.INFERIOR_STEMI, seed=11, taken_at=now - timedelta(minutes=20))
    normal = synthesize(Kind.NORMAL, seed=12, taken_at=now - timedelta(minutes=40), patient=facts_of(heroine))
    cut_off = recording_of(heroine, Kind.NORMAL, seed=14, taken_at=now - timedelta(minutes=30))
    contents = {
        STEMI: stemi,
        NORMAL: to_aecg(normal),
        NO_ECG: _picture(recording_of(heroine, Kind.NORMAL, seed=13, taken_at=now)),
        CUT_OFF: cut_off[: len(cut_off) * 3 // 5],
        OTHER_PERSON: recording_of(other, Kind.ATRIAL_FIBRILLATION, seed=15, taken_at=now - timedelta(minutes=25)),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def _picture(ecg: bytes) -> bytes:
    """The same file said to be a picture, and without its waveform."""
    dataset = dcmread(BytesIO(ecg))
    dataset.SOPClassUID = _SECONDARY_CAPTURE
    dataset.file_meta.MediaStorageSOPClassUID = _SECONDARY_CAPTURE
    dataset.Modality = "OT"
    del dataset.WaveformSequence
    out = BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def read_and_sign(order: EcgOrder, tracing: Tracing, *, practitioner_id: int) -> EcgOrder:
    """A reader of the centre claims a case, writes the report and signs it."""
    reader = actor_of_practitioner(practitioner_id)
    with acting(reader):
        claimed = actions.claim(order=order, actor=reader)
        return actions.sign(order=claimed, report=tracing.report, measurements_confirmed=True, actor=reader)


def earlier_ecg(heroine: Resident) -> EcgOrder:
    """The heroine's ECG of a year ago, brought in later and read as normal: what today's is compared with."""
    village = actor_of_practitioner(heroes.VILLAGE_DOCTOR)
    taken_at = (timezone.now() - timedelta(days=364)).replace(microsecond=0)
    data = recording_of(heroine, Kind.NORMAL, seed=10, taken_at=taken_at)
    with acting(village):
        order = actions.order_ecg(resident_id=heroine.pk, actor=village, indication="年度健康体检（补录既往心电图）")
        order = actions.attach_recording(
            order=order, data=data, name="ecg-zhou-earlier.dcm", actor=village, confirm_time=True
        )
    return read_and_sign(order, TRACINGS["normal"], practitioner_id=heroes.ECG_READER)
