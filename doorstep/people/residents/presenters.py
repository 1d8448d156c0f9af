"""The record as a page shows it: one line per entry, grouped by day."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.translation import get_language, gettext_lazy, gettext_noop

from doorstep.kernel.fhir import systems
from doorstep.kernel.record.queries import Entry
from doorstep.kernel.web.formats import moment
from doorstep.kernel.web.speaking import gettext as _
from doorstep.people.residents.chart.analytes import OF_CODE, written

KINDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "visit": (gettext_lazy("就诊"), ("Encounter", "EpisodeOfCare")),
    "problem": (gettext_lazy("诊断"), ("Condition", "AllergyIntolerance", "ClinicalImpression")),
    "vital": (gettext_lazy("测量与检验"), ("Observation", "Specimen")),
    "report": (gettext_lazy("检查报告"), ("DiagnosticReport",)),
    "picture": (gettext_lazy("影像图片"), ("ImagingStudy", "Media")),
    "medicine": (
        gettext_lazy("用药"),
        ("MedicationRequest", "MedicationStatement", "MedicationDispense", "MedicationAdministration", "Immunization"),
    ),
    "order": (gettext_lazy("申请与转诊"), ("ServiceRequest", "Task")),
    "plan": (gettext_lazy("计划与随访"), ("CarePlan", "Appointment", "Communication", "Goal", "CommunicationRequest")),
    "document": (gettext_lazy("文书"), ("DocumentReference", "Composition", "QuestionnaireResponse")),
}
_KIND_OF = {type: name for name, (_label, types) in KINDS.items() for type in types}
# Everything else: contracts, consents, teams, procedures.
OTHER = "other"
OTHER_NAME = gettext_lazy("其他")
# What a resource without words of its own is called.
_NAMES = {
    "Bundle": gettext_noop("转诊随附资料"),
    "AllergyIntolerance": gettext_noop("过敏史"),
    "CareTeam": gettext_noop("家庭医生团队"),
    "Communication": gettext_noop("危急值告知"),
    "Composition": gettext_noop("出院小结"),
    "Condition": gettext_noop("诊断"),
    "Consent": gettext_noop("知情同意"),
    "Contract": gettext_noop("家庭医生签约"),
    "DetectedIssue": gettext_noop("结果互认"),
    "DiagnosticReport": gettext_noop("检查报告"),
    "DocumentReference": gettext_noop("文书"),
    "MedicationRequest": gettext_noop("用药"),
    "Observation": gettext_noop("测量"),
    "EpisodeOfCare": gettext_noop("诊疗过程"),
    "Goal": gettext_noop("目标"),
    "ImagingStudy": gettext_noop("影像检查"),
    "Immunization": gettext_noop("预防接种"),
    "Media": gettext_noop("图片"),
    "MedicationDispense": gettext_noop("发药"),
    "MedicationStatement": gettext_noop("用药"),
    "Procedure": gettext_noop("治疗操作"),
    "QuestionnaireResponse": gettext_noop("量表与随访表"),
    "ServiceRequest": gettext_noop("申请"),
}
# Not events of a life: who somebody is stands in the banner.
HIDDEN = frozenset({"Patient", "Provenance", "Binary", "Coverage", "Flag", "List", "RelatedPerson"})
_ICONS = {
    "visit": "stethoscope",
    "vital": "heartbeat",
    "order": "clipboard-list",
    "report": "file-description",
    "plan": "calendar-event",
    "problem": "clipboard-heart",
    "picture": "scan",
    "medicine": "pill",
    "document": "file-text",
    OTHER: "file-text",
}
# FHIR v3-ActCode of an Encounter.
_CLASSES = {
    "AMB": gettext_noop("门诊"),
    "HH": gettext_noop("上门"),
    "EMER": gettext_noop("急诊"),
    "IMP": gettext_noop("住院"),
}
_STATUS = {
    "in-progress": gettext_noop("进行中"),
    "finished": gettext_noop("已结束"),
    "entered-in-error": gettext_noop("已作废"),
    "active": gettext_noop("进行中"),
    "completed": gettext_noop("已完成"),
    "revoked": gettext_noop("已撤回"),
    "cancelled": gettext_noop("已取消"),
    "draft": gettext_noop("草稿"),
    "registered": gettext_noop("已登记"),
    "preliminary": gettext_noop("初步报告"),
    "final": gettext_noop("已签发"),
    "amended": gettext_noop("已更正"),
    "booked": gettext_noop("已预约"),
    "requested": gettext_noop("待受理"),
    "accepted": gettext_noop("已受理"),
    "on-hold": gettext_noop("暂停"),
    "rejected": gettext_noop("已退回"),
    "arrived": gettext_noop("已报到"),
    "fulfilled": gettext_noop("已就诊"),
    "noshow": gettext_noop("未到诊"),
    "proposed": gettext_noop("待确认"),
    "pending": gettext_noop("待确认"),
    "ready": gettext_noop("待办理"),
    "received": gettext_noop("已接收"),
    "stopped": gettext_noop("已停止"),
    "current": gettext_noop("有效"),
    "unknown": gettext_noop("未知"),
    "superseded": gettext_noop("已被替代"),
    "offered": gettext_noop("待签字"),
    "executed": gettext_noop("已生效"),
    "terminated": gettext_noop("已终止"),
    "inactive": gettext_noop("已停用"),
    "billable": gettext_noop("已计费"),
    "aborted": gettext_noop("已撤销"),
    "planned": gettext_noop("计划中"),
    "waitlist": gettext_noop("候补中"),
    "corrected": gettext_noop("已更正"),
    "not-done": gettext_noop("未进行"),
}


# FHIR allergyintolerance-verification in words.
_SURENESS = {
    "confirmed": gettext_noop("已确认"),
    "unconfirmed": gettext_noop("疑似"),
    "refuted": gettext_noop("已否定"),
    "entered-in-error": gettext_noop("已作废"),
}


class Line(NamedTuple):
    """One entry of the record on a page."""

    at: datetime
    kind: str
    icon: str
    title: str
    detail: str
    plain: str
    who: str
    tone: str
    sensitive: bool
    type: str = ""
    fhir_id: str = ""
    # What was folded into this line: measurements of one unit on one day.
    parts: tuple["Line", ...] = ()


class Day(NamedTuple):
    """The entries of one day."""

    day: date
    lines: list[Line]


def line_of(entry: Entry, *, units: Mapping[int, str]) -> Line:
    """The line of one entry: what it is, what it says, who wrote it."""
    kind = kind_of(entry.type)
    content = entry.content
    critical = any(
        part.get("url") == systems.CRITICAL_RESULT and part.get("valueBoolean") for part in content.get("extension", [])
    )
    return Line(
        at=entry.occurred_at,
        kind=kind,
        icon=_ICONS[kind],
        title=_title(content),
        detail=_detail(content),
        plain=plain_words(content),
        who=units.get(entry.organization_id or 0, ""),
        tone="critical" if critical else _tone(content),
        sensitive=entry.sensitive,
        type=entry.type,
        fhir_id=entry.fhir_id,
    )


def kind_of(type: str) -> str:
    """The kind of a resource type in the filter of the timeline."""
    return _KIND_OF.get(type, OTHER)


def plain_words(content: Mapping[str, Any]) -> str:
    """The words for the resident that a report carries, "" when it has none."""
    words = [
        part.get("valueString", "") for part in content.get("extension", []) if part.get("url") == systems.PLAIN_WORDS
    ]
    return str(words[0]) if words else ""


def status_words(content: Mapping[str, Any]) -> str:
    """The status of a resource in words."""
    status = str(content.get("status", ""))
    if status == "active" and content.get("resourceType") == "Consent":
        # A consent that was given is nothing that somebody works on.
        status = "current"
    return _(_STATUS[status]) if status in _STATUS else status


def is_withdrawn(content: Mapping[str, Any]) -> bool:
    """Whether somebody marked the entry as a mistake."""
    return content.get("status") == "entered-in-error"


def pressures_of(entries: Iterable[Entry]) -> list[tuple[datetime, float, float]]:
    """The blood pressures among the entries that stand, oldest first: time, systolic, diastolic in mmHg."""
    found = []
    for entry in entries:
        if is_withdrawn(entry.content):
            continue
        values = {
            _code(part.get("code", {})): part.get("valueQuantity", {}).get("value")
            for part in entry.content.get("component", [])
        }
        if values.get("8480-6") is not None and values.get("8462-4") is not None:
            found.append((entry.occurred_at, float(values["8480-6"]), float(values["8462-4"])))
    return found[::-1]


def _title(content: Mapping[str, Any]) -> str:
    match content["resourceType"]:
        case "Encounter":
            return _(_CLASSES.get(content.get("class", {}).get("code", ""), gettext_noop("就诊")))
        case "Task" | "AllergyIntolerance":
            return _before(content) + (_text(content.get("code", {})) or _("办理进度"))
        case "CarePlan":
            return str(content.get("title") or _("随访计划"))
        case "Communication" | "Consent" | "Contract" | "CareTeam" as named_by_type:
            return _(_NAMES[named_by_type])
        case "Appointment":
            return _text((content.get("serviceType") or [{}])[0]) or _("预约")
        case other:
            named = (
                content.get("code")
                or content.get("type")
                or content.get("medicationCodeableConcept")
                or content.get("vaccineCode")
                or {}
            )
            return (
                _own_words(content)
                or _text(named)
                or str(content.get("title") or content.get("name") or _(_NAMES.get(other, other)))
            )


def _own_words(content: Mapping[str, Any]) -> str:
    """What our own acts write that the resource's own words would say in one language alone."""
    decided = _decided(content)
    if decided:
        return _("认可既往结果，未重复检查") if decided == "recognised" else _("已有结果，重复检查")
    kinds = content.get("type") if content["resourceType"] == "EpisodeOfCare" else None
    return _("家庭医生服务期") if kinds and _code(kinds[0]) == "family-doctor" else ""


