import time
from dataclasses import replace
from datetime import UTC, date, datetime

from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.report_pdf.facts import ReportFacts
from doorstep.care.diagnosis.report_pdf.render import render, render_png
from doorstep.care.diagnosis.report_pdf.trace import HEIGHT_MM, WIDTH_MM, trace_svg

REPORT = ReportFacts(
    centre="安和县医共体心电诊断中心",
    requester="柳林镇卫生院 · 东坡村卫生室",
    report_number="XD20260302-0007",
    name="王小明",
    sex="male",
    birth_date=date(1960, 3, 7),
    resident_number="A0000123",
    complaint="胸闷 2 小时",
    recording=synthesize(Kind.INFERIOR_STEMI, seed=7),
    measurements=(
        ("心率", "64 次/分"), ("电轴", "60°"), ("PR", "162 ms"), ("QRS", "82 ms"),
        ("QT", "346 ms"), ("QTc", "357 ms"), ("RR", "938 ms"), ("P 波", "有"),
    ),
    findings=("窦性心律", "Ⅱ、Ⅲ、aVF 导联 ST 段抬高 0.2～0.35 mV", "Ⅰ、aVL 导联 ST 段压低"),
    conclusion="急性下壁心肌梗死可能，请立即启动胸痛流程并加做 V3R–V5R、V7–V9",
    critical="首次发现疑似急性心肌梗死，09:33 已电话通知申请单位",
    reader="李秀兰",
    verifier="",
    recorded_at=datetime(2026, 3, 2, 1, 30, 15, tzinfo=UTC),
    reported_at=datetime(2026, 3, 2, 1, 36, 2, tzinfo=UTC),
    url="https://example.org/r/XD20260302-0007",
)  # fmt: skip


def test_render_is_one_deterministic_page() -> None:
    first = render(REPORT)
    start = time.perf_counter()
    second = render(REPORT)
    assert time.perf_counter() - start < 3
    assert first.startswith(b"%PDF-")
    assert first == second


def test_render_copes_with_long_and_hostile_text() -> None:
    hostile = '#panic("x") $a$ *b* <c> \\ "d" ' * 12
    assert render(replace(REPORT, name=hostile, conclusion=hostile, findings=(hostile,), critical="", birth_date=None))


def test_render_png_is_a_picture() -> None:
    assert render_png(REPORT).startswith(b"\x89PNG")


def test_trace_svg_is_in_millimetres() -> None:
    svg = trace_svg(REPORT.recording)
    assert f'width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm"' in svg
    assert svg.count("<polyline") == 13
