"""Criteria, benefits and codes in the reader's language, each with the values that it rests on and their day."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.referrals import rules
from doorstep.care.referrals.criteria import Judgement, as_rows

_TONES = {True: "warn", None: "plain", False: "neutral"}


def english() -> bool:
    """Whether the page is read in English."""
    return (get_language() or "").startswith("en")


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
    """Benefits as they were decided; a decision of an older release has its Chinese words alone."""
    if not english():
        return rows
    return [
        {**row, "title": row.get("title_en") or row["title"], "reason": row.get("reason_en") or row["reason"]}
        for row in rows
    ]


def used_text(used: list[dict[str, Any]]) -> str:
    """The values behind a judgement in one line, an unknown one named as such."""
    return ("; " if english() else "；").join(_one(row) for row in used)


def _one(row: dict[str, Any]) -> str:
    name = _(rules.NAMES.get(str(row["name"]), str(row["name"])))
    value = row["value"]
    if value is None:
        return _("%(name)s未知") % {"name": name}
    if isinstance(value, bool):
        text = _("是") if value else _("否")
    elif isinstance(value, list):
        text = (", " if english() else "、").join(_(rules.SYMPTOMS.get(str(one), str(one))) for one in value) or _("无")
    else:
        text = f"{value} {_(row['unit']) if row['unit'] else ''}".strip()
    day = (f" ({row['on']})" if english() else f"（{row['on']}）") if row["on"] else ""
    return f"{name} {text}{day}"