def _decided(content: Mapping[str, Any]) -> str:
    """The code of a decision about a result that stood; "" for any other issue."""
    actions = [one.get("action") or {} for one in content.get("mitigation", [])]
    codings = [
        one for action in actions for one in action.get("coding", []) if one.get("system") == systems.REPEAT_REASON
    ]
    return str(codings[0].get("code", "")) if codings else ""


def _before(content: Mapping[str, Any]) -> str:
    """What stands before a substance; the statement that none is known says it all."""
    names_substance = content["resourceType"] == "AllergyIntolerance" and _code(content.get("code", {})) != "none-known"
    return _("过敏：") if names_substance else ""


def _detail(content: Mapping[str, Any]) -> str:
    parts = []
    if content["resourceType"] == "Observation":
        parts += [_components(content), value_text(content)]
        parts.append(status_words(content) if is_withdrawn(content) else "")
    elif content["resourceType"] == "AllergyIntolerance":
        parts += [_text(one) for part in content.get("reaction", []) for one in part.get("manifestation", [])]
        sure = _SURENESS.get(_code(content.get("verificationStatus", {})))
        parts.append(_(sure) if sure else "")
    elif _decided(content):
        parts += [_text(one["action"]) for one in content["mitigation"] if _decided(content) != "recognised"]
        parts += [_(one["display"]) for one in content.get("implicated", [])[:1] if one.get("display")]
        parts.append(str(content.get("detail", "")))
    else:
        doses = content.get("dosage") or content.get("dosageInstruction") or []
        parts += [str(one.get("text", "")) for one in doses if isinstance(one, dict)]
        parts += [_text(reason) for reason in content.get("reasonCode", [])]
        parts.append(described(content))
        parts.append(status_words(content))
    return " · ".join(part for part in parts if part)


