"""$lookup, $validate-code, $subsumes, $expand and $translate on R4's own codes, imported tables and what hospitals sent."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from doorstep.kernel.fhir.validation import problems
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
WARDS = "urn:his:wards"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _asked(house: House, address: str, status: int = 200) -> dict[str, Any]:
    answer = house.own.ask("GET", address)
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    assert problems(found) == []
    return found


def _part(found: dict[str, Any], name: str) -> Any:
    part = next(one for one in found["parameter"] if one["name"] == name)
    return next(value for key, value in part.items() if key.startswith("value"))


def _codes(found: dict[str, Any]) -> set[str]:
    return {one["code"] for one in found["expansion"].get("contains", [])}


def _wards(house: House) -> None:
    concepts = [
        {"code": "M", "display": "内科", "property": [{"code": "notSelectable", "valueBoolean": True}],
         "concept": [{"code": "M1", "display": "心内一"}, {"code": "M2", "display": "心内二",
                      "designation": [{"language": "en", "value": "Cardiology II"}],
                      "property": [{"code": "status", "valueCode": "retired"}]}]},
        {"code": "S", "display": "外科", "property": [{"code": "floor", "valueString": "3"}]},
    ]  # fmt: skip
    body = {"resourceType": "CodeSystem", "url": WARDS, "name": "Wards", "version": "2", "status": "active"}
    answer = house.own.ask("POST", "CodeSystem", {**body, "content": "complete", "concept": concepts})
    assert answer.status_code == 201, answer.content


def _set(house: House, url: str, compose: dict[str, Any]) -> None:
    body = {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose}
    assert house.own.ask("POST", "ValueSet", body).status_code == 201


def test_codes_of_r4_are_known_with_their_words_and_place(house: House) -> None:
    found = _asked(house, f"CodeSystem/$lookup?system={ACT}&code=AMB")
    assert (_part(found, "name"), _part(found, "display")) == ("v3.ActCode", "ambulatory")
    above = [one["part"][1]["valueCode"] for one in found["parameter"] if one["name"] == "property"]
    assert above == ["_ActEncounterCode"]
    english = _asked(house, f"CodeSystem/$lookup?system={CATEGORY}&code=laboratory&displayLanguage=en")
    assert _part(english, "display") == "Laboratory"
    assert _asked(house, f"CodeSystem/$lookup?system={CATEGORY}&code=nix", 404)["issue"]
    for first, second, outcome in (
        ("_ActEncounterCode", "AMB", "subsumes"),
        ("AMB", "_ActEncounterCode", "subsumed-by"),
        ("AMB", "AMB", "equivalent"),
        ("AMB", "EMER", "not-subsumed"),
    ):
        told = _asked(house, f"CodeSystem/$subsumes?system={ACT}&codeA={first}&codeB={second}")
        assert _part(told, "outcome") == outcome
    _asked(house, f"CodeSystem/$subsumes?system={ACT}&codeA=AMB&codeB=nix", 404)


def test_value_sets_of_r4_expand_with_their_filters_and_imports(house: House) -> None:
    expanded = _asked(house, "ValueSet/$expand?url=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode&count=500")
    assert {"AMB", "EMER", "IMP", "ACUTE"} <= _codes(expanded)
    assert "_ActEncounterCode" not in _codes(expanded)
    assert {"laboratory", "vital-signs"} <= _codes(
        _asked(house, "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-category")
    )
    _asked(house, "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-category&fliter=lab", 400)
    _asked(house, "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-category|9.9", 404)


def test_a_sent_value_set_filters_excludes_and_imports(house: House) -> None:
    _wards(house)
    tree = {"system": WARDS, "filter": [{"property": "concept", "op": "is-a", "value": "M"}]}
    _set(house, "urn:his:medicine", {"include": [tree]})
    _set(
        house,
        "urn:his:in-use",
        {"include": [{"valueSet": ["urn:his:medicine"]}], "exclude": [{"system": WARDS, "concept": [{"code": "M"}]}]},
    )
    _set(
        house,
        "urn:his:third-floor",
        {"include": [{"system": WARDS, "filter": [{"property": "floor", "op": "=", "value": "3"}]}]},
    )
    _set(
        house,
        "urn:his:named",
        {"include": [{"system": WARDS, "filter": [{"property": "code", "op": "regex", "value": "M[0-9]"}]}]},
    )
    _set(house, "urn:his:both", {"include": [{"system": WARDS, "valueSet": ["urn:his:medicine", "urn:his:named"]}]})
    _set(house, "urn:his:loop", {"include": [{"valueSet": ["urn:his:loop"]}]})
    _set(
        house,
        "urn:his:bad",
        {"include": [{"system": WARDS, "filter": [{"property": "code", "op": "regex", "value": "M["}]}]},
    )
    for name, codes in (
        ("medicine", {"M", "M1", "M2"}), ("in-use", {"M1", "M2"}), ("third-floor", {"S"}), ("named", {"M1", "M2"}), ("both", {"M1", "M2"}),
    ):  # fmt: skip
        assert _codes(_asked(house, f"ValueSet/$expand?url=urn:his:{name}")) == codes, name
    assert _codes(_asked(house, "ValueSet/$expand?url=urn:his:in-use&activeOnly=true")) == {"M1"}
    worded = _asked(house, "ValueSet/$expand?url=urn:his:in-use&filter=cardio&includeDesignations=true")
    assert worded["expansion"]["contains"][0]["designation"] == [{"language": "en", "value": "Cardiology II"}]
    for name in ("loop", "bad"):
        assert _asked(house, f"ValueSet/$expand?url=urn:his:{name}", 422)["issue"]
    # The same sets are searched by, exclusions and all.
    coding = {"system": WARDS, "code": "M"}
    made = house.own.ask("POST", "Observation", house.observation(code={"coding": [coding]}))
    assert made.status_code == 201
    assert len(_asked(house, "Observation?code:in=urn:his:medicine").get("entry", [])) == 1
    assert "entry" not in _asked(house, "Observation?code:in=urn:his:in-use")
    _asked(house, "Observation?code:in=urn:his:loop", 400)


def test_sets_that_import_each_other_are_listed_once_and_too_large_ones_refused(house: House) -> None:
    _wards(house)
    _set(house, "urn:his:deep0", {"include": [{"system": WARDS, "concept": [{"code": "M1"}, {"code": "M2"}]}]})
    for depth in range(1, 12):
        imports = [{"valueSet": [f"urn:his:deep{depth - 1}"]} for _ in range(20)]
        _set(house, f"urn:his:deep{depth}", {"include": imports})
    assert _codes(_asked(house, "ValueSet/$expand?url=urn:his:deep11")) == {"M1", "M2"}
    sent = {"resourceType": "ValueSet", "status": "active", "compose": {"include": [{"system": ACT}] * 2_001}}
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": sent}]}
    assert house.own.ask("POST", "ValueSet/$expand", body).json()["issue"][0]["code"] == "too-costly"


def test_a_code_is_right_only_with_its_system_and_its_words(house: House) -> None:
    _wards(house)
    url = "http://hl7.org/fhir/ValueSet/observation-category"
    for more, right in (
        (f"&system={CATEGORY}&code=laboratory", True),
        (f"&system={CATEGORY}&code=laboratory&display=laboratory", True),
        (f"&system={CATEGORY}&code=laboratory&display=Imaging", False),
        ("&system=urn:other&code=laboratory", False),
        (f"&system={CATEGORY}&code=nix", False),
    ):
        assert _part(_asked(house, f"ValueSet/$validate-code?url={url}{more}"), "result") is right, more
    wrong = _asked(house, f"CodeSystem/$validate-code?url={WARDS}&code=M1&display=心外科")
    assert (_part(wrong, "result"), _part(wrong, "display")) == (False, "心内一")
    assert _part(_asked(house, f"CodeSystem/$validate-code?url={WARDS}&code=M"), "result") is False
    assert _part(_asked(house, f"CodeSystem/$validate-code?url={WARDS}&code=M&abstract=true"), "result") is True
    assert _part(_asked(house, "CodeSystem/$validate-code?url=urn:none&code=M"), "result") is False
    _asked(house, "CodeSystem/$validate-code?code=M1", 400)
    codings = [{"system": "urn:other", "code": "x"}, {"system": WARDS, "code": "S"}]
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "url", "valueUri": WARDS},
            {"name": "codeableConcept", "valueCodeableConcept": {"coding": codings}},
        ],
    }
    assert house.own.ask("POST", "CodeSystem/$validate-code", body).json()["parameter"][0]["valueBoolean"] is True
    assert house.own.ask("POST", "CodeSystem/$validate-code", {"resourceType": "Bundle"}).status_code == 400


def test_a_selection_of_a_system_says_that_it_is_one(house: House) -> None:
    call_command("import_terminology")
    told = _asked(house, "CodeSystem/$validate-code?url=http://loinc.org&code=99999-9")
    assert "选编" in _part(told, "message")
    _set(house, "urn:his:all-of-loinc", {"include": [{"system": "http://loinc.org"}]})
    expansion = _asked(house, "ValueSet/$expand?url=urn:his:all-of-loinc&count=1")["expansion"]
    assert {"name": "limitedExpansion", "valueBoolean": True} in expansion["parameter"]
    disease = "http://hl7.org/fhir/sid/icd-10"
    assert "高血压" in _part(_asked(house, f"CodeSystem/$lookup?system={disease}&code=I10"), "display")
    assert _part(_asked(house, f"CodeSystem/$validate-code?url={disease}&code=I10"), "result") is True
    _asked(house, f"CodeSystem/$lookup?system={disease}&code=I10&version=none", 404)
    # The words of the tables stand beside those of R4, and either is right.
    for display in ("检验", "Laboratory"):
        told = _asked(house, f"CodeSystem/$validate-code?url={CATEGORY}&code=laboratory&display={display}")
        assert _part(told, "result") is True
    _set(house, "urn:his:all-of-snomed", {"include": [{"system": "http://snomed.info/sct"}]})
    assert "snomed" in _asked(house, "ValueSet/$expand?url=urn:his:all-of-snomed", 422)["issue"][0]["diagnostics"]


def test_codes_are_translated_both_ways_and_to_one_system(house: House) -> None:
    element = {
        "code": "M1",
        "target": [{"code": "X", "equivalence": "wider"}, {"code": "Y", "equivalence": "unmatched"}],
    }
    groups = [
        {"source": WARDS, "target": "urn:other", "element": [element], "unmapped": {"mode": "fixed", "code": "Z"}},
        {
            "source": WARDS,
            "target": "urn:third",
            "element": [{"code": "M1", "target": [{"code": "3", "equivalence": "equal"}]}],
        },
    ]
    body = {
        "resourceType": "ConceptMap",
        "url": "urn:his:map",
        "status": "active",
        "sourceUri": "urn:his:from",
        "group": groups,
    }
    assert house.own.ask("POST", "ConceptMap", body).status_code == 201

    def matches(query: str) -> list[tuple[str, str]]:
        found = _asked(house, f"ConceptMap/$translate?{query}")
        parts = [one["part"] for one in found["parameter"] if one["name"] == "match"]
        return [(part[0]["valueCode"], part[1]["valueCoding"]["code"]) for part in parts]

    assert matches(f"url=urn:his:map&system={WARDS}&code=M1") == [("wider", "X"), ("unmatched", "Y"), ("equal", "3")]
    assert matches(f"url=urn:his:map&system={WARDS}&code=M1&targetsystem=urn:third") == [("equal", "3")]
    assert matches("url=urn:his:map&system=urn:other&code=X&reverse=true") == [("narrower", "M1")]
    assert matches(f"url=urn:his:map&system={WARDS}&code=M9") == [("inexact", "Z")]
    assert matches(f"source=urn:his:from&system={WARDS}&code=M1&targetsystem=urn:third") == [("equal", "3")]
    _asked(house, "ConceptMap/$translate?url=urn:none&code=M1", 404)
