r"""Escape sequences of HL7 v2 as the text they stand for (HL7 v2.5.1, chapter 2.7).

The `hl7` library drops what follows an unpaired escape character and what it does not know, reads each hexadecimal byte as a
character of its own and repeats `\.sp…\` as often as it is told. Here a Chinese character written as bytes is whole again,
marks of emphasis leave nothing in the text, and whatever is no sequence of the standard stays as it came.
"""

import re
from functools import cache

# A sender who asks for more empty lines or blanks than this has made a mistake.
_MOST = 20
_LINES = frozenset({".br", ".sp", ".ce"})
_BLANKS = frozenset({".sk", ".in", ".ti"})


def unescaped(text: str, *, escape: str, marks: str) -> str:
    """The text with its sequences replaced; `marks` are the separators of field, repetition, component and subcomponent."""
    if not escape or escape not in text:
        return text
    plain = {**dict(zip("FRST", marks, strict=False)), "E": escape, "H": "", "N": ""}
    return _sequences(escape).sub(lambda found: _meaning(found[1], plain), text)


@cache
def _sequences(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    known = r"[FRSTEHN]|X(?:[0-9A-Fa-f]{2})+|(?i:\.(?:br|sp|ce|sk|in|ti|fi|nf))[+-]?\d{0,9}"
    return re.compile(f"{mark}({known}){mark}")


def _meaning(sequence: str, plain: dict[str, str]) -> str:
    if sequence[0] == "X":
        return _characters(bytes.fromhex(sequence[1:]))
    if sequence[0] != ".":
        return plain.get(sequence, "")
    command, count = sequence[:3].lower(), min(abs(int(sequence[3:] or 1)), _MOST)
    if command in _LINES:
        return "\n" * (count if command == ".sp" else 1)
    return " " * count if command in _BLANKS else ""


def _characters(data: bytes) -> str:
    for charset in ("utf-8", "gb18030"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