def _tone(content: Mapping[str, Any]) -> str:
    high = any(
        (_code(part.get("code", {})) == "8480-6" and part["valueQuantity"]["value"] >= 180)
        or (_code(part.get("code", {})) == "8462-4" and part["valueQuantity"]["value"] >= 110)
        for part in content.get("component", [])
        if "valueQuantity" in part
    )
    if high and not is_withdrawn(content):
        return "warn"
    return "neutral"


def _components(content: Mapping[str, Any]) -> str:
    """The parts of a panel: two of one unit as 138/86 mmHg, others one after the other."""
    held = [part.get("valueQuantity") or {} for part in content.get("component", [])]
    if len(held) == 2 and all("value" in one for one in held):
        return f"{_figure(held[0])}/{quantity_text(held[1])}"
    return "，".join(filter(None, map(quantity_text, held)))


def quantity_text(value: Mapping[str, Any] | None) -> str:
    """A quantity as it was sent: "< 0.01 ng/mL"; "" without a value."""
    if not value or "value" not in value:
        return ""
    given = str(value.get("unit") or value.get("code") or "")
    unit = _(given) if (said := written(given)) == given else said
    return f"{value.get('comparator', '')}{_figure(value)} {unit}".strip()


def value_text(content: Mapping[str, Any]) -> str:
    """The value of an Observation, or of one of its parts, of whatever type it is, in words; "" without one."""
    span, ratio = content.get("valueRange") or {}, content.get("valueRatio") or {}
    truth = content.get("valueBoolean")
    found = (
        quantity_text(content.get("valueQuantity")),
        str(content.get("valueString", "")),
        text_of(content.get("valueCodeableConcept")),
        "–".join(filter(None, (quantity_text(span.get("low")), quantity_text(span.get("high"))))),
        ":".join(filter(None, (quantity_text(ratio.get("numerator")), quantity_text(ratio.get("denominator"))))),
        str(content.get("valueInteger", "")),
        (_("是") if truth else _("否")) if truth is not None else "",
        _moment(str(content.get("valueDateTime", ""))),
    )
    return next(filter(None, found), "")


