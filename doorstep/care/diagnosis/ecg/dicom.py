"""Read DICOM 12-lead ECG and General ECG Waveform Storage (DICOM PS3.3 A.34.3, A.34.4 and C.10.9)."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_sequence
from pydicom.uid import UID

from doorstep.care.diagnosis.ecg.recording import Device, Filters, PatientFacts, Recording, missing_leads, twelve_leads
from doorstep.care.diagnosis.ecg.refusals import EcgRefused, RefusalCode
from doorstep.care.diagnosis.ecg.units import (
    date_of,
    finite,
    instant_of,
    lead_named,
    microvolts_per,
    national_id_in,
    sex_of,
)

TWELVE_LEAD: Final = "1.2.840.10008.5.1.4.1.1.9.1.1"
GENERAL_ECG: Final = "1.2.840.10008.5.1.4.1.1.9.1.2"
_DEFLATED: Final = (b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.8.1")
# A piece is a tag, a length or a value; five minutes with every beat annotated take some ninety thousand.
_MOST_READS: Final = 200_000
_LEAD_CODES: Final = {
    "1": "I", "2": "II", "3": "V1", "4": "V2", "5": "V3", "6": "V4", "7": "V5", "8": "V6",
    "61": "III", "62": "aVR", "63": "aVL", "64": "aVF",
}  # fmt: skip
_SAMPLE_TYPES: Final = {
    ("SB", 8): "i1", ("UB", 8): "u1", ("SS", 16): "i2", ("US", 16): "u2", ("SL", 32): "i4", ("UL", 32): "u4",
}  # fmt: skip
Floats = npt.NDArray[np.float64]


def read_dicom(data: bytes) -> Recording:
    """The recording in a DICOM file; EcgRefused when it is no ECG, cut off, or lacks leads or units.

    Of several multiplex groups the longest is the rhythm; a median beat is shorter and left aside. Other
    groups with the
    same rate, length and start may add leads.
    """
    if any(uid in data for uid in _DEFLATED):
        raise EcgRefused(
            RefusalCode.UNSAFE, detail_zh="DICOM 数据被压缩打包", detail_en="the DICOM data set is deflated"
        )
    spent = _Spent()
    try:
        dataset = dcmread(_Counted(data, spent))
        _unfold(dataset, spent)
        return _recording(dataset)
    except EcgRefused:
        raise
    except EOFError as error:
        raise EcgRefused(
            RefusalCode.CUT_OFF, detail_zh="DICOM 数据没有读完就结束了", detail_en="the data set ends early"
        ) from error
    except (
        Exception
    ) as error:  # pydicom meets damaged bytes with a dozen kinds of exception, among them its own parser's
        if spent.reads > _MOST_READS:
            # The parser made its own exception of ours.
            raise _crowded() from error
        raise EcgRefused(
            RefusalCode.MALFORMED, detail_zh="DICOM 结构读不通", detail_en="the DICOM structure is broken"
        ) from error


@dataclass(slots=True)
class _Spent:
    """How often a file and the sequences within it were read from."""

    reads: int = 0


class _Counted(BytesIO):
    """Bytes that stop being read after as many pieces as no recording has.

    Two megabytes of empty items keep the parser busy for ten seconds and take a hundred times their size of memory.
    """

    def __init__(self, data: bytes, spent: _Spent) -> None:
        super().__init__(data)
        self._spent = spent

    def read(self, size: int | None = -1, /) -> bytes:
        self._spent.reads += 1
        if self._spent.reads > _MOST_READS:
            raise _crowded()
        return super().read(size)


def _crowded() -> EcgRefused:
    return EcgRefused(RefusalCode.UNSAFE, detail_zh="DICOM 数据元素过多", detail_en="too many DICOM data elements")


def _unfold(dataset: Dataset, spent: _Spent) -> None:
    """Read the sequences of a data set now and by the same count: by itself the parser would when they are asked for, without one."""
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes) or not _is_sequence(raw):
            continue
        items = read_sequence(
            _Counted(raw.value, spent),
            raw.is_implicit_VR,
            raw.is_little_endian,
            len(raw.value),
            dataset.original_character_set or default_encoding,
        )
        for item in items:
            _unfold(item, spent)
        dataset[tag] = DataElement(tag, "SQ", items)


def _is_sequence(raw: RawDataElement) -> bool:
    if raw.VR in (None, "UN"):
        return dictionary_has_tag(raw.tag) and dictionary_VR(raw.tag) == "SQ"
    return bool(raw.VR == "SQ")


def _recording(dataset: Dataset) -> Recording:
    _check_kind(dataset)
    groups = [_Group(item) for item in dataset.get("WaveformSequence") or ()]
    if not groups:
        raise EcgRefused(RefusalCode.CUT_OFF, detail_zh="没有波形数据", detail_en="there is no waveform")
    rhythm = max(groups, key=lambda group: group.seconds)
    found: dict[str, Floats] = {}
    for group in [rhythm, *groups]:
        if group.like(rhythm):
            found = group.leads() | found
    if missing := missing_leads(set(found)):
        raise EcgRefused(RefusalCode.LEADS_MISSING, leads="、".join(missing))
    samples, derived = twelve_leads(found)
    return Recording(
        format="dicom",
        taken_at=_taken_at(dataset),
        patient=_patient(dataset),
        device=Device(
            _text(dataset, "Manufacturer"),
            _text(dataset, "ManufacturerModelName"),
            _text(dataset, "DeviceSerialNumber"),
        ),
        sampling_hz=rhythm.sampling_hz,
        samples=samples,
        instance_id=_text(dataset, "SOPInstanceUID") or "",
        filters=rhythm.filters(),
        statements=_statements(dataset),
        derived_leads=derived,
    )


def _check_kind(dataset: Dataset) -> None:
    kind = str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if kind in (TWELVE_LEAD, GENERAL_ECG):
        return
    if not kind:
        raise EcgRefused(RefusalCode.CUT_OFF, detail_zh="DICOM 头不完整", detail_en="the DICOM header is incomplete")
    name = UID(kind).name
    raise EcgRefused(
        RefusalCode.NOT_ECG, kind_zh=f"一份 DICOM 文件（{name}）", kind_en=f"a DICOM file of the kind {name}"
    )


class _Group:
    """One multiplex group: channels sampled together."""

    def __init__(self, item: Dataset) -> None:
        self.item = item
        self.sampling_hz = finite(item.get("SamplingFrequency")) or 0.0
        self.count = int(item.get("NumberOfWaveformSamples") or 0)
        self.channels = list(item.get("ChannelDefinitionSequence") or ())
        self.offset = finite(item.get("MultiplexGroupTimeOffset")) or 0.0

    @property
    def seconds(self) -> float:
        return self.count / self.sampling_hz if self.sampling_hz > 0 else 0.0

    def like(self, other: "_Group") -> bool:
        return (self.sampling_hz, self.count, self.offset) == (other.sampling_hz, other.count, other.offset)

    def leads(self) -> dict[str, Floats]:
        raw = self._raw()
        padding = self._padding()
        found: dict[str, Floats] = {}
        for index, channel in enumerate(self.channels):
            name = _lead_of(channel)
            if name is None or name in found:
                continue
            factor, baseline = _scale(channel, name)
            values = raw[:, index].astype(np.float64) * factor + baseline
            if padding is not None:
                values[raw[:, index] == padding] = 0.0
            if not np.all(np.abs(values) < 2_000_000_000):
                raise EcgRefused(RefusalCode.UNITS, lead=name, detail="µV > 2·10⁹")
            found[name] = values
        return found

    def filters(self) -> Filters:
        for channel in self.channels:
            if "FilterHighFrequency" in channel:
                names = ("FilterLowFrequency", "FilterHighFrequency", "NotchFilterFrequency")
                low, high, notch = (finite(channel.get(name)) or None for name in names)
                return Filters(low, high, notch)
        return Filters()

    def _raw(self) -> npt.NDArray[np.integer]:
        kind = _SAMPLE_TYPES.get(
            (str(self.item.get("WaveformSampleInterpretation")), int(self.item.get("WaveformBitsAllocated") or 0))
        )
        if kind is None:
            raise EcgRefused(
                RefusalCode.MALFORMED, detail_zh="不支持的采样编码", detail_en="sample coding not supported"
            )
        declared = int(self.item.get("NumberOfWaveformChannels") or 0)
        if declared < 1 or declared != len(self.channels):
            raise EcgRefused(RefusalCode.MALFORMED, detail_zh="通道数前后不一致", detail_en="channel counts disagree")
        size = declared * self.count * int(kind[1])
        data = self.item.get("WaveformData") or b""
        if self.count < 1 or len(data) < size:
            raise EcgRefused(
                RefusalCode.CUT_OFF,
                detail_zh=f"应有 {size} 字节波形，实际只有 {len(data)} 字节",
                detail_en=f"{size} bytes of waveform were announced, {len(data)} are there",
            )
        return np.frombuffer(data[:size], dtype=f"<{kind}").reshape(self.count, declared)

    def _padding(self) -> int | None:
        value = self.item.get("WaveformPaddingValue")
        return int.from_bytes(value, "little", signed=True) if isinstance(value, bytes) and value else None


def _lead_of(channel: Dataset) -> str | None:
    for source in channel.get("ChannelSourceSequence") or ():
        code, scheme = str(source.get("CodeValue") or ""), str(source.get("CodingSchemeDesignator") or "")
        if scheme == "SCPECG" and code.startswith("5.6.3-9-"):
            return _LEAD_CODES.get(code.removeprefix("5.6.3-9-"))
        if scheme == "MDC" and code.startswith("2:"):
            return _LEAD_CODES.get(code.removeprefix("2:"))
        if name := lead_named(str(source.get("CodeMeaning") or "")):
            return name
    return lead_named(str(channel.get("ChannelLabel") or ""))


def _scale(channel: Dataset, lead: str) -> tuple[float, float]:
    """Microvolts per encoded unit and offset in microvolts: value = encoded x sensitivity x correction + baseline."""
    unit = next((str(code.get("CodeValue") or "") for code in channel.get("ChannelSensitivityUnitsSequence") or ()), "")
    per_unit = microvolts_per(unit)
    if per_unit is None:
        raise EcgRefused(RefusalCode.UNITS, lead=lead, detail=f"“{unit}”")
    sensitivity = finite(channel.get("ChannelSensitivity"))
    correction = finite(channel.get("ChannelSensitivityCorrectionFactor", 1))
    if not sensitivity or not correction:
        raise EcgRefused(RefusalCode.UNITS, lead=lead, detail=f"{channel.get('ChannelSensitivity')}")
    return sensitivity * correction * per_unit, (finite(channel.get("ChannelBaseline")) or 0.0) * per_unit


def _taken_at(dataset: Dataset) -> datetime | None:
    offset = _text(dataset, "TimezoneOffsetFromUTC")
    if instant := instant_of(_text(dataset, "AcquisitionDateTime"), offset=offset):
        return instant
    for kind in ("Acquisition", "Content", "Study"):
        day, clock = _text(dataset, f"{kind}Date"), _text(dataset, f"{kind}Time")
        if day and clock and (instant := instant_of(day + clock, offset=offset)):
            return instant
    return None


def _patient(dataset: Dataset) -> PatientFacts:
    patient_id = _text(dataset, "PatientID")
    others = [
        _text(dataset, "OtherPatientIDs"),
        *(_text(item, "PatientID") for item in dataset.get("OtherPatientIDsSequence") or ()),
    ]
    return PatientFacts(
        name=_text(dataset, "PatientName"),
        patient_id=patient_id,
        national_id=national_id_in(patient_id, *others),
        birth_date=date_of(_text(dataset, "PatientBirthDate")),
        sex=sex_of(_text(dataset, "PatientSex")),
    )


def _statements(dataset: Dataset) -> tuple[str, ...]:
    """What the cart itself says: free text lines first, then its measurements."""
    texts: list[str] = []
    for item in dataset.get("WaveformAnnotationSequence") or ():
        if text := _text(item, "UnformattedTextValue"):
            texts.append(text)
        elif "NumericValue" in item:
            name = next((_text(code, "CodeMeaning") for code in item.get("ConceptNameCodeSequence") or ()), None)
            unit = next((_text(code, "CodeValue") for code in item.get("MeasurementUnitsCodeSequence") or ()), None)
            texts.append(f"{name}: {item.NumericValue} {unit or ''}".strip())
    return tuple(texts[:60])


def _text(dataset: Dataset, keyword: str) -> str | None:
    return str(dataset.get(keyword) or "").strip() or None
