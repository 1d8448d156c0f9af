"""Identifiers of the invented county: valid in form and check digit, and nobody's.

* Region code 439981: province 43 has no prefecture 99 in GB/T 2260 [as far as known, not checked against the yearly
  table], so no national id made here can belong to a living person.
* Mobile numbers start with 154, a series that has not been given to subscribers [unverified against the numbering plan
  of the day]: 1540 organisations and staff, 1541–1549 residents.
* National ids: GB 11643-1999. Credit codes: GB 32100-2015 with an organisation code by GB 11714-1997.
"""

from datetime import date

import numpy as np

from doorstep.demo.county.columns import Array, rank_within

REGION_CODE = "439981"
PRACTITIONER_FIRST_RANK = 450
RANKS_PER_DAY = 500

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def national_id_check(body: str) -> str:
    """The check character of the first 17 digits (GB 11643-1999)."""
    return _ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True)) % 11]


def is_national_id(number: str) -> bool:
    """Whether form, birth date and check character hold; the region is not looked up."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdecimal()):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return number[17] == national_id_check(number[:17])


def national_id(birth: date, *, male: bool, rank: int) -> str:
    """The id of the rank-th (0–499) person of one sex born on one day in the county."""
    if not 0 <= rank < RANKS_PER_DAY:
        raise ValueError(f"rank {rank} is outside 0..{RANKS_PER_DAY - 1}")
    body = f"{REGION_CODE}{birth:%Y%m%d}{2 * rank + (1 if male else 0):03d}"
    return body + national_id_check(body)


class NationalIdRegister:
    """Deals national ids so that no two people of the population share one.

    Keeps one counter per birth day and sex; ranks from `PRACTITIONER_FIRST_RANK` on are left to staff.
    """

    FIRST_DAY = np.datetime64("1900-01-01", "D")

    def __init__(self) -> None:
        self._used = np.zeros(2 * 60_000, dtype=np.int64)

    def issue(self, births: Array, males: Array) -> Array:
        """Ids for a batch of people, an object array of 18-character texts; ValueError when a day is used up."""
        keys = (births - self.FIRST_DAY).astype(np.int64) * 2 + males
        ranks = rank_within(keys) + self._used[keys]
        if ranks.size and int(ranks.max()) >= PRACTITIONER_FIRST_RANK:
            raise ValueError("more people of one sex were born on one day than the id has room for")
        self._used += np.bincount(keys, minlength=len(self._used))
        return national_ids(births, males, ranks)


def national_ids(births: Array, males: Array, ranks: Array) -> Array:
    """`national_id` for whole columns."""
    months = births.astype("datetime64[M]")
    years = births.astype("datetime64[Y]")
    compact = (
        (years.astype(np.int64) + 1970) * 10000
        + ((months - years).astype(np.int64) + 1) * 100
        + (births - months).astype(np.int64)
        + 1
    )
    bodies = (int(REGION_CODE) * 10**8 + compact) * 1000 + 2 * ranks + males
    total = np.zeros(len(bodies), dtype=np.int64)
    rest = bodies.copy()
    for weight in reversed(_ID_WEIGHTS):
        rest, digit = np.divmod(rest, 10)
        total += digit * weight
    checks = [_ID_CHECKS[value] for value in (total % 11).tolist()]
    result = np.empty(len(bodies), dtype=object)
    result[:] = [f"{body}{check}" for body, check in zip(bodies.tolist(), checks, strict=True)]
    return result


def credit_code(serial: int, *, department: str = "12") -> str:
    """A unified social credit code; `department` 12 = public institution, 52 = private non-enterprise unit."""
    organization = f"{serial:08d}"
    remainder = sum(int(digit) * weight for digit, weight in zip(organization, _ORGANIZATION_WEIGHTS, strict=True)) % 11
    organization += "0" if remainder == 0 else "X" if remainder == 1 else str(11 - remainder)
    body = department + REGION_CODE + organization
    return body + credit_code_check(body)


def credit_code_check(body: str) -> str:
    """The check character of the first 17 characters (GB 32100-2015)."""
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight for character, weight in zip(body, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def organization_phone(serial: int) -> str:
    """The switchboard number of an organisation."""
    return f"1540000{serial:04d}"


def practitioner_phone(serial: int) -> str:
    """The mobile number of a person who works."""
    return f"1540001{serial:04d}"


def licence_number(serial: int, *, kind: int) -> str:
    """A 15-digit practice licence number; kind 1 doctor, 2 nurse, 3 village doctor."""
    return f"{kind}10{REGION_CODE}{serial:06d}"
