"""The warning signs of a plan follow the disease and what the patient takes."""

from doorstep.care.referrals import texts
from doorstep.care.referrals.plan_signs import signs_of

GROUPS = {"clopidogrel-75": "p2y12", "metformin": "metformin"}


def test_a_stroke_under_antiplatelets_is_told_of_bleeding() -> None:
    plain = signs_of("stroke", [{"name": "阿托伐他汀钙片", "code": "atorvastatin-20"}], groups=GROUPS)
    assert plain == list(texts.SIGNS_OF["stroke"])
    assert signs_of("stroke", [{"name": "硫酸氢氯吡格雷片 75 mg", "code": "clopidogrel-75"}], groups=GROUPS) == [
        *plain,
        texts.BLEEDING,
    ]
    # A medicine outside the house's list is known by its name.
    assert texts.BLEEDING in signs_of("stroke", [{"name": "利伐沙班片 10mg"}], groups={})


def test_insulin_and_a_slow_heart_have_their_signs_and_nothing_is_said_twice() -> None:
    taken = [{"name": "门冬胰岛素30注射液"}, {"name": "美托洛尔缓释片"}, {"name": "二甲双胍片", "code": "metformin"}]
    found = signs_of("", taken, groups=GROUPS)
    assert found[:4] == list(texts.WARNING_SIGNS[:4])
    assert texts.LOW_GLUCOSE in found
    assert texts.BLEEDING not in found
    for disease in texts.SIGNS_OF:
        signs = signs_of(disease, [*taken, {"name": "华法林钠片"}], groups={})
        assert len(signs) == len(set(signs)), disease
