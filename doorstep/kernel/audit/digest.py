"""The digest of an audit entry and the chain over batches: HMAC-SHA-256 over every column, in a fixed order."""

import hmac
from typing import Any

COLUMNS = (
    "id, transaction_number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), action, actor_kind, user_id, actor_name,"
    " role, organization_id, organization_name, consortium_id, resident_id, subject, basis, purpose, address, request_id,"
    " details::text"
)


def digest(key: bytes, row: tuple[Any, ...]) -> bytes:
    """Return the digest of one entry; a length before every value keeps neighbours from flowing into each other."""
    parts = []
    for value in row:
        encoded = b"\0" if value is None else str(value).encode()
        parts.append(len(encoded).to_bytes(4, "big") + encoded)
    return hmac.digest(key, b"".join(parts), "sha256")


def chain(key: bytes, previous: bytes, *, number: int, start: int, end: int, digests: list[bytes]) -> bytes:
    """Return the seal of a batch: it covers the seal before it, the bounds and every entry's digest in order."""
    head = f"{number}|{start}|{end}|{len(digests)}|".encode()
    return hmac.digest(key, previous + head + b"".join(digests), "sha256")
