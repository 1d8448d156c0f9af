"""How names and texts are said: a surname as one, in what people type and in what a search keeps."""

import pytest

from doorstep.kernel.fhir import spelling
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.fhir.words import compared


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("曾国芳", "zeng guo fang"),
        ("查小单", "zha xiao dan"),
        ("单于明", "chan yu ming"),
        ("尉迟恭", "yu chi gong"),
        ("王曾", "wang ceng"),
        ("Anna", "Anna"),
        ("", ""),
    ],
)
def test_of_name_reads_the_surname_as_one(name: str, said: str) -> None:
    assert " ".join(spelling.of_name(name)) == said


def test_a_search_by_sound_says_people_and_units_each_in_their_way() -> None:
    for type in ("Patient", "Practitioner", "RelatedPerson"):
        assert compared(parameters(type)["phonetic"], "曾国芳") == "zengguofang"
        assert compared(parameters(type)["phonetic"], "Zeng Guofang") == "zengguofang"
    assert compared(parameters("Organization")["phonetic"], "解放军医院") == "jiefangjunyiyuan"
    assert compared(parameters("Patient")["family"], "曾") == "曾"