def _moment(text: str) -> str:
    """A dateTime as people here read it: a time in their own hours, a day or a month as it is."""
    return moment(datetime.fromisoformat(text)) if "T" in text else text


# Measured to the whole by everybody: 137.0 mmHg says no more than 137.
_WHOLE = frozenset({"mm[Hg]", "mmHg", "/min", "次/分", "kg", "cm", "%"})


def _figure(quantity: Mapping[str, Any]) -> str:
    """The number as it was written: 6.0 mmol/L of a laboratory says more than 6; a number of ours that was never written so does not."""
    value = quantity["value"]
    written_as = getattr(value, "text", None)
    if written_as is None or quantity.get("code", quantity.get("unit")) in _WHOLE:
        return str(written_as or value).removesuffix(".0")
    return str(written_as)


def described(content: Mapping[str, Any]) -> str:
    """What an entry says in one sentence; FHIR writes the description of some types as text, of a Goal as a concept."""
    said = content.get("conclusion") or content.get("description") or ""
    return said if isinstance(said, str) else text_of(said)


def text_of(concept: Mapping[str, Any] | list[Any] | None) -> str:
    """The words of a CodeableConcept, or of the first of several; "" without one."""
    return _text(concept or {})


def _text(concept: Mapping[str, Any] | list[Any] | str) -> str:
    if isinstance(concept, list):
        concept = concept[0] if concept else {}
    if isinstance(concept, str):
        # A plain code, as the type of a Group or a Device's name: no words for people.
        return ""
    coding = (concept.get("coding") or [{}])[0]
    display = str(coding.get("display", ""))
    # The words of a code system are kept in English beside the Chinese text of who wrote it.
    if display and display.isascii() and (get_language() or "").startswith("en"):
        # LOINC's long names ("Blood pressure panel with all children optional") are no words for people.
        followed = OF_CODE.get(str(coding.get("code"))) if coding.get("system") == systems.LOINC else None
        return str(followed.name) if followed else display
    return _(str(concept.get("text") or coding.get("display") or coding.get("code") or ""))


def _code(concept: Mapping[str, Any]) -> str:
    return str((concept.get("coding") or [{}])[0].get("code", ""))
