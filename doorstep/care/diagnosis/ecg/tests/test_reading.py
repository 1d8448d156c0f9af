import gzip
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file

from doorstep.care.diagnosis.ecg.aecg_writing import to_aecg
from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.reading import MAX_BYTES, fingerprint, read_recording
from doorstep.care.diagnosis.ecg.recording import INDEPENDENT_LEADS, LEADS, twelve_leads
from doorstep.care.diagnosis.ecg.refusals import EcgRefused, RefusalCode
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.ecg.tests.factories import TAKEN_AT, WANG, real_file, recording
from doorstep.care.diagnosis.ecg.wire import to_wire

DICOM = to_dicom(recording(sampling_hz=250))
AECG = to_aecg(recording(sampling_hz=250))
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]>'
    b'<AnnotatedECG xmlns="urn:hl7-org:v3">&c;</AnnotatedECG>'
)


def refusal(data: bytes) -> EcgRefused:
    with pytest.raises(EcgRefused) as caught:
        read_recording(data)
    assert caught.value.zh.endswith("。")
    assert caught.value.en.endswith(".")
    return caught.value


def test_read_recording_of_a_real_cart() -> None:
    found = read_recording(real_file())
    assert (found.format, found.sampling_hz, found.duration, found.samples.shape) == (
        "dicom",
        1000.0,
        10.0,
        (12, 10_000),
    )
    assert found.device.manufacturer == "Mortara Instrument, Inc."
    assert found.statements[:2] == ("RITMO SINUSALE", "ECG NORMALE")
    assert found.filters.high_hz == 300.0
    # sensitivity is 1.25 µV: the raw value of the largest R wave is 1570
    assert found.samples[LEADS.index("V5")].max() == 1962


@pytest.mark.parametrize("write", [to_dicom, to_aecg])
def test_read_recording_gives_back_what_was_written(write) -> None:  # type: ignore[no-untyped-def]
    source = recording()
    found = read_recording(write(source))
    assert np.array_equal(found.samples, source.samples)
    assert (found.patient, found.taken_at, found.sampling_hz) == (WANG, TAKEN_AT, 500.0)
    assert fingerprint(found) == fingerprint(source)
    assert write(source) == write(source)


def test_to_dicom_puts_another_person_in_and_keeps_nothing_of_the_first() -> None:
    written = to_dicom(read_recording(real_file()), patient=WANG)
    assert read_recording(written).patient == WANG
    assert all(trace not in written for trace in (b"642341", b"19710123", b"Galliera", b"Anonymous"))


def test_fingerprint_differs_for_another_moment_or_heart() -> None:
    first = recording()
    later = replace(first, taken_at=TAKEN_AT.replace(minute=31))
    assert len({fingerprint(first), fingerprint(later), fingerprint(recording(seed=8))}) == 3


def test_twelve_leads_derives_the_limb_leads() -> None:
    whole = recording()
    eight = {name: whole.lead(name).astype(float) for name in INDEPENDENT_LEADS}
    samples, derived = twelve_leads(eight)
    assert derived == ("III", "aVR", "aVL", "aVF")
    assert np.abs(samples - whole.samples).max() <= 1


def test_read_recording_honours_units_correction_and_baseline() -> None:
    dataset = dcmread(BytesIO(DICOM))
    for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSensitivity = "0.0005"
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = "mV"
        channel.ChannelSensitivityCorrectionFactor = "4"
        channel.ChannelBaseline = "0.1"
    target = BytesIO()
    dcmwrite(target, dataset)
    assert np.array_equal(read_recording(target.getvalue()).samples, read_recording(DICOM).samples * 2 + 100)


