"""Rules of the record page: units, scales, ranges and marks of values, chapters and families of diagnoses, filters of the address."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from doorstep.kernel.fhir.decimals import Exact
from doorstep.kernel.record.queries import Entry
from doorstep.people.residents.chart import filters, lists, trends
from doorstep.people.residents.chart.analytes import ANALYTES, factor
from doorstep.people.residents.chart.diseases import CHAPTERS, FAMILIES, chapter_of, families_of
from doorstep.people.residents.chart.lines import days_of
from doorstep.people.residents.chart.values import values_of
from doorstep.people.residents.presenters import quantity_text, text_of

AT = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
UNITS = {1: "甲医院", 2: "乙卫生院"}


def _observation(code: str, value: Any, unit: str, *, unit_id: int = 1, at: datetime = AT, **more: Any) -> Entry:
    content = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
        **more,
    }
    return Entry("Observation", f"o-{code}-{unit_id}-{at:%j}", at, unit_id, "", "laboratory", False, content)


def _range(low: Any, high: Any, unit: str) -> list[dict[str, Any]]:
    bounds = {"low": low, "high": high}
    return [{side: {"value": value, "unit": unit, "code": unit} for side, value in bounds.items() if value is not None}]


@pytest.mark.parametrize(
    ("sent", "wanted", "expected"),
    [
        ("g/dL", "g/L", Decimal(10)),
        ("mmol/L", "umol/L", Decimal(1000)),
        ("umol/L", "umol/L", Decimal(1)),
        ("mg/dL", "mmol/L", None),
        ("[degF]", "Cel", None),
        ("no unit", "g/L", None),
    ],
)
def test_factor_converts_only_what_is_exact(sent: str, wanted: str, expected: Decimal | None) -> None:
    assert factor(sent, wanted) == expected


@given(st.sampled_from(sorted({unit for one in ANALYTES.values() for unit in one.codes.values()} | {"g/dL", "mg/L", "ug/L"})),
       st.sampled_from(["g/L", "mmol/L", "umol/L", "kg", "g", "mg/dL", "%"]))  # fmt: skip
def test_factor_there_and_back_is_one(one: str, other: str) -> None:
    there, back = factor(one, other), factor(other, one)
    if there is not None and back is not None:
        assert there * back == 1


def test_values_of_harmonise_within_a_code_and_never_across() -> None:
    found = values_of(
        [
            _observation(
                "718-7", Exact("12.9"), "g/dL", unit_id=2, referenceRange=_range(Exact("13.0"), Exact("17.5"), "g/dL")
            ),
            _observation("718-7", 124, "g/L", referenceRange=_range(130, 175, "g/L")),
            _observation("14682-9", Exact("1.30"), "mg/dL"),
            _observation("4548-4", Exact("6.5"), "%"),
            _observation("59261-8", 48, "mmol/mol"),
        ]
    )
    assert [(one.analyte.key, one.scale, one.text, one.sent) for one in found] == [
        ("haemoglobin", "g/L", "129 g/L", "12.9 g/dL"),
        ("haemoglobin", "g/L", "124 g/L", ""),
        ("creatinine", "mg/dL", "1.30 mg/dL", ""),
        ("hba1c", "%", "6.5 %", ""),
        ("hba1c", "mmol/mol", "48 mmol/mol", ""),
    ]
    assert [one.flag for one in found[:2]] == ["low", "low"]
    assert found[0].range_text == "130–175"
    shown = trends.trends_of(found, units=UNITS)
    assert [(one.key, one.unit, one.other_scale) for one in shown] == [
        ("hba1c", "%", True),
        ("hba1c-mmol-mol", "mmol/mol", True),
        ("creatinine", "mg/dL", False),
        ("haemoglobin", "g/L", False),
    ]
    assert {row.unit for row in shown[-1].rows} == {"甲医院", "乙卫生院"}
    assert "原报 12.9 g/dL" in shown[-1].rows[0].note


def test_values_of_mark_by_the_laboratory_before_its_range() -> None:
    entries = [
        _observation("2823-3", Exact("5.4"), "mmol/L", referenceRange=_range(Exact("3.5"), Exact("5.3"), "mmol/L")),
        _observation("2823-3", Exact("5.4"), "mmol/L", interpretation=[{"coding": [{"code": "N"}]}],
                     referenceRange=_range(Exact("3.5"), Exact("5.3"), "mmol/L")),
        _observation("2823-3", Exact("3.1"), "mmol/L"),
        _observation("2823-3", Exact("3.1"), "mmol/L", status="entered-in-error"),
        _observation("2823-3", None, "mmol/L"),
    ]  # fmt: skip
    assert [one.flag for one in values_of(entries)] == ["high", "", ""]


def test_hba1c_in_ifcc_units_is_never_read_as_per_cent() -> None:
    # 48 mmol/mol are 6.5 %; as a pure number they would be 4.8 %, and a diabetic would look healthy.
    (found,) = values_of([_observation("4548-4", 48, "mmol/mol")])
    assert (found.scale, found.text) == ("mmol/mol", "48 mmol/mol")
    assert factor("mmol/mol", "%") is None


def test_since_is_the_day_of_the_county() -> None:
    # 07:30 of 2 March in China is the evening of 1 March in UTC.
    early = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    content = {"resourceType": "Condition", "code": {"text": "2 型糖尿病"}}
    (found,) = lists.problems_of([Entry("Condition", "c", early, 1, "", "", False, content)], units=UNITS)
    assert found.since == "2026-03-02"


def test_trends_of_pressure_draws_both_parts_and_says_the_same_in_the_table() -> None:
    parts = [
        {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "code": "mm[Hg]"}}
        for code, value in (("8480-6", Exact("152.0")), ("8462-4", 94))
    ]
    entry = _observation("85354-9", None, "", component=parts)
    (trend,) = trends.trends_of(values_of([entry]), units=UNITS)
    assert trend.rows[0].texts == ("152", "94")
    points = [one for one in trend.options["series"] if one["type"] == "scatter"]
    assert [one["symbol"] for one in points] == ["circle", "emptyCircle"]
    assert "152 mmHg" in points[0]["data"][0]["name"]
    assert "甲医院" in points[0]["data"][0]["name"]


def test_chapter_of_knows_every_chapter_and_says_when_there_is_none() -> None:
    assert len(CHAPTERS) == 22
    assert str(chapter_of("I10.x00")) == "循环系统疾病"
    assert str(chapter_of("T14.9")) == str(chapter_of("S00.0"))
    assert str(chapter_of("")) == "未编码的诊断"


def test_families_of_follow_the_diagnoses_and_name_known_analytes() -> None:
    assert [one.key for one in families_of({"E11.900", "N18.300", "J20"})] == ["diabetes", "kidney"]
    assert {key for one in FAMILIES for key in one.analytes} <= set(ANALYTES)


def test_problems_of_put_units_together_and_tell_resolved_ones_apart() -> None:
    def condition(code: str, unit_id: int, state: str, onset: str, **more: Any) -> Entry:
        content = {
            "resourceType": "Condition",
            "code": {"coding": [{"code": code, "display": code}]},
            "clinicalStatus": {"coding": [{"code": state}]},
            "onsetDateTime": onset,
            **more,
        }
        return Entry("Condition", f"{code}-{unit_id}", AT, unit_id, "", "", False, content)

    wrong = {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    found = lists.problems_of(
        [
            condition("I10", 2, "active", "2020-01-02"),
            condition("I10", 1, "active", "2018-06-01"),
            condition("J18.9", 1, "resolved", "2024-01-01", abatementDateTime="2024-01-20"),
            condition("C50", 1, "active", "2024-01-01", **wrong),
        ],
        units=UNITS,
    )
    assert [(one.code, one.active, one.since, one.until, one.units) for one in found] == [
        ("I10", True, "2018-06-01", "", ("乙卫生院", "甲医院")),
        ("J18.9", False, "2024-01-01", "2024-01-20", ("甲医院",)),
    ]


def test_filter_of_keeps_what_it_knows_and_writes_it_back() -> None:
    chosen = filters.filter_of({"kind": "visit", "unit": "16", "disease": "nonsense", "period": "1y"})
    assert chosen == filters.Filter(kind="visit", unit=16, period="1y")
    assert filters.filter_of(dict(part.split("=") for part in chosen.query()[1:].split("&"))) == chosen
    assert chosen.query(kind="", unit=None, period="") == "?"
    assert filters.filter_of({"unit": "16; DROP"}).is_open


@given(st.text(max_size=40))
def test_before_of_never_fails(text: str) -> None:
    found = filters.before_of(text)
    assert found is None or found[0].tzinfo is not None


def test_text_of_a_followed_value_is_plain_english() -> None:
    panel = {
        "code": "85354-9",
        "system": "http://loinc.org",
        "display": "Blood pressure panel with all children optional",
    }
    with translation.override("en"):
        assert text_of({"coding": [panel], "text": "血压"}) == "Blood pressure"
        assert text_of({"coding": [{"code": "x", "display": "Other thing"}]}) == "Other thing"
    with translation.override("zh-hans"):
        assert text_of({"coding": [panel], "text": "血压"}) == "血压"


def _paper(kind: str, number: int, **content: Any) -> Entry:
    named = {"resourceType": kind, "id": f"{kind}-{number}", "type": {"text": "检验报告"}, "status": "final"}
    return Entry(kind, f"{kind}-{number}", AT, 1, "", "", False, {**named, **content})


def test_a_document_s_file_and_what_was_read_out_of_it_are_one_line() -> None:
    entries = [_paper(kind, number) for number in (2, 1) for kind in ("DocumentReference", "Composition")]
    alone = _paper("DocumentReference", 3, type={"text": "知情同意书"})
    (day,) = days_of([*entries, alone], units={1: "清溪镇卫生院"})
    assert [[f"{part.type}/{part.fhir_id}" for part in line.parts] for line in day.lines] == [
        ["Composition/Composition-2", "DocumentReference/DocumentReference-2"],
        ["Composition/Composition-1", "DocumentReference/DocumentReference-1"],
        [],
    ]


def test_a_line_says_a_truth_as_it_says_a_number() -> None:
    told = Entry("Observation", "o1", AT, 1, "", "", False, {
        "resourceType": "Observation", "id": "o1", "code": {"text": "过敏史标志"}, "valueBoolean": True,
    })  # fmt: skip
    assert days_of([told], units={})[0].lines[0].detail == "是"


def test_a_unit_is_written_as_doctors_write_it() -> None:
    assert quantity_text({"value": 58, "unit": "mL/min/{1.73_m2}"}) == "58 mL/min/1.73m²"
    assert quantity_text({"value": 3.2, "unit": "mmol/L"}) == "3.2 mmol/L"


def test_what_is_measured_to_the_whole_has_no_empty_places() -> None:
    assert quantity_text({"value": Exact("137.0"), "unit": "mmHg", "code": "mm[Hg]"}) == "137 mmHg"
    assert quantity_text({"value": Exact("6.0"), "unit": "mmol/L"}) == "6.0 mmol/L"
    assert quantity_text({"value": 6.0, "unit": "mmol/L"}) == "6 mmol/L"
