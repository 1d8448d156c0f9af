"""What an ECG report consists of, what it must hold before it can be signed, and its seal. No database here."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.utils.translation import gettext as _

from doorstep.care.diagnosis.ecg.rules import CRITICAL_VALUES, CriticalValue
from doorstep.care.diagnosis.ecg.templates import BY_CODE, Phrase


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a report: LOINC code, unit in UCUM, and the bounds outside which it is a slip of the pen."""

    name: str
    zh: str
    en: str
    loinc: str
    display: str
    unit: str
    ucum: str
    low: int
    high: int


MEASURES: Final = (
    Measure("heart_rate", "心室率", "Ventricular rate", "8867-4", "Heart rate", "次/分", "/min", 10, 400),
    Measure("pr_ms", "PR 间期", "PR interval", "8625-6", "P-R Interval", "ms", "ms", 50, 600),
    Measure("qrs_ms", "QRS 时限", "QRS duration", "8633-0", "QRS duration", "ms", "ms", 30, 400),
    Measure("qt_ms", "QT 间期", "QT interval", "8634-8", "Q-T interval", "ms", "ms", 150, 900),
    Measure("qtc_ms", "QTc", "QTc", "8636-3", "Q-T interval corrected", "ms", "ms", 150, 900),
    Measure("axis_degrees", "QRS 电轴", "QRS axis", "8632-2", "QRS axis", "°", "deg", -180, 180),
)
BY_NAME: Final = {measure.name: measure for measure in MEASURES}
CRITICAL_BY_CODE: Final[dict[str, CriticalValue]] = {value.code: value for value in CRITICAL_VALUES}
LONGEST_TEXT: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as the reader writes it: codes of the picked phrases, two texts, figures, and a critical value's code or ""."""

    findings: Sequence[str] = ()
    findings_text: str = ""
    conclusion_text: str = ""
    measurements: Mapping[str, int] = field(default_factory=dict)
    critical_code: str = ""


def problems_of(report: Report, *, confirmed: bool) -> dict[str, str]:
    """What keeps a report from being signed, as a sentence per field; empty when nothing does.

    `confirmed`: whether the reader has said that the figures, which the machine proposes, are right.
    """
    found = shape_problems(report)
    if not confirmed:
        found["measurements_confirmed"] = _("测量值由机器给出，请核对后勾选“已核对”。")
    if "heart_rate" not in report.measurements:
        found.setdefault("heart_rate", _("请填写心室率；测不出时请退回重采。"))
    if not report.findings_text.strip():
        found.setdefault("findings_text", _("请填写心电所见。可按短语快捷键选入。"))
    if not report.conclusion_text.strip():
        found.setdefault("conclusion_text", _("请填写诊断结论。"))
    critical = [BY_CODE[code].zh for code in report.findings if code in BY_CODE and BY_CODE[code].critical]
    if critical and not report.critical_code:
        found["critical_code"] = _("所选“%(finding)s”属于危急值，请选择危急值项目；若不成立请删去该短语。") % {
            "finding": critical[0]
        }
    return found


def shape_problems(report: Report) -> dict[str, str]:
    """What even a draft may not hold: figures out of bounds, unknown codes, endless texts."""
    found: dict[str, str] = {}
    for name, value in report.measurements.items():
        measure = BY_NAME.get(name)
        if measure is not None and not measure.low <= value <= measure.high:
            found[name] = _("%(name)s应在 %(low)s–%(high)s %(unit)s 之间，请核对。") % {
                "name": measure.zh,
                "low": measure.low,
                "high": measure.high,
                "unit": measure.unit,
            }
    if report.critical_code and report.critical_code not in CRITICAL_BY_CODE:
        found["critical_code"] = _("没有这个危急值项目，请从列表中选择。")
    for name in ("findings_text", "conclusion_text"):
        if len(getattr(report, name)) > LONGEST_TEXT:
            found[name] = _("文字不能超过 %(count)s 字，请精简。") % {"count": LONGEST_TEXT}
    return found


def plain_words(report: Report) -> tuple[str, str]:
    """The report for the resident, Chinese and English.

    Said are the picked phrases. A critical value is urgent, whatever was picked beside it, and then nothing reassures; a
    conclusion that says more than the picked phrases sends the resident to the doctor. Without a phrase a safe sentence.
    """
    picked = [BY_CODE[code] for code in report.findings if code in BY_CODE]
    if report.critical_code and not any(phrase.critical for phrase in picked):
        return _URGENT
    phrases = [phrase for phrase in picked if phrase.critical] or picked
    if not phrases:
        return _ASK
    said = [(phrase.plain_zh, phrase.plain_en) for phrase in phrases]
    if _says_more(report, picked):
        said.append(_MORE)
    zh, en = zip(*dict.fromkeys(said), strict=True)
    return "".join(zh), " ".join(en)


_URGENT = (
    "心电图有需要马上处理的发现，这很紧急：请不要走动，医生会马上联系您。",
    "Your ECG shows something that needs action right now. This is urgent: please rest, a doctor will contact you at once.",
)
_ASK = (
    "心电图已由医师判读，具体情况请听您的医生解释。",
    "A doctor has read your ECG. Please ask your doctor about it.",
)
_MORE = ("报告还有其他内容，请听您的医生解释。", "The report says more; please ask your doctor about it.")
_WHOLE = ("正常心电图", "大致正常心电图")


def _says_more(report: Report, picked: Sequence[Phrase]) -> bool:
    """Whether the conclusion holds words beside those of the picked phrases."""
    left = report.conclusion_text
    for words in sorted([*(phrase.zh for phrase in picked), *_WHOLE], key=len, reverse=True):
        left = left.replace(words, "")
    return any(character.isalnum() for character in left)


def content_of(report: Report) -> dict[str, Any]:
    """The report as plain data: what a version keeps and what its seal covers."""
    content = asdict(report)
    content["findings"] = list(report.findings)
    content["measurements"] = dict(sorted(report.measurements.items()))
    return content


def seal_of(
    *,
    key: bytes,
    order_key: str,
    number: int,
    signed_at: datetime,
    signer: str,
    licence: str,
    content: Mapping[str, Any],
) -> str:
    """HMAC-SHA-256 over a signed version: whoever rewrites the database still cannot rewrite the seal."""
    text = orjson.dumps(
        [order_key, number, signed_at.isoformat(timespec="microseconds"), signer, licence, content],
        option=orjson.OPT_SORT_KEYS,
    )
    return hmac.digest(key, text, "sha256").hex()


def suggested(preread: Mapping[str, Any]) -> dict[str, int]:
    """Figures of the pre-read that the reader may confirm; QTc by Bazett up to 90 a minute, by Fridericia beyond.

    Bazett's formula corrects too much at high rates (AHA/ACCF/HRS 2009, part IV).
    """
    measured = preread.get("measurements") or {}
    corrected = "qtc_bazett_ms" if (measured.get("heart_rate") or 0) <= 90 else "qtc_fridericia_ms"
    values = {measure.name: measured.get(measure.name) for measure in MEASURES} | {"qtc_ms": measured.get(corrected)}
    return {name: round(value) for name, value in values.items() if value is not None}
