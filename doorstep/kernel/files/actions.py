"""Keeping a file of a resident."""

import hashlib

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.files.models import StoredFile


def store(
    *,
    data: bytes,
    name: str,
    media_type: str,
    resident_id: int,
    organization_id: int,
    actor: Actor,
    episode: str = "",
    category: str = "",
    fingerprint: str = "",
) -> StoredFile:
    """Keep the bytes as they were sent, in the running transaction."""
    return StoredFile.objects.create(
        resident_id=resident_id,
        organization_id=organization_id,
        episode=episode,
        category=category,
        name=name[:200],
        media_type=media_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        fingerprint=fingerprint,
        content=data,
        stored_by_id=actor.user_id,
    )
