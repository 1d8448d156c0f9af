"""Escape sequences in the text of messages: what they say comes through, and nothing else is lost."""

import pytest

from doorstep.coordination.hospital_systems.v2.reading import Read


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (r"A\T\B\S\C\F\D\R\E\E\F", "A&B^C|D~E\\F"),
        (r"第一行\.br\第二行\.BR\第三行", "第一行\n第二行\n第三行"),
        (r"\H\危急\N\值", "危急值"),
        (r"\XE4B8AD\医", "中医"),
        (r"\XD6D0\医", "中医"),
        (r"每日 1\2 片", r"每日 1\2 片"),
        (r"路径 C:\影像\胸片", r"路径 C:\影像\胸片"),
        (r"甲\.sp999999999\乙", "甲" + "\n" * 20 + "乙"),
        (r"甲\.spx\乙", r"甲\.spx\乙"),
    ],
)
def test_text_of_a_field_is_what_the_sender_meant(raw: str, said: str) -> None:
    read = Read(f"MSH|^~\\&|HIS|H|D|C|2026||ORU^R01|1|P|2.4\rNTE|1||{raw}\r")
    assert read.need("NTE").whole(3) == said
