"""One entry opened in its place: its facts, its results, its pictures and papers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from doorstep.kernel.record.queries import Entry
from doorstep.kernel.web.formats import moment
from doorstep.people.residents.chart.lists import dosage_of, medicine_name
from doorstep.people.residents.chart.trends import flag_words
from doorstep.people.residents.chart.values import mark_of, values_of
from doorstep.people.residents.presenters import (
    described,
    plain_words,
    quantity_text,
    status_words,
    text_of,
    value_text,
)

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# A file that this server holds, as an Attachment names it.
_FILE = re.compile(r"^(?:https?://[^?#]+/)?Binary/([A-Za-z0-9.-]{1,64})$")
# Pictures and papers in the record itself are shown up to this size; larger ones stay where they are.
_LARGEST = 3_000_000
# Where a line of a narrative ends, and every other mark of it.
_LINES = re.compile(r"</(?:p|li|tr|div)>|<br[^>]*>")
_MARKS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a report."""

    name: str
    text: str
    range_text: str
    flag: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A picture or a file. `source` is an address of ours or data; "" when it lies elsewhere."""

    title: str
    source: str
    is_picture: bool
    media_type: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What an opened entry says."""

    facts: list[tuple[str, str]]
    text: str
    plain: str
    results: list[Result]
    papers: list[Paper]
    activities: list[str]
    # Of a document: each section's title and the lines of its words.
    sections: list[tuple[str, list[str]]]


def opened(entry: Entry, *, results: Sequence[Entry], unit: str, file_page: str = "residents:file") -> Opened:
    """The facts of an entry; `results` are the Observations that a report names, files are opened at `file_page`."""
    content = entry.content
    return Opened(
        facts=[(label, text) for label, text in _facts(entry, unit) if text],
        text=described(content) or _payload(content),
        plain=plain_words(content),
        # A document's words say everything; its table is for what was measured.
        results=[result_of(one) for one in results if content["resourceType"] != "Composition" or _is_measured(one)],
        papers=[paper for one in _attachments(content) if not _is_document(one) and (paper := _paper(one, file_page))],
        activities=_activities(content),
        sections=_sections(content),
    )


def holds_document(content: Mapping[str, Any]) -> bool:
    """Whether a DocumentReference carries a document of XML that this server keeps."""
    return any(_is_document(one) for one in _attachments(content))


def _is_document(attachment: Mapping[str, Any]) -> bool:
    return bool(attachment.get("data")) and str(attachment.get("contentType", "")).endswith("xml")


def _is_measured(entry: Entry) -> bool:
    return bool(
        entry.content.keys() & {"valueQuantity", "valueRange", "valueRatio", "referenceRange", "interpretation"}
    )


