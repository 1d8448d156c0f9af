"""A bed's case: where it is opened, and whose it is; asked of those who know, through functions that the site wires."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

# "referral/<key>" -> the address of its page, "" for none
AddressOf = Callable[[str], str]

_address: list[AddressOf] = []


def install(address: AddressOf) -> None:
    """Wire the addresses; the last one counts."""
    _address[:] = [address]


def address_of(reference: str) -> str:
    """The page of the case that a stay, a hold or a wait belongs to; "" when there is none."""
    return _address[0](reference) if _address and reference else ""


class KeptFor(NamedTuple):
    """For whom a bed is kept, as the case names the person."""

    resident_id: int
    name: str
    gender: str
    birth_date: date


# The references of kept beds -> for whom, as far as the actor may see the cases.
PersonsOf = Callable[[Iterable[str]], Mapping[str, KeptFor]]

_persons: list[PersonsOf] = []


def install_persons(persons: PersonsOf) -> None:
    """Wire those who know for whom a bed is kept; the last one counts."""
    _persons[:] = [persons]


def persons_of(references: Iterable[str]) -> Mapping[str, KeptFor]:
    """For whom beds are kept, by reference; whom the actor may not see is left out."""
    wanted = [one for one in references if one]
    return _persons[0](wanted) if _persons and wanted else {}
