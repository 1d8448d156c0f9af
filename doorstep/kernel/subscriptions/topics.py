"""Topics to subscribe to: a type of resource, a search that it must meet, and what must have changed. The site fills the table."""

from collections.abc import Iterable
from dataclasses import dataclass

_topics: dict[str, "Topic"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A further type that a topic hears of, in one order with the others."""

    type: str
    criteria: str = ""
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What happens and may be heard of. `criteria` is a search without its type; `filters` are the parameters that narrow it.

    What a topic of `messages` tells goes out as FHIR messages (messages.py), through a channel of type message and no other.
    """

    url: str
    title_zh: str
    title: str
    description: str
    type: str
    criteria: str = ""
    changed: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    also: tuple[Part, ...] = ()
    messages: bool = False


def install(topics: Iterable[Topic]) -> None:
    """Wire the topics of the site; the last ones count."""
    _topics.clear()
    _topics.update({one.url: one for one in topics})


def all_topics() -> list[Topic]:
    """Every topic, in the order of the table."""
    return list(_topics.values())


def topic_at(url: str) -> Topic | None:
    """The topic of a canonical address; a version after "|" is passed over."""
    return _topics.get(url.partition("|")[0])
