"""Render a report as PDF: facts as JSON and trace and code as SVG into one Typst page."""

from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils import translation

from doorstep.care.diagnosis.report_pdf.facts import ReportFacts
from doorstep.care.diagnosis.report_pdf.trace import trace_svg
from doorstep.kernel.files.printing import code_svg, typeset
from doorstep.kernel.web import formats

_TEMPLATE: Final = Path(__file__).with_name("report.typ")
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_SEX: Final = {"male": "男", "female": "女", None: "未说明"}


def render(report: ReportFacts) -> bytes:
    """The report as PDF. Deterministic: the same facts give the same bytes. No network, no system fonts."""
    return _compile(report, "pdf")


def render_png(report: ReportFacts, *, ppi: float = 110) -> bytes:
    """The report's page as PNG, for a preview."""
    return _compile(report, "png", ppi=ppi)


def _compile(report: ReportFacts, kind: Literal["pdf", "png"], *, ppi: float | None = None) -> bytes:
    return typeset(
        _TEMPLATE,
        facts=_words(report),
        at=report.reported_at,
        drawings={"trace": trace_svg(report.recording), "code": code_svg(report.url)},
        kind=kind,
        ppi=ppi,
    )


def _words(report: ReportFacts) -> dict[str, object]:
    return {
        "centre": report.centre,
        "requester": report.requester,
        "number": report.report_number,
        "name": report.name,
        "sex": _SEX[report.sex],
        "age": _age(report.birth_date, report.recorded_at),
        "resident_number": report.resident_number,
        "complaint": report.complaint or "—",
        "measurements": report.measurements,
        "findings": report.findings,
        "conclusion": report.conclusion,
        "critical": report.critical,
        "reader": report.reader,
        "verifier": report.verifier or "—",
        "recorded_at": _clock(report.recorded_at),
        "reported_at": _clock(report.reported_at),
    }


def _age(born: date | None, moment: datetime) -> str:
    if born is None:
        return "—"
    # The report is Chinese whoever prints it; the ECG of a newborn is read by days, not as one of "0 岁".
    with translation.override("zh-hans"):
        return formats.age(born, moment.astimezone(_ZONE).date())


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"
