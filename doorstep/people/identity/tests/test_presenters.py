"""What two records side by side leave to choose."""

from datetime import date

import pytest

from doorstep.people.identity.presenters import lines_of, told_apart
from doorstep.people.identity.queries import Pair
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident


@pytest.mark.parametrize(("other", "proposed"), [("周桂兰", ""), ("周桂蓝", "standing")])
def test_a_name_that_is_spelled_in_other_syllables_leaves_nothing_to_choose(other: str, proposed: str) -> None:
    unit = Organization(id=1, name="石桥村卫生室")
    standing, former = (
        Resident(name=name, name_pinyin=pinyin, birth_date=date(1963, 3, 12), gender="female", organization=unit)
        for name, pinyin in (("周桂兰", "zhou guilan"), (other, "zhou gui lan"))
    )
    lines = {line.code: line.proposed for line in lines_of(Pair(standing, former, {}, {}))}
    assert lines["name"] == proposed


def test_two_records_of_one_name_are_told_apart_by_day_and_hidden_number() -> None:
    known = Resident(name="周桂兰", birth_date=date(1963, 9, 15), national_id="439981196309150027")
    unnamed = Resident(name="周桂兰", birth_date=date(1963, 3, 12), record_number="L58015303488")
    assert told_apart(known) == "周桂兰 · 1963-09-15 · 439981********0027"
    assert told_apart(unnamed) == "周桂兰 · 1963-03-12 · L58015303488"
