"""One resting 12-lead electrocardiogram as the rest of the house sees it, whatever container it came in."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int32]
Sex = Literal["male", "female"]
Format = Literal["dicom", "aecg"]

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
INDEPENDENT_LEADS: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
FLAT_BELOW_MICROVOLTS: Final = 20.0


@dataclass(frozen=True)
class PatientFacts:
    """The person as the file names them; every fact may be missing. `national_id` only when a number has that shape."""

    name: str | None = None
    patient_id: str | None = None
    national_id: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None


@dataclass(frozen=True)
class Device:
    """The cart that recorded, as the file names it."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None


@dataclass(frozen=True)
class Filters:
    """Filters already applied by the cart, in Hz; None where the file says nothing."""

    low_hz: float | None = None
    high_hz: float | None = None
    notch_hz: float | None = None


@dataclass(frozen=True)
class Recording:
    """Twelve leads in the order of `LEADS`, `samples[lead, time]` in whole microvolts, `taken_at` aware (UTC)
    or None."""

    format: Format
    taken_at: datetime | None
    patient: PatientFacts
    device: Device
    sampling_hz: float
    samples: Samples
    instance_id: str
    filters: Filters = field(default_factory=Filters)
    statements: tuple[str, ...] = ()
    derived_leads: tuple[str, ...] = ()

    @property
    def leads(self) -> tuple[str, ...]:
        """The twelve lead names in the order of the rows of `samples`."""
        return LEADS

    @property
    def duration(self) -> float:
        """Length of the recording in seconds."""
        return float(self.samples.shape[1]) / self.sampling_hz

    def lead(self, name: str) -> Samples:
        """Samples of one lead in microvolts; KeyError for a name outside `LEADS`."""
        if name not in LEADS:
            raise KeyError(name)
        row: Samples = self.samples[LEADS.index(name)]
        return row

    def flat_leads(self) -> tuple[str, ...]:
        """Leads whose middle 98 % of samples stay within 20 µV: an electrode that is off."""
        low, high = np.percentile(self.samples, (1, 99), axis=1)
        return tuple(name for name, span in zip(LEADS, high - low, strict=True) if span < FLAT_BELOW_MICROVOLTS)


def twelve_leads(found: dict[str, npt.NDArray[np.float64]]) -> tuple[Samples, tuple[str, ...]]:
    """Stack leads in standard order and derive limb leads a cart left out; gives samples and the names derived.

    Einthoven and Goldberger: III = II - I, aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2.
    KeyError names the first lead that is neither sent nor derivable.
    """
    one, two = found["I"], found["II"]
    derivable = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    derived = tuple(name for name in derivable if name not in found)
    complete = derivable | found
    rows = np.stack([complete[name] for name in LEADS])
    return np.rint(rows).astype(np.int32), derived


def missing_leads(found: set[str]) -> tuple[str, ...]:
    """Names of the independent leads that are not there; the other four limb leads can be derived."""
    return tuple(name for name in INDEPENDENT_LEADS if name not in found)
