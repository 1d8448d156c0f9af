"""Reading a resident's files. What the actor may not read is not there."""

from uuid import UUID

from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.files.models import StoredFile


def content_of(*, file_id: int) -> bytes:
    """The bytes of a file; raises NotFound when it is not there or not the actor's."""
    found = StoredFile.objects.filter(id=file_id).values_list("content", flat=True).first()
    if found is None:
        raise NotFound()
    return bytes(found)


def get(key: UUID | str) -> StoredFile:
    """A file with its bytes; raises NotFound when it is not there or not the actor's."""
    found = StoredFile.objects.filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def of_resident(*, resident_id: int, category: str, limit: int = 50) -> list[StoredFile]:
    """The files of one category of a resident, newest first, without their bytes."""
    rows = StoredFile.objects.defer("content").filter(resident_id=resident_id, category=category)
    return list(rows.order_by("-stored_at", "-id")[:limit])
