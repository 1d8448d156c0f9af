"""Measure a recording and say how soon it should be read. Sorts the queue; never signs.

Loading neurokit2 takes seconds: only jobs import this module.
"""

from dataclasses import dataclass
from datetime import date, datetime

import neurokit2 as nk
import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks, resample_poly

from doorstep.care.diagnosis.ecg.measurements import Measurements, PreRead, Urgency
from doorstep.care.diagnosis.ecg.recording import LEADS, Recording
from doorstep.care.diagnosis.ecg.rules import suspicions, urgency_of

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int_]
HZ = 500
_BEFORE, _AFTER = round(0.30 * HZ), round(0.62 * HZ)
_MIN_BEATS = 3
_MIN_LIKENESS = 0.55


class _NotUsable(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class _Beat:
    """The median beat of all leads (µV against the PR segment), R at `_BEFORE`, with its limits as places."""

    leads: Floats
    onset: int
    offset: int
    t_end: int | None
    p_onset: int | None


def preread(recording: Recording) -> PreRead:
    """Measurements and suspicions of a recording; never raises. Noise gives `usable=False`, placed among the urgent."""
    try:
        measured = _measure(recording)
    except _NotUsable as reason:
        return PreRead(False, Urgency.URGENT, reason_zh=reason.zh, reason_en=reason.en)
    except Exception:  # a reader must see the recording whatever the numerics did
        return PreRead(
            False, Urgency.URGENT, reason_zh="自动分析失败，请人工阅图。", reason_en="The analysis failed; read by eye."
        )
    found = suspicions(measured, sex=recording.patient.sex, age=_age(recording.patient.birth_date, recording.taken_at))
    return PreRead(True, urgency_of(found), measured, found)


def _age(born: date | None, taken_at: datetime | None) -> int | None:
    if born is None or taken_at is None:
        return None
    day = taken_at.date()
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _measure(recording: Recording) -> Measurements:
    if len(recording.flat_leads()) > len(LEADS) // 2:
        raise _NotUsable("半数以上导联无信号，请检查电极。", "More than half of the leads are flat.")
    signal = _resampled(recording)
    peaks = _peaks(signal)
    beat = _median_beat(signal, peaks)
    intervals = np.diff(peaks) / HZ
    mean = float(np.median(intervals)) if intervals.max() > 2.5 * np.median(intervals) else float(intervals.mean())
    qrs, qt = (
        (beat.offset - beat.onset) * 1000 / HZ,
        None if beat.t_end is None else (beat.t_end - beat.onset) * 1000 / HZ,
    )
    dissociated = _dissociated_p_waves(signal, peaks, beat)
    p_onset = None if dissociated else beat.p_onset
    return Measurements(
        heart_rate=round(60 / mean, 1),
        rr_irregularity=round(_irregularity(intervals), 3),
        longest_rr_ms=round(float(max(intervals.max(), (signal.shape[1] - peaks[-1]) / HZ, peaks[0] / HZ)) * 1000),
        beats=peaks.size,
        p_waves=p_onset is not None,
        dissociated_p_waves=dissociated,
        pacing_spikes=_pacing_spikes(recording),
        pr_ms=None if p_onset is None else round((beat.onset - p_onset) * 1000 / HZ),
        qrs_ms=round(qrs),
        qt_ms=None if qt is None else round(qt),
        qtc_bazett_ms=None if qt is None else round(qt / mean**0.5),
        qtc_fridericia_ms=None if qt is None else round(qt / mean ** (1 / 3)),
        axis_degrees=_axis(beat),
        st_mm=_levels(beat, 0.04 if mean < 0.6 else 0.06),
        j_mm=_levels(beat, 0.012),
    )


def _resampled(recording: Recording) -> Floats:
    rate = round(recording.sampling_hz)
    samples = recording.samples.astype(np.float64)
    return samples if rate == HZ else np.asarray(resample_poly(samples, HZ, rate, axis=1), dtype=np.float64)


def _peaks(signal: Floats) -> Places:
    """Places of the R peaks, found on the root mean square of all leads: no single electrode decides.

    neurokit2's own finder loses wide and slow complexes and takes tall P waves for R, so a plain height rule decides.
    """
    cleaned = np.stack(
        [nk.signal_filter(row, sampling_rate=HZ, lowcut=5, highcut=30, method="butterworth") for row in signal]
    )
    power = np.sqrt((cleaned**2).mean(axis=0))
    power = np.convolve(power, np.ones(25) / 25, mode="same")
    candidates, _ = find_peaks(power, height=0.3 * float(np.percentile(power, 98)), distance=round(0.24 * HZ))
    if candidates.size == 0:
        raise _NotUsable("找不到心搏，可能是干扰或电极脱落。", "No beat was found: noise or a loose electrode.")
    peaks: Places = candidates[power[candidates] > 0.45 * np.median(power[candidates])].astype(np.int_)
    if peaks.size < _MIN_BEATS:
        raise _NotUsable(
            "找不到足够的心搏，可能是干扰或电极脱落。", "Too few beats were found: noise or a loose electrode."
        )
    return peaks


def _median_beat(signal: Floats, peaks: Places) -> _Beat:
    whole = peaks[(peaks >= _BEFORE) & (peaks + _AFTER < signal.shape[1])]
    if whole.size < _MIN_BEATS - 1:
        raise _NotUsable("找不到足够的心搏，可能是干扰或电极脱落。", "Too few whole beats were found.")
    beats = np.stack([signal[:, peak - _BEFORE : peak + _AFTER] for peak in whole])
    # the PR segment is the zero line of every beat
    quiet = slice(_BEFORE - round(0.085 * HZ), _BEFORE - round(0.06 * HZ))
    beats = beats - np.median(beats[:, :, quiet], axis=2)[:, :, None]
    median: Floats = np.median(beats, axis=0)
    qrs = slice(_BEFORE - round(0.08 * HZ), _BEFORE + round(0.10 * HZ))
    pattern = median[:, qrs].ravel()
    likeness = [float(np.corrcoef(pattern, beat[:, qrs].ravel())[0, 1]) for beat in beats]
    if not np.median(likeness) >= _MIN_LIKENESS:
        raise _NotUsable("心搏之间没有一致的波形，干扰太大。", "The beats do not resemble each other: too much noise.")
    onset, offset = _qrs_limits(median)
    median = median - np.median(median[:, max(0, onset - round(0.016 * HZ)) : onset + 1], axis=1)[:, None]
    interval = float(np.median(np.diff(peaks))) if peaks.size > 1 else HZ
    return _Beat(median, onset, offset, _t_end(median, offset, interval), _p_onset(median, beats, onset))


def _qrs_limits(median: Floats) -> tuple[int, int]:
    """Where the speed of the heart's vector rises above, and falls back to, the level of the quiet parts."""
    smooth = np.stack([np.convolve(row, np.ones(3) / 3, mode="same") for row in median])
    speed = np.sqrt((np.gradient(smooth, axis=1) ** 2).sum(axis=0))
    near = slice(_BEFORE - round(0.09 * HZ), _BEFORE + round(0.12 * HZ))
    top = float(speed[near].max())
    limit = max(0.05 * top, min(0.12 * top, 2.5 * float(np.percentile(speed, 20))))
    onset = _walk(speed, step=-1, limit=limit, reach=round(0.12 * HZ))
    offset = _walk(speed, step=1, limit=limit, reach=round(0.16 * HZ))
    return onset, offset


def _walk(speed: Floats, *, step: int, limit: float, reach: int) -> int:
    start = last = _BEFORE
    gap = round(0.016 * HZ)
    for distance in range(reach):
        place = start + step * distance
        if speed[place] >= limit:
            last = place
        elif abs(place - last) > gap:
            break
    return last


def _t_end(median: Floats, offset: int, interval: float) -> int | None:
    """End of T by the tangent at its steepest fall, on the root mean square of all leads."""
    power = np.sqrt((median**2).mean(axis=0))
    power = np.convolve(power, np.ones(11) / 11, mode="same")
    first, last = offset + round(0.05 * HZ), min(_BEFORE + round(0.72 * interval), power.size - 8)
    if last - first < round(0.08 * HZ):
        return None
    peak = first + int(np.argmax(power[first:last]))
    floor = float(power[peak:last].min())
    if power[peak] - floor < 40 or peak + 5 >= last:
        return None
    slope = np.gradient(power)[peak:last]
    steepest = peak + int(np.argmin(slope))
    fall = -float(slope.min())
    return round(steepest + (float(power[steepest]) - floor) / fall) if fall > 0 else None


def _p_onset(median: Floats, beats: Floats, onset: int) -> int | None:
    """Start of a P wave that stands before every beat; None when there is none or it is not the same each time."""
    first, last = max(0, onset - round(0.24 * HZ)), onset - round(0.03 * HZ)
    power = np.abs(median[[LEADS.index("II"), LEADS.index("aVF"), LEADS.index("V1"), LEADS.index("I")]]).mean(axis=0)
    power = np.convolve(power, np.ones(9) / 9, mode="same")
    inside = power[first:last]
    peaks, _ = find_peaks(inside, prominence=12)
    if peaks.size == 0:
        return None
    peak = int(peaks[np.argmax(inside[peaks])])
    window = slice(max(0, first + peak - 25), first + peak + 25)
    pattern = median[:, window].ravel()
    likeness = [float(np.corrcoef(pattern, beat[:, window].ravel())[0, 1]) for beat in beats]
    if not np.median(likeness) >= 0.6:
        return None
    before = inside[max(0, peak - round(0.10 * HZ)) : peak + 1]
    low = float(before.min()) + 0.15 * (float(inside[peak]) - float(before.min()))
    place = peak
    while place > 0 and inside[place] > low:
        place -= 1
    return first + place if place > 0 else None


def _dissociated_p_waves(signal: Floats, peaks: Places, beat: _Beat) -> bool:
    """Whether, with the median QRS and T taken away, regular waves remain that are clearly more than the beats."""
    if float(np.median(np.diff(peaks))) < 1.1 * HZ:
        return False
    rest = signal[LEADS.index("II")].copy()
    rest -= np.median(rest)
    pattern = beat.leads[LEADS.index("II"), beat.onset - 10 :].copy()
    for peak in peaks:
        begin = peak - _BEFORE + beat.onset - 10
        here = slice(max(0, begin), min(rest.size, begin + pattern.size))
        rest[here] -= pattern[here.start - begin : here.stop - begin]
    smooth = nk.signal_filter(rest, sampling_rate=HZ, lowcut=1, highcut=15, method="butterworth")
    height = 0.5 * float(np.percentile(smooth, 98))
    waves, _ = find_peaks(smooth, height=max(25.0, height), distance=round(0.35 * HZ), prominence=30)
    if waves.size < 1.5 * peaks.size:
        return False
    gaps = np.diff(waves)
    return bool(np.median(np.abs(gaps - np.median(gaps))) < 0.12 * np.median(gaps))


def _pacing_spikes(recording: Recording) -> bool:
    """Needles of at most 3 ms and at least 0.5 mV in several leads, three times or more."""
    width = max(1, round(0.003 * recording.sampling_hz))
    samples = recording.samples.astype(np.float64)
    middle = samples[:, width:-width]
    rise, fall = middle - samples[:, : -2 * width], middle - samples[:, 2 * width :]
    needles = (np.minimum(np.abs(rise), np.abs(fall)) > 500) & (np.sign(rise) == np.sign(fall))
    places = np.flatnonzero(needles.sum(axis=0) >= 3)
    groups = 0 if places.size == 0 else 1 + int((np.diff(places) > 0.2 * recording.sampling_hz).sum())
    return groups >= 3


def _irregularity(intervals: Floats) -> float:
    if intervals.size < 2:
        return 0.0
    return float(np.sqrt(np.mean(np.diff(intervals) ** 2)) / intervals.mean())


def _axis(beat: _Beat) -> float | None:
    """Frontal QRS axis from the areas in I and aVF; None when both are too small to say."""
    part = beat.leads[:, beat.onset : beat.offset + 1]
    one, foot = (float(part[LEADS.index(name)].mean()) for name in ("I", "aVF"))
    if max(abs(one), abs(foot)) < 25:
        return None
    return round(float(np.degrees(np.arctan2(2 * foot, one * 3**0.5))))


def _levels(beat: _Beat, seconds: float) -> dict[str, float]:
    """Level in mm this long after the J point."""
    place = beat.offset + round(seconds * HZ)
    level = beat.leads[:, place - 3 : place + 4].mean(axis=1) / 100
    return {name: round(float(value), 2) for name, value in zip(LEADS, level, strict=True)}
