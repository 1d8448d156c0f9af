"""Where a bed's case is opened: asked of those who know the pages, through one function that the site wires."""

from collections.abc import Callable

# "referral/<key>" -> the address of its page, "" for none
AddressOf = Callable[[str], str]

_address: list[AddressOf] = []


def install(address: AddressOf) -> None:
    """Wire the addresses; the last one counts."""
    _address[:] = [address]


def address_of(reference: str) -> str:
    """The page of the case that a stay, a hold or a wait belongs to; "" when there is none."""
    return _address[0](reference) if _address and reference else ""
