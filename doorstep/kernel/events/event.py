"""The form of an event: a frozen class named in the past tense; the name is what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to `subject` ("referral/<key>"), which has the row id `subject_id`."""

    subject: str
    subject_id: int | None = None
    resident_id: int | None = None
    organization_id: int | None = None
    consortium_id: int | None = None
    user_id: int | None = None
    at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    event_id: int | None = None

    @property
    def subject_key(self) -> str:
        """The key of the subject, without its kind."""
        return self.subject.partition("/")[2]
