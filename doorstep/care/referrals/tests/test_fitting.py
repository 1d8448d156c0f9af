"""Which clinics fit: the code first, then the emergency centre, then the words."""

import pytest

from doorstep.care.referrals.fitting import fits, words_that_fit


@pytest.mark.parametrize(
    ("code", "center", "impression", "department"),
    [
        ("I21.1", "", "", "心内科"),
        ("i63.9", "chest-pain", "急性下壁心肌梗死", "神经内科"),
        ("K35.8", "", "", "普外科"),
        ("K29", "", "", "消化内科"),
        ("S06", "", "", "神经外科"),
        ("", "chest-pain", "窦性心律；急性下壁心肌梗死可能", "心血管内科一病区"),
        ("", "newborn", "", "新生儿科"),
        ("", "", "慢阻肺急性加重", "呼吸与危重症医学科"),
        ("", "", "阵发性心悸", "心内科"),
    ],
)
def test_words_that_fit_find_the_department(code: str, center: str, impression: str, department: str) -> None:
    assert fits(department, words_that_fit(code=code, center=center, impression=impression))


def test_words_that_fit_say_nothing_of_what_is_unknown() -> None:
    assert words_that_fit(code="Z99", center="", impression="乏力待查") == ()
    assert not fits("院办公室", words_that_fit(code="I21.1", center="", impression=""))
