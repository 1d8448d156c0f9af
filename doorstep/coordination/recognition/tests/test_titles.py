"""A kind of examination is known by whole words: the letters CT stand in procalcitonin, troponin and ACTH as well."""

import pytest

from doorstep.coordination.recognition import rules


@pytest.mark.parametrize(
    "title",
    ["降钙素原（PCT）", "超敏肌钙蛋白CTNI", "ACTH 测定", "红细胞压积HCT", "MRSA 筛查", "血培养 CTXM 型"],
)
def test_a_laboratorys_letters_are_no_image(title: str) -> None:
    """What changes within hours would else be recognised for a month."""
    assert rules.window(code="", title=title) is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("胸部CT平扫", "imaging"), ("头颅 CTA", "imaging"), ("肺动脉CTPA", "imaging"), ("HRCT", "imaging"), ("PET-CT", "imaging"),
        ("头颅MRI平扫+增强", "imaging"), ("颈部MRA", "imaging"), ("腹部MRCP", "imaging"), ("颈椎MR", "imaging"),
        ("膝关节X线正侧位", "imaging"), ("心脏超声", "imaging"), ("POCT 血糖", "chemistry"), ("空腹血糖", "chemistry"),
        ("动态心电图", "ecg"), ("血常规（五分类）", "routine"),
    ],
)  # fmt: skip
def test_titles_fall_into_their_kind(title: str, kind: str) -> None:
    found = rules.window(code="", title=title)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("wanted", "done", "same"),
    [
        (("", "头颅CT平扫"), ("", "胸部X线正位"), False),
        (("", "头颅CT平扫"), ("", "胸部CT平扫"), False),
        (("", "胸部CT平扫"), ("", "胸部CT（平扫）报告"), True),
        (("", "CT"), ("", "胸部CT平扫"), False),
        (("", "HIV 抗体（艾滋病筛查）"), ("", "乙肝两对半"), False),
        (("", "肾功能"), ("", "空腹血糖"), False),
        (("", "血常规"), ("", "血常规（五分类）"), True),
        (("", "尿常规"), ("", "血常规"), False),
        (("58410-2", "血常规"), ("58410-2", "血细胞分析（血常规）"), True),
        (("34534-8", ""), ("11524-6", "十二导联心电图"), True),
        (("", "心电图"), ("", "动态心电图"), False),
        (("", "胃镜"), ("", "胃镜"), False),
    ],
)
def test_a_result_stands_for_its_own_item_alone(wanted: tuple[str, str], done: tuple[str, str], same: bool) -> None:
    assert rules.same_item(wanted=wanted, done=done) is same
