"""Keys of the county's rows: UUIDs of version 8 (RFC 9562) made of the seed, the kind of thing and its number.

The same county gets the same keys, addresses of pages in bookmarks and reports stay right, and rows that follow each
other lie side by side in the index.
"""

from collections.abc import Iterable
from uuid import UUID

KINDS = (
    "organization", "department", "consortium", "practitioner", "post", "team", "household", "resident", "visit",
    "observation", "condition", "medication", "relationship", "contract", "panel",
    "insurance",
)  # fmt: skip


def key_pattern(kind: str, seed: int) -> str:
    """A printf pattern that takes the number of a row."""
    return f"{KINDS.index(kind) + 1:08x}-{seed & 0xFFFF:04x}-8d00-8000-%012x"


def key(kind: str, seed: int, number: int) -> UUID:
    """The key of one row."""
    return UUID(key_pattern(kind, seed) % number)


def keys(kind: str, seed: int, numbers: Iterable[int]) -> list[str]:
    """The keys of many rows as text."""
    return list(map(key_pattern(kind, seed).__mod__, numbers))
