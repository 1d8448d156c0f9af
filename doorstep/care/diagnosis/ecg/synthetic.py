"""Invented 12-lead recordings, the same for the same seed: for the demonstration county, tests and training.

Each wave is a bell in the eight independent leads; the other limb leads follow by Einthoven and Goldberger, so
a recording is
consistent in itself. Amplitudes and times were set by eye to look like textbook tracings; they stand for no patient.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from doorstep.care.diagnosis.ecg.recording import (
    INDEPENDENT_LEADS,
    Device,
    Filters,
    PatientFacts,
    Recording,
    twelve_leads,
)

Floats = npt.NDArray[np.float64]
Amplitudes = tuple[float, float, float, float, float, float, float, float]


class Kind(StrEnum):
    """What the invented heart does."""

    NORMAL = "normal"
    SINUS_BRADYCARDIA = "sinus_bradycardia"
    SINUS_TACHYCARDIA = "sinus_tachycardia"
    SEVERE_BRADYCARDIA = "severe_bradycardia"
    ATRIAL_FIBRILLATION = "atrial_fibrillation"
    INFERIOR_STEMI = "inferior_stemi"
    ANTERIOR_STEMI = "anterior_stemi"
    LEFT_BUNDLE_BRANCH_BLOCK = "left_bundle_branch_block"
    VENTRICULAR_TACHYCARDIA = "ventricular_tachycardia"
    PAUSE = "pause"
    COMPLETE_AV_BLOCK = "complete_av_block"
    LONG_QT = "long_qt"
    NOISE = "noise"
    FLAT = "flat"


@dataclass(frozen=True)
class Wave:
    """A bell `centre` seconds after the R peak, `width` seconds of standard deviation, microvolts in I, II, V1
    to V6."""

    centre: float
    width: float
    microvolts: Amplitudes


@dataclass(frozen=True)
class Heart:
    """A rhythm and a beat. `spread` is the standard deviation of RR as a share of RR."""

    rate: float
    spread: float
    atrial: tuple[Wave, ...]
    ventricular: tuple[Wave, ...]
    repolarisation: tuple[Wave, ...]
    st_microvolts: Amplitudes | None = None
    fibrillates: bool = False
    pause_seconds: float = 0.0
    atrial_rate: float | None = None


_P: Final = (Wave(-0.148, 0.020, (60, 115, 45, 60, 60, 55, 50, 45)),)
_QRS: Final = (
    Wave(-0.024, 0.0075, (-45, -60, 0, 0, 0, -40, -80, -90)),
    Wave(0.0, 0.0105, (720, 1080, 190, 420, 780, 1450, 1500, 1150)),
    Wave(0.026, 0.0105, (-110, -160, -880, -1350, -950, -480, -160, -60)),
)
_T: Final = (
    Wave(0.228, 0.052, (105, 150, -35, 220, 260, 230, 175, 130)),
    Wave(0.258, 0.032, (105, 160, -30, 240, 270, 235, 180, 130)),
)
_LATE_T: Final = tuple(replace(wave, centre=wave.centre + 0.15) for wave in _T)
_LBBB_QRS: Final = (
    Wave(-0.018, 0.017, (420, 380, -250, -350, -250, 250, 700, 850)),
    Wave(0.036, 0.021, (620, 300, -1150, -1750, -1500, -450, 650, 950)),
)
_LBBB_T: Final = (Wave(0.27, 0.055, (-170, -60, 320, 560, 480, 190, -200, -280)),)
_WIDE_QRS: Final = (
    Wave(-0.02, 0.026, (300, -600, 900, 700, 300, -300, -600, -700)),
    Wave(0.045, 0.030, (500, -900, 1000, 500, -300, -700, -900, -900)),
)
_WIDE_T: Final = (Wave(0.20, 0.04, (-250, 400, -450, -300, 150, 350, 400, 400)),)
_INFERIOR_ST: Final[Amplitudes] = (-120, 260, 10, -110, -90, -40, 20, 60)
_ANTERIOR_ST: Final[Amplitudes] = (60, -60, 170, 390, 470, 360, 170, 60)
_ANTERIOR_QRS: Final = (
    Wave(-0.020, 0.011, (-60, -50, -350, -500, -500, -350, -120, -80)),
    Wave(0.004, 0.0105, (650, 900, 60, 120, 200, 600, 950, 900)),
    Wave(0.028, 0.0110, (-60, -140, -600, -700, -500, -250, -110, -50)),
)

_NORMAL: Final = Heart(72, 0.025, _P, _QRS, _T)
_HEARTS: Final[dict[Kind, Heart]] = {
    Kind.NORMAL: _NORMAL,
    Kind.SINUS_BRADYCARDIA: replace(_NORMAL, rate=52),
    Kind.SINUS_TACHYCARDIA: replace(_NORMAL, rate=118, spread=0.012),
    Kind.SEVERE_BRADYCARDIA: replace(_NORMAL, rate=34),
    Kind.ATRIAL_FIBRILLATION: replace(_NORMAL, rate=98, spread=0.21, atrial=(), fibrillates=True),
    Kind.INFERIOR_STEMI: replace(_NORMAL, rate=64, st_microvolts=_INFERIOR_ST),
    Kind.ANTERIOR_STEMI: replace(_NORMAL, rate=92, ventricular=_ANTERIOR_QRS, st_microvolts=_ANTERIOR_ST),
    Kind.LEFT_BUNDLE_BRANCH_BLOCK: replace(_NORMAL, rate=76, ventricular=_LBBB_QRS, repolarisation=_LBBB_T),
    Kind.VENTRICULAR_TACHYCARDIA: Heart(178, 0.008, (), _WIDE_QRS, _WIDE_T),
    Kind.PAUSE: replace(_NORMAL, rate=68, pause_seconds=3.6),
    Kind.COMPLETE_AV_BLOCK: Heart(36, 0.006, _P, _LBBB_QRS, _LBBB_T, atrial_rate=84),
    Kind.LONG_QT: replace(_NORMAL, rate=66, repolarisation=_LATE_T),
}


def synthesize(
    kind: Kind,
    *,
    seed: int,
    taken_at: datetime | None = None,
    patient: PatientFacts | None = None,
    rate: float | None = None,
    seconds: float = 10.0,
    sampling_hz: float = 500.0,
) -> Recording:
    """An invented recording of `kind`; `rate` (beats a minute) replaces the usual one of the kind."""
    random = np.random.default_rng([seed, list(Kind).index(kind)])
    time = np.arange(round(seconds * sampling_hz)) / sampling_hz
    if kind is Kind.FLAT:
        found = np.zeros((len(INDEPENDENT_LEADS), time.size))
    elif kind is Kind.NOISE:
        found = _noise(time, random)
    else:
        heart = _HEARTS[kind]
        found = _heart(replace(heart, rate=rate) if rate else heart, time, random) + _cart_noise(time, random)
    samples, derived = twelve_leads(dict(zip(INDEPENDENT_LEADS, found, strict=True)))
    return Recording(
        format="dicom",
        taken_at=taken_at,
        patient=patient or PatientFacts(),
        device=Device("Doorstep", "Synthetic", f"S{seed:06d}"),
        sampling_hz=sampling_hz,
        samples=samples,
        instance_id=f"2.25.{seed * 100 + list(Kind).index(kind) + 1}",
        filters=Filters(0.05, 150.0, 50.0),
        derived_leads=derived,
    )


def _heart(heart: Heart, time: Floats, random: np.random.Generator) -> Floats:
    peaks = _beats(heart, float(time[-1]), random)
    build = random.normal(1.0, 0.10, len(INDEPENDENT_LEADS))[:, None] * random.uniform(0.85, 1.15)
    traces: Floats = np.zeros((len(INDEPENDENT_LEADS), time.size))
    for index, peak in enumerate(peaks):
        interval = peak - peaks[index - 1] if index else 60 / heart.rate
        # repolarisation follows the beat before it: a shorter RR brings an earlier T (Bazett's square root)
        stretch = float(np.clip(np.sqrt(interval), 0.62, 1.12))
        for wave in heart.ventricular:
            traces += _bell(wave, time, peak, 1.0)
        for wave in heart.repolarisation:
            traces += _bell(wave, time, peak, stretch)
        if heart.st_microvolts:
            traces += _plateau(heart.st_microvolts, time, peak, stretch)
        if heart.atrial_rate is None:
            traces += sum((_bell(wave, time, peak, 1.0) for wave in heart.atrial), np.zeros_like(traces))
    if heart.atrial_rate is not None:
        for start in np.arange(random.uniform(0, 0.6), time[-1] + 1, 60 / heart.atrial_rate):
            traces += sum(
                (_bell(replace(wave, centre=0.0), time, start, 1.0) for wave in heart.atrial), np.zeros_like(traces)
            )
    if heart.fibrillates:
        traces += _fibrillation(time, random)
    return traces * build


def _beats(heart: Heart, seconds: float, random: np.random.Generator) -> list[float]:
    interval = 60 / heart.rate
    peaks = [random.uniform(0.25, 0.25 + min(interval, 0.8)) - interval]
    breathing = random.uniform(0.2, 0.3)
    paused = False
    while peaks[-1] < seconds + 1:
        if heart.fibrillates:
            step = interval * float(np.clip(random.normal(1, heart.spread), 0.55, 1.7))
        else:
            step = interval * (
                1 + heart.spread * np.sin(2 * np.pi * breathing * peaks[-1]) + random.normal(0, heart.spread / 4)
            )
        if heart.pause_seconds and not paused and peaks[-1] > seconds * 0.35:
            step, paused = heart.pause_seconds, True
        peaks.append(peaks[-1] + step)
    return peaks


def _bell(wave: Wave, time: Floats, peak: float, stretch: float) -> Floats:
    shape = np.exp(-0.5 * ((time - peak - wave.centre * stretch) / wave.width) ** 2)
    traces: Floats = np.outer(wave.microvolts, shape)
    return traces


def _plateau(microvolts: Amplitudes, time: Floats, peak: float, stretch: float) -> Floats:
    """ST segment that leaves the baseline at the J point and flows into the T wave."""
    after = np.clip(time - peak, -1, 2)
    rise = 1 / (1 + np.exp(-(after - 0.036) / 0.005))
    fall = 1 / (1 + np.exp((after - 0.25 * stretch) / 0.028))
    return np.outer(microvolts, rise * fall)


def _fibrillation(time: Floats, random: np.random.Generator) -> Floats:
    """Fibrillatory waves of 5 to 8 Hz that wax and wane, largest in V1."""
    wave = np.zeros_like(time)
    for frequency in random.uniform(5.0, 8.0, 4):
        swell = 1 + 0.5 * np.sin(2 * np.pi * random.uniform(0.2, 0.5) * time + random.uniform(0, 6))
        wave += swell * np.sin(2 * np.pi * frequency * time + random.uniform(0, 6))
    return np.outer((12, 20, 34, 18, 10, 8, 6, 6), wave)


def _cart_noise(time: Floats, random: np.random.Generator) -> Floats:
    """Breathing baseline and a little muscle, as on a quiet resident."""
    shape = (len(INDEPENDENT_LEADS), time.size)
    phase = random.uniform(0, 6, len(INDEPENDENT_LEADS))[:, None]
    wander = random.uniform(8, 30, len(INDEPENDENT_LEADS))[:, None] * np.sin(2 * np.pi * 0.22 * time + phase)
    return wander + random.normal(0, 5.0, shape)


def _noise(time: Floats, random: np.random.Generator) -> Floats:
    """Loose electrodes: drift, jumps and mains hum, with no heart to be found."""
    shape = (len(INDEPENDENT_LEADS), time.size)
    drift = np.cumsum(random.normal(0, 14.0, shape), axis=1)
    hum = 160 * np.sin(2 * np.pi * 50 * time + random.uniform(0, 6, len(INDEPENDENT_LEADS))[:, None])
    noise: Floats = drift + hum + random.normal(0, 180.0, shape)
    return noise
