"""The door for recordings: bytes in, a checked recording or a refusal with a cure out."""

import hashlib
from typing import Final

import numpy as np

from doorstep.care.diagnosis.ecg.aecg import read_aecg
from doorstep.care.diagnosis.ecg.dicom import read_dicom
from doorstep.care.diagnosis.ecg.recording import INDEPENDENT_LEADS, LEADS, Recording
from doorstep.care.diagnosis.ecg.refusals import EcgRefused, RefusalCode

MAX_BYTES: Final = 20 * 1024 * 1024
MIN_SECONDS: Final = 8.0
MAX_SECONDS: Final = 300.0
MIN_HZ: Final = 100.0
MAX_HZ: Final = 8000.0
IMPLAUSIBLE_SPAN_MICROVOLTS: Final = 30_000.0
_OTHER_KINDS: Final = (
    (b"%PDF", "一份 PDF 文件", "a PDF file"),
    (b"\xff\xd8\xff", "一张 JPEG 图片", "a JPEG picture"),
    (b"\x89PNG", "一张 PNG 图片", "a PNG picture"),
    (b"GIF8", "一张 GIF 图片", "a GIF picture"),
    (b"BM", "一张 BMP 图片", "a BMP picture"),
    (b"II*\x00", "一张 TIFF 图片", "a TIFF picture"),
    (b"PK\x03\x04", "一个压缩包或 Office 文件", "a zip archive or an Office file"),
    (b"Rar!", "一个压缩包", "a rar archive"),
    (b"\xd0\xcf\x11\xe0", "一份 Office 文件", "an Office file"),
)
_XML_STARTS: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def read_recording(data: bytes) -> Recording:
    """The recording in a DICOM or aECG file, told apart by content, not by name.

    Raises EcgRefused, and nothing else, for whatever cannot be read as a resting 12-lead ECG of 8 s or more.
    """
    if not data or not data.strip(b"\x00 \r\n\t"):
        raise EcgRefused(RefusalCode.EMPTY)
    if len(data) > MAX_BYTES:
        raise EcgRefused(RefusalCode.TOO_LARGE, size_mb=len(data) / 1024 / 1024, limit_mb=MAX_BYTES // 1024 // 1024)
    recording = _read(data)
    _check_plausible(recording)
    return recording


def fingerprint(recording: Recording) -> str:
    """SHA-256 (hex) of the moment to the second, the rate and the eight independent leads in microvolts.

    The same recording in another container, or with the derived leads left out, has the same fingerprint.
    """
    digest = hashlib.sha256()
    moment = recording.taken_at.strftime("%Y%m%d%H%M%S") if recording.taken_at else "-"
    digest.update(f"{moment}|{recording.sampling_hz:.3f}|".encode())
    for name in INDEPENDENT_LEADS:
        digest.update(np.ascontiguousarray(recording.lead(name), dtype="<i4").tobytes())
    return digest.hexdigest()


def _read(data: bytes) -> Recording:
    if data[128:132] == b"DICM":
        return read_dicom(data)
    start = data[:64].lstrip()
    for magic, kind_zh, kind_en in _OTHER_KINDS:
        if start.startswith(magic):
            raise EcgRefused(RefusalCode.NOT_ECG, kind_zh=kind_zh, kind_en=kind_en)
    if start.startswith(_XML_STARTS):
        return read_aecg(data)
    raise EcgRefused(RefusalCode.UNKNOWN_FORMAT)


def _check_plausible(recording: Recording) -> None:
    if not MIN_HZ <= recording.sampling_hz <= MAX_HZ:
        raise EcgRefused(RefusalCode.SAMPLING_RATE, rate=f"{recording.sampling_hz:g}", minimum=MIN_HZ, maximum=MAX_HZ)
    if recording.duration < MIN_SECONDS:
        raise EcgRefused(RefusalCode.TOO_SHORT, seconds=recording.duration, minimum=MIN_SECONDS)
    if recording.duration > MAX_SECONDS:
        raise EcgRefused(RefusalCode.TOO_LONG, seconds=recording.duration, maximum=MAX_SECONDS)
    if len(recording.flat_leads()) == len(LEADS):
        raise EcgRefused(RefusalCode.FLAT)
    low, high = np.percentile(recording.samples, (10, 90), axis=1)
    widest = int(np.argmax(high - low))
    if float(np.median(high - low)) > IMPLAUSIBLE_SPAN_MICROVOLTS:
        raise EcgRefused(RefusalCode.UNITS, lead=LEADS[widest], detail=f"{(high - low)[widest] / 1000:.0f} mV")
