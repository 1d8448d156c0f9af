"""Criteria, benefits and codes in the reader's language, each with the values that it rests on and their day."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_queries, down_rules, rules
from doorstep.care.referrals.criteria import Judgement, as_rows
from doorstep.care.referrals.models import Referral
from doorstep.kernel.terminology import queries as terminology
from doorstep.people.residents.insurance import KINDS

_TONES = {True: "warn", None: "plain", False: "neutral"}


def english() -> bool:
    """Whether the page is read in English."""
    return (get_language() or "").startswith("en")


def listed(words: Iterable[str]) -> str:
    """Words in a row, with the marks of the reader's language."""
    return (", " if english() else "、").join(words)


def clauses(parts: Iterable[str]) -> str:
    """Parts of a sentence in a row, with the marks of the reader's language."""
    return ("; " if english() else "；").join(parts)


def criteria_now(judgements: list[Judgement]) -> list[dict[str, Any]]:
    """Criteria as they are judged at this moment."""
    return criteria_rows(as_rows(judgements))


def criteria_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Criteria as they were kept: sentence, verdict, the values used. Rows of the first release keep their values as one text."""
    return [
        {
            "text": _(str(row["text"])),
            "met": row["met"],
            "urgent": row["urgent"],
            "disease": _(rules.DISEASES.get(str(row.get("disease", "")), "通用")),
            "values": used_text(row["used"]) if "used" in row else row.get("values", ""),
            "source": _(str(row["source"])),
            "verified": row["verified"],
        }
        for row in rows
    ]


def benefit_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Benefits as they were decided, each with the values that the rule looked at; an older decision has its Chinese words alone."""
    found = []
    for row in rows:
        words = {"source": _(str(row["source"])) if row.get("source") else "", "used": _inputs(row.get("inputs") or {})}
        if english():
            words |= {"title": row.get("title_en") or row["title"], "reason": row.get("reason_en") or row["reason"]}
        found.append({**row, **words})
    return found


def missing_words(text: str, names: Mapping[str, str]) -> str:
    """What a unit lacks, or nobody knows of it ("skill:rehab", "medicine:<code>", "bed"), in words."""
    kind, _colon, code = text.partition(":")
    if kind == "skill":
        return _(down_rules.SKILLS.get(code, code))
    return _("床位") if kind == "bed" else names.get(code, code)


def shelf_names(substitutes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What the medicines are called by which several units would replace others; one query for all of them."""
    codes = sorted({code for one in substitutes for code in one.values()})
    return (
        {code: one.zh for code, one in terminology.lookup(system=down_queries.MEDICINES, codes=codes).items()}
        if codes
        else {}
    )


def substitute_words(substitutes: Mapping[str, str], names: Mapping[str, str], shelf: Mapping[str, str]) -> list[str]:
    """Which medicine of the plan a unit would replace by which of its shelf (`shelf_names`)."""
    return [
        _("%(wanted)s 可用 %(other)s 替代") % {"wanted": names.get(code, code), "other": shelf.get(other, other)}
        for code, other in substitutes.items()
    ]


_INPUTS = {
    "day": gettext_noop("判定日期"),
    "age": gettext_noop("年龄"),
    "signed": gettext_noop("家庭医生签约"),
    "critical": gettext_noop("危急"),
    "insurance": gettext_noop("医保类型"),
    "direction": gettext_noop("转诊方向"),
}


def _inputs(inputs: dict[str, Any]) -> str:
    """The values of a decision in one line."""
    words = {"true": _("是"), "false": _("否"), "unknown": _("未登记")}
    words |= {code: _(text) for code, text in KINDS.items()}
    words |= {str(one.value): _(str(one.label)) for one in Referral.Direction}
    said = [(_(_INPUTS.get(name, name)), words.get(str(value), str(value))) for name, value in inputs.items()]
    return clauses(f"{name} {value}" for name, value in said)


def used_text(used: list[dict[str, Any]]) -> str:
    """The values behind a judgement in one line, an unknown one named as such."""
    return clauses(_one(row) for row in used)


def _one(row: dict[str, Any]) -> str:
    name = _(rules.NAMES.get(str(row["name"]), str(row["name"])))
    value = row["value"]
    if value is None:
        return _("%(name)s未知") % {"name": name}
    if isinstance(value, bool):
        text = _("是") if value else _("否")
    elif isinstance(value, list):
        text = listed(_(rules.SYMPTOMS.get(str(one), str(one))) for one in value) or _("无")
    else:
        text = f"{row.get('bound', '')}{value} {_(row['unit']) if row['unit'] else ''}".strip()
    how = rules.METHODS.get(str(row.get("how", "")), "")
    marks = (", " if english() else "，").join(one for one in (_(how) if how else "", row["on"]) if one)
    return f"{name} {text}" + ((f" ({marks})" if english() else f"（{marks}）") if marks else "")
