"""Diagnoses that are not said aloud: the value set data/sensitive_diagnoses.csv, and which of its labels a resource carries.

What counts: 国家标准 GB/T 39725-2020 《信息安全技术 健康医疗数据安全指南》 asks for the strictest care of special diseases (mental disorders,
HIV, sexually transmitted diseases); 《精神卫生法》第四条、《艾滋病防治条例》第三十九条 and 《传染病防治法》第十二条 forbid to make them known. Which codes
belong to them, and that tuberculosis, infertility and abortion do, is the platform's choice and not verified.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VERIFIED = False
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
# hl7.org/fhir/R4/v3/InformationSensitivityPolicy: PSY, HIV, STD, SEX; it has no code for tuberculosis.
SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_DATA = Path(__file__).parent / "data/sensitive_diagnoses.csv"
_CATEGORY = len("A00")


@dataclass(frozen=True, slots=True)
class Span:
    """Codes from one to another, both with everything below them, and the label that they get."""

    first: str
    last: str
    label: str


def labels_of(resource: dict[str, Any]) -> tuple[str, ...]:
    """The labels of every code of the value set that stands anywhere in a resource, in the order of the alphabet."""
    return tuple(sorted({label for system, code in _codings(resource) for label in _labels(system, code)}))


def labelled(resource: dict[str, Any], labels: tuple[str, ...], *, house: str) -> dict[str, Any]:
    """The resource with its labels and "restricted" in meta.security; `house` is the system of labels that HL7 has not."""
    wanted = [{"system": CONFIDENTIALITY, "code": "R"}]
    wanted += [{"system": SENSITIVITY if one.isupper() else house, "code": one} for one in labels]
    meta = resource.get("meta") or {}
    held = meta.get("security") or []
    known = {(one.get("system"), one.get("code")) for one in held}
    # What its sender says of its secrecy stays: "very restricted" is not made weaker.
    strict = any(one.get("system") == CONFIDENTIALITY and one.get("code") in ("R", "V") for one in held)
    added = [one for one in wanted[1 if strict else 0 :] if (one["system"], one["code"]) not in known]
    return {**resource, "meta": {**meta, "security": [*held, *added]}} if added else resource


def spans() -> dict[str, tuple[Span, ...]]:
    """The value set by code system."""
    return _spans()


def _labels(system: str, code: str) -> Iterator[str]:
    for span in _spans().get(system, ()):
        low = code[: len(span.first)] if span.first != span.last or len(span.first) == _CATEGORY else code
        if span.first <= low <= span.last:
            yield span.label


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if isinstance(system, str) and isinstance(code, str) and system in _spans():
            yield system, code.strip().upper()
        for name, part in value.items():
            if name != "meta" and isinstance(part, dict | list):
                yield from _codings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _codings(part)


@cache
def _spans() -> dict[str, tuple[Span, ...]]:
    found: dict[str, list[Span]] = {}
    with _DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["system"], []).append(Span(row["first"], row["last"], row["label"]))
    return {system: tuple(rows) for system, rows in found.items()}