def test_read_recording_reads_chinese_encodings() -> None:
    text = AECG.decode().replace("encoding='utf-8'", 'encoding="GB2312"')
    assert read_recording(text.encode("gb18030")).patient.name == "王小明"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", RefusalCode.EMPTY),
        (b"\x00" * 500, RefusalCode.EMPTY),
        (b"x" * (MAX_BYTES + 1), RefusalCode.TOO_LARGE),
        (b"%PDF-1.7 ...", RefusalCode.NOT_ECG),
        (b"\xff\xd8\xff\xe0 JFIF", RefusalCode.NOT_ECG),
        (b"hello", RefusalCode.UNKNOWN_FORMAT),
        (b"<html><body/></html>", RefusalCode.NOT_ECG),
        (BOMB, RefusalCode.UNSAFE),
        (AECG[: len(AECG) // 2], RefusalCode.CUT_OFF),
        (DICOM[: len(DICOM) // 2], RefusalCode.CUT_OFF),
        (AECG.replace(b'unit="uV"', b'unit="furlong"'), RefusalCode.UNITS),
        (AECG.replace(b"MDC_ECG_LEAD_V3", b"MDC_ECG_LEAD_X9"), RefusalCode.LEADS_MISSING),
        (AECG.replace(b'<increment value="0.004"', b'<increment value="0.9"'), RefusalCode.SAMPLING_RATE),
        (to_dicom(recording(seconds=5.0)), RefusalCode.TOO_SHORT),
        (to_dicom(recording(Kind.FLAT)), RefusalCode.FLAT),
    ],
)
def test_read_recording_refuses(data: bytes, code: RefusalCode) -> None:
    assert refusal(data).code == code


def _head(data: bytes) -> bytes:
    """A DICOM file up to the end of its meta information, whose length stands in the first element."""
    return data[: 144 + int.from_bytes(data[140:144], "little")]


@pytest.mark.parametrize("kind", ["items", "elements", "within an item", "xml"])
def test_read_recording_of_countless_empty_pieces_is_refused_at_once(kind: str) -> None:
    sequence, count = b"\x00\x54\x00\x01SQ\x00\x00", 220_000
    # In groups of vendors, tags that no two of them share.
    empty = b"".join(
        (0x0011 + 2 * (one // 50_000)).to_bytes(2, "little") + (0x1000 + one % 50_000).to_bytes(2, "little") + b"LO\0\0"
        for one in range(count)
    )
    item = b"\xfe\xff\x00\xe0"
    within = item + len(empty).to_bytes(4, "little") + empty
    bodies = {
        "items": sequence + (8 * count).to_bytes(4, "little") + (item + b"\0\0\0\0") * count,
        "elements": empty,
        "within an item": sequence + len(within).to_bytes(4, "little") + within,
    }
    head = _head(to_dicom(recording()))
    data = head + bodies[kind] if kind in bodies else b'<AnnotatedECG xmlns="urn:hl7-org:v3">' + b"<a/>" * count
    with pytest.raises(EcgRefused) as refused:
        read_recording(data)
    assert refused.value.code is RefusalCode.UNSAFE


def test_read_recording_refuses_a_ct() -> None:
    found = refusal(Path(str(get_testdata_file("CT_small.dcm", download=False))).read_bytes())
    assert found.code == RefusalCode.NOT_ECG
    assert "CT Image Storage" in found.zh


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([DICOM, AECG]),
    st.floats(0, 1),
    # the headers are damaged more often than the samples: there is more to break
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12),
)
def test_read_recording_of_damaged_bytes_raises_only_refusals(
    source: bytes, share: float, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(source[: round(share * len(source))])
    for place, value in changes:
        if place < len(damaged):
            damaged[place] = value
    try:
        read_recording(bytes(damaged))
    except EcgRefused:
        return


def test_to_wire_is_small_and_exact() -> None:
    source = recording()
    wire = to_wire(source)
    assert wire["microvolts_per_unit"] == 1.0
    assert wire["leads"] == list(LEADS)
    assert len(gzip.compress(json.dumps(wire).encode())) < 150_000


def test_to_wire_widens_the_unit_for_giant_samples() -> None:
    source = recording()
    giant = replace(source, samples=source.samples * 100)
    assert to_wire(giant)["microvolts_per_unit"] > 1.0


def test_synthesize_is_the_same_for_the_same_seed() -> None:
    assert np.array_equal(synthesize(Kind.PAUSE, seed=5).samples, synthesize(Kind.PAUSE, seed=5).samples)
    assert not np.array_equal(synthesize(Kind.PAUSE, seed=5).samples, synthesize(Kind.PAUSE, seed=6).samples)
