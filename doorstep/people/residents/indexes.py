"""The keyed indexes by which a resident is found or proved present: equal facts meet, nothing can be read from them."""

from datetime import date
from uuid import UUID

from doorstep.kernel.access.encryption import blind_index


def number_index(number: str) -> UUID:
    """The index of the whole number of an identity document: national id, passport or permit."""
    return blind_index("national-id", number)


def phone_index(phone: str) -> UUID:
    """The index of a whole phone number."""
    return blind_index("phone", phone)


def phone_proof_index(name: str, last_four: str) -> UUID:
    """The index of a whole name together with the last four digits of the phone of record."""
    return blind_index("phone-proof", f"{name}/{last_four}")


def code_index(code: str) -> UUID:
    """The index of a presence code."""
    return blind_index("presence-code", code)


def child_index(mother_number: str, birth_date: date, order: int) -> UUID:
    """The index of a child without a number: the mother's number, the day of birth, the order in a multiple birth."""
    return blind_index("mother-id", f"{mother_number}/{birth_date.isoformat()}/{order}")
