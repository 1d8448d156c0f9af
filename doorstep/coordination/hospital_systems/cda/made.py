"""Documents made of what is no Composition yet: a report of an examination or laboratory, a visit as outpatient record."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.kernel.fhir import elements
from doorstep.kernel.fhir.elements import Json
from doorstep.people.residents.presenters import value_text

# v2-0074: what a laboratory reports.
_LABORATORY = frozenset({"LAB", "HM", "CH", "MB", "SR", "BLB", "IMM", "TX", "VR", "laboratory"})
_NOT_OUTPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})


def of_report(report: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> Json:
    """A DiagnosticReport with its results as 检验报告 or 检查报告."""
    codes = {coding.get("code") for one in report.get("category", []) for coding in one.get("coding", [])}
    kind = catalogue.KINDS["C0007" if codes & _LABORATORY else "C0006"]
    title = _words(report.get("code")) or kind.title
    return _composition(
        report,
        kind,
        title=title,
        date=str(report.get("issued") or report.get("effectiveDateTime", "")),
        author=[*report.get("resultsInterpreter", []), *report.get("performer", [])],
        keeper=report.get("performer", []),
        sections=[_results(title, results), _section("诊断结论", [str(report.get("conclusion", ""))])],
    )


def of_visit(
    visit: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
) -> Json | None:
    """An outpatient or emergency Encounter as 门（急）诊病历; None for a stay."""
    if visit.get("class", {}).get("code") in _NOT_OUTPATIENT:
        return None
    kind = catalogue.KINDS["C0002"]
    doctors = [one["individual"] for one in visit.get("participant", []) if "individual" in one]
    keeper = [visit["serviceProvider"]] if "serviceProvider" in visit else []
    return _composition(
        visit,
        kind,
        title=kind.title,
        date=str(visit.get("period", {}).get("start", "")),
        author=[*doctors, *keeper],
        keeper=keeper,
        sections=[
            _section("主诉与就诊原因", map(_words, visit.get("reasonCode", []))),
            _results("测量与检查结果", results),
            _section("诊断", (_words(one.get("code")) for one in conditions)),
        ],
    )


def _composition(
    source: Mapping[str, Any],
    kind: catalogue.Kind,
    *,
    sections: Iterable[Json | None],
    keeper: list[Json],
    **facts: Any,
) -> Json:
    own = elements.coding(f"urn:oid:{catalogue.DOCUMENT_CODES}", kind.code, kind.title)
    return {
        "resourceType": "Composition",
        "id": source["id"],
        "meta": source.get("meta", {}),
        "type": {"coding": [own], "text": kind.title},
        "subject": source.get("subject", {}),
        "custodian": next(iter(keeper), {}),
        "section": [one for one in sections if one is not None],
        **facts,
    }


def _section(title: str, lines: Iterable[str]) -> Json | None:
    kept = [line for line in lines if line]
    div = "".join(f"<p>{escape(line, quote=False)}</p>" for line in kept)
    return {"title": title, "text": {"status": "generated", "div": f"<div>{div}</div>"}} if kept else None


def _results(title: str, results: Sequence[Mapping[str, Any]]) -> Json | None:
    section = _section(title, map(_line, results))
    if section is not None:
        section["entry"] = [{"reference": f"Observation/{one['id']}"} for one in results]
    return section


def _line(observation: Mapping[str, Any]) -> str:
    parts = [
        value_text(observation),
        *(f"{_words(one.get('code'))} {value_text(one)}" for one in observation.get("component", [])),
    ]
    return f"{_words(observation.get('code'))}：{'，'.join(part for part in parts if part)}"


def _words(concept: Mapping[str, Any] | None) -> str:
    """What a concept is called."""
    given = concept or {}
    return str(given.get("text", "")) or next(
        (str(one.get("display") or one.get("code", "")) for one in given.get("coding", [])), ""
    )