def _sections(content: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Every section of a Composition, known to us or not: its words without their marks."""
    found = []
    for one in content.get("section", []) if content.get("resourceType") == "Composition" else []:
        text = _MARKS.sub("", _LINES.sub("\n", str(one.get("text", {}).get("div", ""))))
        lines = [line for part in unescape(text).split("\n") if (line := " ".join(part.split()))]
        found.append((str(one.get("title", "")), lines))
    return found


def references_of(content: Mapping[str, Any]) -> list[str]:
    """The ids of the Observations that a report names."""
    named = list(content.get("result", []))
    if content.get("resourceType") == "Composition":
        named = [one for section in content.get("section", []) for one in section.get("entry", [])]
    given = [str(one.get("reference", "")) for one in named]
    return [one.removeprefix("Observation/") for one in given if one.startswith("Observation/")][:100]


def result_of(entry: Entry) -> Result:
    """One Observation as a line of results."""
    content = entry.content
    values = values_of([entry])
    texts = [value_text(content), *map(value_text, content.get("component", []))]
    given = (content.get("referenceRange") or [{}])[0]
    bounds = [quantity_text(given.get("low")), quantity_text(given.get("high"))]
    spoken = (
        values[0].range_text
        if values and values[0].range_text
        else str(given.get("text", "")) or "–".join(filter(None, bounds))
    )
    return Result(
        name=text_of(content.get("code")),
        text="，".join(filter(None, texts)),
        range_text=spoken,
        # Of what nobody follows as a trend the laboratory's own mark counts as well.
        flag=flag_words(next((one.flag for one in values if one.flag), "") or mark_of(content) or ""),
    )


def _facts(entry: Entry, unit: str) -> list[tuple[str, str]]:
    content = entry.content
    who = (
        content.get("performer")
        or content.get("participant")
        or content.get("author")
        or content.get("requester")
        or []
    )
    people = [
        _display(one.get("individual") or one.get("actor") or one) for one in (who if isinstance(who, list) else [who])
    ]
    period = content.get("period") or content.get("effectivePeriod") or content.get("validityPeriod")
    period = period or content.get("applies") or {}
    return [
        (_("机构"), unit),
        (_("经手人"), "、".join(dict.fromkeys(filter(None, people)))),
        (_("状态"), status_words(content)),
        (_("时间"), moment(entry.occurred_at)),
        (_("起止"), _span(period)),
        (_("原因"), "；".join(filter(None, map(text_of, content.get("reasonCode", []))))),
        (_("结果"), value_text(content) if content["resourceType"] == "Observation" else ""),
        (_("药品"), medicine_name(content)),
        (_("用法"), dosage_of(content)),
        (_("部位"), text_of(content.get("bodySite"))),
        *(_agreed(content) if content["resourceType"] == "Contract" else ()),
        (_("备注"), "；".join(str(one.get("text", "")) for one in content.get("note", []))),
    ]


def _agreed(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a contract of a family doctor gives, and which units stand for it."""
    parties = [party for term in content.get("term", []) for party in (term.get("offer") or {}).get("party", [])]
    units = [_display(one) for party in parties for one in party.get("reference", [])]
    return [
        (_("服务包"), "、".join(filter(None, map(text_of, content.get("subType", []))))),
        (_("签约机构"), "、".join(dict.fromkeys(filter(None, units)))),
    ]


def _payload(content: Mapping[str, Any]) -> str:
    return "\n".join(str(one.get("contentString", "")) for one in content.get("payload", []))


def _activities(content: Mapping[str, Any]) -> list[str]:
    """What a plan holds: its goals and its steps in words."""
    steps = [one.get("detail") or {} for one in content.get("activity", []) if isinstance(one, dict)]
    words = [str(one.get("description") or text_of(one.get("code"))) for one in steps]
    return [one for one in words if one]


def _attachments(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    held = list(content.get("presentedForm", []))
    given = content.get("content")
    if isinstance(given, list):
        held += [one.get("attachment") or {} for one in given if isinstance(one, dict)]
    elif isinstance(given, dict):
        held.append(given)
    return [one for one in held if isinstance(one, dict)]


def _paper(attachment: Mapping[str, Any], file_page: str) -> Paper | None:
    media_type = str(attachment.get("contentType", "")).split(";")[0].strip()
    data, url = attachment.get("data"), str(attachment.get("url", ""))
    source = ""
    if isinstance(data, str) and len(data) <= _LARGEST and (media_type in _PICTURES or media_type == "application/pdf"):
        source = f"data:{media_type};base64,{data}"
    elif file := _FILE.match(url):
        source = reverse(file_page, args=[file[1]])
    elif url.startswith("/") and not url.startswith("//"):
        source = url
    title = str(attachment.get("title") or "") or _("附件")
    if not source and not url and not data:
        return None
    return Paper(title=title, source=source, is_picture=media_type in _PICTURES and bool(source), media_type=media_type)


def _span(period: Mapping[str, Any]) -> str:
    start, end = (_short(period.get(side)) for side in ("start", "end"))
    return f"{start} – {end}" if start and end else start or end


def _short(text: Any) -> str:
    if not isinstance(text, str) or len(text) < len("2026-01-01"):
        return str(text or "")
    try:
        return moment(datetime.fromisoformat(text)) if "T" in text else text
    except ValueError:
        return text


def _display(given: Any) -> str:
    return str(given.get("display", "")) if isinstance(given, dict) else ""
