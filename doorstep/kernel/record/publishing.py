"""What an action hands to the record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A FHIR R4 resource with what the house must know of it.

    `content` carries `resourceType` and `id`; version and time are the record's to set. `organization_id` is the unit that
    wrote it; `episode` and `category` decide which narrow relationships may read it.
    """

    content: dict[str, Any]
    organization_id: int | None
    occurred_at: datetime
    episode: str = ""
    category: str = ""
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The next version of a resource: whose it is, whether a hospital system sent it, and by which HTTP method."""

    published: Published
    resident_id: int | None
    method: str = "PUT"
    received: bool = False
    deleted: bool = False
