"""What a Subscription resource asks for: criteria of R4, or a topic of the Subscriptions R5 Backport 1.1.

hl7.org/fhir/R4/subscription.html, hl7.org/fhir/uv/subscriptions-backport. Every refusal points at its element.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.utils import timezone

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import search_query
from doorstep.kernel.record.search_expansion import expand
from doorstep.kernel.record.search_values import Setting, Term
from doorstep.kernel.subscriptions import endpoints
from doorstep.kernel.subscriptions.models import Subscription
from doorstep.kernel.subscriptions.topics import Part, Topic, topic_at

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
# What stands for a header's value wherever a Subscription is read.
SEALED = "[sealed]"
_JSON = ("application/fhir+json", "application/json")
_V2 = "x-application/hl7-v2+er7"
_NOT_HEARD_OF = frozenset({"Subscription", "AuditEvent", "Parameters", "OperationOutcome"})
_OF_ANSWERS = frozenset(("_sort", "_count", "_include", "_revinclude", "_summary", "_elements", "_total", "_contained"))
_CONTENTS = ("empty", "id-only", "full-resource")
_LEAST_HEARTBEAT, _LONGEST_HEARTBEAT, _MOST_EVENTS, _LONGEST_CRITERIA = 5, 7 * 86_400, 100, 2_000


@dataclass(slots=True, kw_only=True)
class Wanted:
    """A Subscription, read. `headers` are (name, value); a value of SEALED is the one that is kept already."""

    endpoint: str
    criteria: str
    type: str = ""
    topic: str = ""
    terms: list[Term] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    changed: tuple[str, ...] = ()
    also: list[dict[str, Any]] = field(default_factory=list)
    content: str = Subscription.Content.EMPTY
    headers: list[tuple[str, str]] = field(default_factory=list)
    heartbeat: int | None = None
    timeout: int | None = None
    most_events: int = 1
    ends_at: datetime | None = None
    resource: dict[str, Any] = field(default_factory=dict)

    @property
    def linked(self) -> bool:
        """Whether the search looks beyond the resource itself."""
        return _linked(self.terms)


def read(resource: dict[str, Any], *, base: str) -> Wanted:
    """Read a Subscription that is valid against R4; raises FhirRefused (422) at the element that this server cannot follow."""
    channel = resource["channel"]
    if channel.get("type") not in ("rest-hook", "message"):
        raise _refused("not-supported", "只支持 rest-hook 和 message 通道 / only rest-hook and message", "channel.type")
    wanted = Wanted(endpoint=str(channel.get("endpoint", "")), criteria=str(resource["criteria"])[:_LONGEST_CRITERIA])
    if not wanted.endpoint:
        raise _refused("required", "需要接收地址 / an endpoint is needed", "channel.endpoint")
    if len(str(resource["criteria"])) > _LONGEST_CRITERIA:
        raise _refused("too-long", f"criteria 不能超过 {_LONGEST_CRITERIA} 个字符 / too long", "criteria")
    wanted.headers = _headers(channel.get("header", []))
    payload = channel.get("payload")
    if payload is not None and payload not in _JSON:
        raise _refused("not-supported", "payload 只支持 application/fhir+json / JSON only", "channel.payload")
    wanted.ends_at = _end(resource.get("end"))
    profiles = (resource.get("meta") or {}).get("profile", [])
    if "://" in wanted.criteria.partition("?")[0] or f"{BACKPORT}/backport-subscription" in profiles:
        _read_topic(wanted, resource, base)
    elif channel["type"] == "message":
        raise _refused(
            "not-supported", "message 通道用于消息主题 / a message channel is for a topic of messages", "criteria"
        )
    else:
        _read_criteria(wanted, base)
        wanted.content = Subscription.Content.FULL if payload else Subscription.Content.EMPTY
    wanted.resource = _without_secrets(resource)
    return wanted


def _read_criteria(wanted: Wanted, base: str) -> None:
    wanted.type, _, query = wanted.criteria.partition("?")
    _search(wanted, parse_qsl(query, keep_blank_values=True), base, "criteria")


def _read_topic(wanted: Wanted, resource: dict[str, Any], base: str) -> None:
    topic = topic_at(wanted.criteria)
    if topic is None:
        raise _refused(
            "not-found", "没有这个主题，可用主题见 CapabilityStatement / no such topic: see the statement", "criteria"
        )
    wanted.topic, wanted.type, wanted.changed = topic.url, topic.type, topic.changed
    pairs = parse_qsl(topic.criteria, keep_blank_values=True)
    for position, one in enumerate(_extensions(resource.get("_criteria"))):
        if one.get("url") == f"{BACKPORT}/backport-filter-criteria":
            pairs += _filter(topic, str(one.get("valueString", "")), f"criteria.extension[{position}]")
    _search(wanted, pairs, base, "criteria.extension")
    wanted.also = [_further(part, base) for part in topic.also]
    channel = resource["channel"]
    if topic.messages != (channel["type"] == "message"):
        raise _refused(
            "value",
            "此主题以消息发送，channel.type 应为 message；其他主题应为 rest-hook"
            " / message for a topic of messages, rest-hook for any other",
            "channel.type",
        )
    if topic.messages:
        wanted.content = Subscription.Content.MESSAGE
        return
    told = {one.get("url"): one for one in _extensions(channel.get("_payload"))}
    content = str(told.get(f"{BACKPORT}/backport-payload-content", {}).get("valueCode", ""))
    if content not in _CONTENTS or "payload" not in channel:
        raise _refused(
            "required",
            "请写明 payload 和扩展 backport-payload-content：empty、id-only 或 full-resource"
            " / payload and its extension backport-payload-content",
            "channel.payload",
        )
    wanted.content = content
    settings = {str(one.get("url", "")).removeprefix(f"{BACKPORT}/backport-"): one for one in _extensions(channel)}
    wanted.heartbeat = _whole(settings, "heartbeat-period", "valueUnsignedInt", _LEAST_HEARTBEAT, _LONGEST_HEARTBEAT)
    wanted.timeout = _whole(settings, "timeout", "valueUnsignedInt", 1, 600)
    wanted.most_events = _whole(settings, "max-count", "valuePositiveInt", 1, _MOST_EVENTS) or 1


def line(parts: Sequence[Part], *, topic: str, endpoint: str, base: str) -> Wanted:
    """What a line of HL7 v2 asks for, set up by an engineer: the first part and the further ones, in one order."""
    first, *others = parts
    channel = {"type": "message", "endpoint": endpoint, "payload": _V2}
    resource = {"resourceType": "Subscription", "reason": "HL7 v2", "criteria": topic, "channel": channel}
    wanted = Wanted(endpoint=endpoint, criteria=topic, type=first.type, topic=topic, resource=resource)
    wanted.content, wanted.changed = Subscription.Content.HL7_V2, first.changed
    _search(wanted, parse_qsl(first.criteria, keep_blank_values=True), base, "criteria")
    wanted.also = [_further(part, base) for part in others]
    return wanted


def _further(part: Part, base: str) -> dict[str, Any]:
    pairs = parse_qsl(part.criteria, keep_blank_values=True)
    query = search_query.parse(part.type, pairs, setting=Setting(base=base, expand=expand))
    return {"type": part.type, "terms": query.where, "changed": list(part.changed)}


def _filter(topic: Topic, text: str, place: str) -> list[tuple[str, str]]:
    kind, mark, query = text.partition("?")
    if mark and kind != topic.type:
        raise _refused("value", f"筛选应针对 {topic.type} / filters are of {topic.type}", place)
    pairs = parse_qsl(query if mark else text, keep_blank_values=True)
    for name, _ in pairs:
        if name.partition(":")[0] not in topic.filters:
            raise _refused(
                "not-supported", f"此主题可按 {', '.join(topic.filters)} 筛选 / filters of this topic", place
            )
    if not pairs:
        raise _refused("value", "筛选是空的 / the filter is empty", place)
    return pairs


def _search(wanted: Wanted, pairs: list[tuple[str, str]], base: str, place: str) -> None:
    if wanted.type in _NOT_HEARD_OF:
        raise _refused("not-supported", f"不能订阅 {wanted.type} / {wanted.type} is not heard of", place)
    for name, _ in pairs:
        if name.partition(":")[0] in _OF_ANSWERS:
            raise _refused("not-supported", f"criteria 中不能有 {name} / {name} shapes an answer", place)
    try:
        query = search_query.parse(wanted.type, pairs, setting=Setting(base=base, expand=expand))
    except FhirRefused as error:
        raise _refused(error.code, error.sentence, place) from error
    wanted.terms, wanted.pairs = query.where, pairs


def _end(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError as error:
        # R4 knows leap seconds.
        raise _refused("value", "end 不是可用的时刻 / end is no moment that this server knows", "end") from error
    if moment <= timezone.now():
        raise _refused("value", "end 已经过去 / end is in the past", "end")
    return moment


def _headers(lines: Any) -> list[tuple[str, str]]:
    if not isinstance(lines, list) or endpoints.too_many(lines):
        raise _refused("too-long", "header 最多 10 行 / at most 10 headers", "channel.header")
    found = []
    for position, line in enumerate(lines):
        pair = endpoints.header(str(line))
        if pair is None:
            raise _refused(
                "value",
                "header 应为“名称: 值”，且不能是 Host、Content-Type 等由本平台决定的头 / not a header that may be set",
                f"channel.header[{position}]",
            )
        found.append(pair)
    return found


def _without_secrets(resource: dict[str, Any]) -> dict[str, Any]:
    """What is kept of the resource and shown: everything but the state, which is ours, and the values of headers."""
    channel = dict(resource["channel"])
    if "header" in channel:
        channel["header"] = [f"{str(line).partition(':')[0]}: {SEALED}" for line in channel["header"]]
    kept = {name: value for name, value in resource.items() if name not in ("id", "status", "error", "meta")}
    meta = {name: one for name, one in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**kept, "channel": channel} | ({"meta": meta} if meta else {})


def _extensions(element: Any) -> list[dict[str, Any]]:
    found = element.get("extension", []) if isinstance(element, dict) else []
    return [one for one in found if isinstance(one, dict)]


def _whole(settings: dict[str, dict[str, Any]], name: str, value: str, least: int, most: int) -> int | None:
    if name not in settings:
        return None
    number = settings[name].get(value)
    if not isinstance(number, int) or not least <= number <= most:
        raise _refused("value", f"backport-{name} 应为 {least} 至 {most} / from {least} to {most}", "channel.extension")
    return number


def _linked(terms: Sequence[Any]) -> bool:
    for term in terms:
        if isinstance(term, dict):
            inner = term.get("c", [])
            if term.get("k") in ("chain", "has") or _linked(inner if isinstance(inner, list) else [inner]):
                return True
    return False


def _refused(code: str, sentence: str, place: str) -> FhirRefused:
    return FhirRefused(422, code, sentence, f"Subscription.{place}")
