"""Notifications as messages: what a topic says of a version as one FHIR message, or one of HL7 v2. The site installs who writes them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from doorstep.kernel.access.actor import Actor

_writers: dict[str, "Writer"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The version of a resource that a message is about."""

    type: str
    fhir_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message carries besides: its number, which a resend keeps, when it happened, our own address and the receiver's."""

    key: UUID
    at: datetime
    base: str
    endpoint: str


class Silence(StrEnum):
    """Why nothing is said of a version: the client may read of it no longer, or it holds nothing that is told."""

    UNSEEN = "unseen"
    NOTHING = "nothing"


class Writer(Protocol):
    """Writes the messages of a topic; both are asked while the client is the one who acts."""

    def concerns(self, told: Told, *, actor: Actor) -> bool:
        """Whether the client is one whom this version is to be told."""

    def write(
        self, told: Told, envelope: Envelope, *, actor: Actor, most_bytes: int
    ) -> dict[str, Any] | bytes | Silence:
        """The Bundle, or the bytes of another kind of message, with looks at its residents audited.

        A Silence when there is nothing left that the client may hear.
        """


def install(topic: str, writer: Writer) -> None:
    """Wire who writes the messages of the topic of this address; the last one counts."""
    _writers[topic] = writer


def writer_of(topic: str) -> Writer:
    """Who writes the messages of a topic; raises LookupError for a topic that has none."""
    return _writers[topic]
