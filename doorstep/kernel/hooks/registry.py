"""The services that systems may call, each with the function that answers; the site installs them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from doorstep.kernel.access.actor import Actor

Hook = Literal["patient-view", "order-select", "order-sign"]
# The specification's bound on a card's first line.
LONGEST_SUMMARY = 140
_MARKS = re.compile(r"[\\`*_\[\]<>#|!~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a system tells us: the patient whom it may see, and the context and prefetch as it sent them."""

    resident_id: int
    patient_id: str
    hook: str
    context: Mapping[str, Any] = field(default_factory=dict)
    prefetch: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `source` is who says it; `url` where that can be read; `links` are (label, address).

    `lines` are (what, words), one fact each: a page lists them, other systems get them as Markdown behind the detail.
    """

    summary: str
    indicator: Literal["info", "warning", "critical"]
    source: str
    detail: str = ""
    url: str = ""
    links: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    # Our own pages ask for a decision about the result that the card names.
    recognisable: bool = False

    def to_json(self, key: str, *, absolute: Callable[[str], str]) -> dict[str, Any]:
        """The card as the specification writes it; `absolute` makes a whole address of one of the house."""
        source = {"label": self.source, **({"url": self.url} if self.url else {})}
        card: dict[str, Any] = {
            "uuid": key,
            "summary": self.summary[:LONGEST_SUMMARY],
            "indicator": self.indicator,
            "source": source,
        }
        facts = "\n".join(f"- **{_plain(what)}**：{_plain(words)}" for what, words in self.lines)
        if self.detail or facts:
            card["detail"] = "\n\n".join(filter(None, [self.detail, facts]))
        if self.links:
            card["links"] = [{"label": label, "url": absolute(url), "type": "absolute"} for label, url in self.links]
        return card


Answer = Callable[[Asked, Actor], Sequence[Card]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: its id in the address, the hook at which it is called, and what it does in words.

    `discloses` are the types of resources whose facts stand in its cards, besides the Patient whom the caller names.
    """

    id: str
    hook: Hook
    title: str
    description: str
    discloses: tuple[str, ...]
    answer: Answer
    prefetch: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[tuple[str, str], ...]:
        """(type, verbs) that a caller's scopes must cover: a card finds by the patient and tells what it found."""
        return (("Patient", "r"), *((one, "rs") for one in self.discloses))

    def to_json(self) -> dict[str, Any]:
        """The service as discovery tells it."""
        scopes = " ".join(f"{type}.{verbs}" for type, verbs in self.needs)
        said: dict[str, Any] = {
            "id": self.id,
            "hook": self.hook,
            "title": self.title,
            "description": self.description,
            "usageRequirements": f"调用方的令牌或登记的范围须包含 / the caller's scopes must cover: {scopes}",
        }
        return {**said, "prefetch": dict(self.prefetch)} if self.prefetch else said


_services: dict[str, Service] = {}


def install(services: Sequence[Service]) -> None:
    """Wire the services; the last ones count."""
    _services.clear()
    _services.update({one.id: one for one in services})


def services() -> list[Service]:
    """Every service, in the order of installation."""
    return list(_services.values())


def cards(*, hook: Hook, asked: Asked, actor: Actor) -> list[Card]:
    """What every service of a hook has to say: for the pages of the house, which say what other systems are told."""
    return [card for one in _services.values() if one.hook == hook for card in one.answer(asked, actor)]


def find(service_id: str) -> Service | None:
    """The service with this id."""
    return _services.get(service_id)


def _plain(words: str) -> str:
    """Words as Markdown that draws them as they are: a report may hold anything."""
    return _MARKS.sub(r"\\\g<0>", " ".join(words.split()))
