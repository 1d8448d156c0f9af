"""What acts are called on the pages of the auditor and of residents."""

import re

import pytest
from django.utils import translation

from doorstep.site.acts import act_words, acts_called
from doorstep.site.machines import MACHINES


@pytest.mark.parametrize("code", ["record.view", "exchange.replay-all", "workforce.PostEnded", "no-such.thing"])
def test_act_words_are_never_a_code(code: str) -> None:
    with translation.override("zh-hans"):
        assert not re.search(r"[a-z]", act_words(code))


def test_act_words_name_every_way_of_every_machine() -> None:
    for machine in MACHINES:
        for way in machine.transitions:
            with translation.override("zh-hans"):
                assert act_words(f"{machine.name}.{way.verb}").startswith(machine.zh) or machine.name == "booking"
            with translation.override("en"):
                assert not re.search(r"[\u4e00-\u9fff]", act_words(f"{machine.name}.{way.verb}"))


def test_acts_called_finds_by_what_the_page_shows() -> None:
    with translation.override("zh-hans"):
        assert "ecg-order.sign" in acts_called("签发报告")
        assert "glass.break" in acts_called("紧急查阅")
        assert acts_called("") == []
