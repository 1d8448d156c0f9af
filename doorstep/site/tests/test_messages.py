"""The English of the screens: what a file of messages may not hold is refused with file, line and cure."""

from pathlib import Path

import pytest

from doorstep.site import messages


def _package(folder: Path, **files: str) -> Path:
    package = folder / "house"
    for app, text in files.items():
        (package / app).mkdir(parents=True)
        (package / app / "i18n_en.tsv").write_text(text, encoding="utf-8")
    return package


def test_the_messages_of_all_apps_are_one_catalogue(tmp_path: Path) -> None:
    package = _package(
        tmp_path, one="转诊\tReferral\n\n# a remark\n", two="第一行\\n第二行\tOne\\nTwo\n转诊\tReferral\n"
    )
    assert messages.pairs(package) == {"转诊": "Referral", "第一行\n第二行": "One\nTwo"}


@pytest.mark.parametrize("line", ["转诊", "转诊\t", "\tReferral", "转诊 Referral"])
def test_a_line_without_two_sides_is_refused_at_its_place(tmp_path: Path, line: str) -> None:
    with pytest.raises(messages.MessageError, match=r"house/one/i18n_en\.tsv line 2: .* one tab"):
        messages.pairs(_package(tmp_path, one=f"签约\tContract\n{line}\n"))


def test_one_chinese_text_has_one_english_text(tmp_path: Path) -> None:
    with pytest.raises(messages.MessageError, match=r"house/two/i18n_en\.tsv line 1: .*'Referral'; use one"):
        messages.pairs(_package(tmp_path, one="转诊\tReferral\n", two="转诊\tTransfer\n"))


def test_a_message_that_code_says_without_english_is_named_with_its_place(tmp_path: Path) -> None:
    package = _package(tmp_path, one="转诊\tReferral\n")
    (package / "one/pages.py").write_text('A = _("转诊")\nB = _("签约")\nC = _("HbA1c")\n', encoding="utf-8")
    assert messages.missing(package) == {"签约": "house/one/pages.py:2"}
