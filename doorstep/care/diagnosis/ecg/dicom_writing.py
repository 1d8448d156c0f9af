"""Write a recording as a DICOM 12-lead ECG Waveform object (DICOM PS3.3 A.34.3), for exchange, demonstration
and tests."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from doorstep.care.diagnosis.ecg.dicom import TWELVE_LEAD
from doorstep.care.diagnosis.ecg.recording import LEADS, PatientFacts, Recording
from doorstep.care.diagnosis.ecg.units import CART_ZONE

_MDC_CODES: Final = {
    "I": "2:1", "II": "2:2", "III": "2:61", "aVR": "2:62", "aVL": "2:63", "aVF": "2:64",
    "V1": "2:3", "V2": "2:4", "V3": "2:5", "V4": "2:6", "V5": "2:7", "V6": "2:8",
}  # fmt: skip
_SEX_CODES: Final = {"male": "M", "female": "F", None: ""}


def to_dicom(recording: Recording, *, patient: PatientFacts | None = None, instance_uid: str | None = None) -> bytes:
    """The recording as DICOM bytes, with `patient` in place of the recording's own person when given.

    Nothing of the source but waveform, device and filters is carried over, so another person's identity cannot
    leak through.
    Deterministic: the same recording and person give the same bytes. Unique identifiers derive from the
    content (2.25.UUID)
    unless `instance_uid` is given. ValueError when a sample exceeds ±32.767 mV, which 16 bits at 1 µV cannot hold.
    """
    person = patient if patient is not None else recording.patient
    taken_at = recording.taken_at or datetime(2000, 1, 1, tzinfo=UTC)
    dataset = Dataset()
    _identify(dataset, recording, taken_at, instance_uid)
    _name_person(dataset, person)
    dataset.Manufacturer = recording.device.manufacturer or "Unknown"
    dataset.ManufacturerModelName = recording.device.model or "Unknown"
    dataset.DeviceSerialNumber = recording.device.serial or ""
    dataset.AcquisitionContextSequence = Sequence([])
    dataset.WaveformSequence = Sequence([_rhythm(recording)])
    dataset.file_meta = _file_meta(dataset.SOPInstanceUID)
    target = BytesIO()
    dcmwrite(target, dataset, enforce_file_format=True)
    return target.getvalue()


def _identify(dataset: Dataset, recording: Recording, taken_at: datetime, instance_uid: str | None) -> None:
    seed = recording.samples.tobytes().hex()[:4096] + taken_at.isoformat() + recording.instance_id
    local = taken_at.astimezone(CART_ZONE)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = UID(TWELVE_LEAD)
    dataset.SOPInstanceUID = UID(instance_uid or _uid("instance" + seed))
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = UID(_uid("study" + seed)), UID(_uid("series" + seed))
    dataset.Modality = "ECG"
    dataset.StudyDate = dataset.ContentDate = local.strftime("%Y%m%d")
    dataset.StudyTime = dataset.ContentTime = local.strftime("%H%M%S")
    dataset.AcquisitionDateTime = local.strftime("%Y%m%d%H%M%S.%f%z")
    dataset.TimezoneOffsetFromUTC = local.strftime("%z")
    dataset.AccessionNumber = dataset.StudyID = dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = dataset.InstanceNumber = 1


def _name_person(dataset: Dataset, person: PatientFacts) -> None:
    dataset.PatientName = person.name or ""
    dataset.PatientID = person.patient_id or person.national_id or ""
    dataset.PatientBirthDate = person.birth_date.strftime("%Y%m%d") if person.birth_date else ""
    dataset.PatientSex = _SEX_CODES[person.sex]


def _rhythm(recording: Recording) -> Dataset:
    if int(np.abs(recording.samples).max(initial=0)) > 32_767:
        raise ValueError("a sample exceeds ±32.767 mV")
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = recording.samples.shape
    group.SamplingFrequency = f"{recording.sampling_hz:g}"
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = Sequence([_channel(name, recording) for name in LEADS])
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.WaveformData = np.ascontiguousarray(recording.samples.T.astype("<i2")).tobytes()
    return group


def _channel(lead: str, recording: Recording) -> Dataset:
    channel = Dataset()
    channel.ChannelSourceSequence = Sequence([_code(_MDC_CODES[lead], "MDC", f"Lead {lead}")])
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = Sequence([_code("uV", "UCUM", "microvolt")])
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    filters = recording.filters
    if filters.high_hz is not None:
        channel.FilterLowFrequency = f"{filters.low_hz or 0:g}"
        channel.FilterHighFrequency = f"{filters.high_hz:g}"
        channel.NotchFilterFrequency = f"{filters.notch_hz or 0:g}"
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _file_meta(instance_uid: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(TWELVE_LEAD), instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_uid("doorstep"))
    return meta


def _uid(seed: str) -> str:
    return f"2.25.{UUID(str(uuid5(NAMESPACE_OID, seed))).int}"
