"""What the pre-read measures and suspects; plain data that pages may import."""

from dataclasses import dataclass
from enum import IntEnum


class Urgency(IntEnum):
    """Place in the reading queue: ascending order is the order of work."""

    CRITICAL = 0
    URGENT = 1
    ORDINARY = 2
    NORMAL = 3


@dataclass(frozen=True)
class Measurements:
    """Global values of one recording: rate in beats a minute, times in ms, axis in degrees, ST in mm (0.1 mV) per lead.

    `st_mm` is the level 60 ms after the J point (40 ms above 100 beats a minute), `j_mm` the level just after it.
    `rr_irregularity` is the root mean square of successive RR differences as a share of the mean RR. None: not
    measurable.
    """

    heart_rate: float
    rr_irregularity: float
    longest_rr_ms: float
    beats: int
    p_waves: bool
    dissociated_p_waves: bool
    pacing_spikes: bool
    pr_ms: float | None
    qrs_ms: float | None
    qt_ms: float | None
    qtc_bazett_ms: float | None
    qtc_fridericia_ms: float | None
    axis_degrees: float | None
    st_mm: dict[str, float]
    j_mm: dict[str, float]


@dataclass(frozen=True)
class Suspicion:
    """Something a reader should look at first; never a diagnosis."""

    code: str
    zh: str
    en: str
    urgency: Urgency
    leads: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreRead:
    """The machine's sorting of one recording. Not usable: `reason_zh` and `reason_en` say why, and a person
    reads it soon."""

    usable: bool
    urgency: Urgency
    measurements: Measurements | None = None
    suspicions: tuple[Suspicion, ...] = ()
    reason_zh: str = ""
    reason_en: str = ""
