"""The envelope of an HL7 v2 message: who sends what, in which characters. Nothing of its content.

Fields of MSH: HL7 v2.5.1 chapter 2, 2.15.9; character sets: table 0211.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace

# Table 0211 and what Chinese systems really write, to Python's codecs. GB18030 reads GB2312 and GBK as well.
CHARSETS = {
    "": "",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "GB180302000": "gb18030",
    "GB18030": "gb18030",
    "GB23121980": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "CP936": "gb18030",
    "88591": "latin-1",
    "ISO88591": "latin-1",
}
# Table 0155: when an answer is wanted.
MODES = frozenset(("AL", "NE", "ER", "SU"))
# Gives every byte back, whatever it is: for messages that no character set reads.
LOSSLESS = "latin-1"
# So many characters that are valid UTF-8 by chance do not happen.
SURE = 8
_SHORTEST = len("MSH|^~\\&|")


class EnvelopeFault(Exception):
    """Not an HL7 message at all: nothing that could be answered."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The header of a message, the whole text with segments ended by returns, and whether its characters could be read."""

    text: str
    charset: str
    readable: bool
    separator: str
    encoding_characters: str
    application: str
    facility: str
    receiving_application: str
    receiving_facility: str
    sent_at: str
    type: str
    event: str
    control_id: str
    processing_id: str
    version: str
    accept_mode: str
    application_mode: str
    declared_charset: str

    @property
    def enhanced(self) -> bool:
        """Whether the sender asks for the enhanced mode: MSH-15 or MSH-16 holds a code of table 0155.

        A sender that has put something else there, such as its character set, waits for an answer like any other.
        """
        return bool({self.accept_mode, self.application_mode} & MODES)


def open_envelope(data: bytes, *, encoding_of: Callable[[str, str], str] = lambda _a, _f: "") -> Envelope:
    """Read the header of a message; `encoding_of` gives a sender's set codec ("" for what the message declares).

    Raises EnvelopeFault when there is no MSH.
    """
    data = data.strip(b"\r\n\x00 \t").removeprefix(codecs.BOM_UTF8)
    if not data.startswith(b"MSH") or len(data) < _SHORTEST:
        raise EnvelopeFault
    guess = _guessed(data)
    wanted = encoding_of(guess.application, guess.facility)
    if not wanted:
        wanted = CHARSETS.get(_plain(guess.declared_charset), "")
    if not wanted or (wanted == guess.charset and guess.readable):
        return guess
    text, charset, readable = _decoded(data, (wanted,))
    # Chinese in UTF-8 is often valid GB18030 too, and reads as nonsense; the other way round it is very rare.
    nonsense = wanted == "gb18030" and guess.charset == "utf-8" and _foreign(guess.text) >= SURE
    if readable and not nonsense:
        return _header(text, charset, readable)
    # The bytes are not in the characters that were declared or set: kept byte by byte, and said.
    return replace(guess, text=data.decode(LOSSLESS), charset=LOSSLESS, readable=False)


def _guessed(data: bytes) -> Envelope:
    whole = _header(*_decoded(data, ("utf-8", "gb18030")))
    if whole.readable or whole.charset != LOSSLESS:
        return whole
    # One byte that nobody can read somewhere below: who sent it stands in the header all the same.
    first = data.replace(b"\n", b"\r").partition(b"\r")[0]
    return replace(_header(*_decoded(first, ("utf-8", "gb18030"))), text=whole.text, charset=LOSSLESS, readable=False)


def _decoded(data: bytes, charsets: tuple[str, ...]) -> tuple[str, str, bool]:
    for charset in charsets:
        try:
            return data.decode(charset), charset, True
        except UnicodeDecodeError:
            continue
    return data.decode(LOSSLESS), LOSSLESS, False


def _header(text: str, charset: str, readable: bool) -> Envelope:
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    line = text.partition("\r")[0]
    separator = line[3]
    fields = line.split(separator)

    def at(number: int) -> str:
        # MSH-1 is the separator itself.
        return fields[number - 1].replace("\0", "").strip() if number <= len(fields) else ""

    component = at(2)[:1] or "^"
    kind = at(9).split(component)
    return Envelope(
        text=text,
        charset=charset,
        # PostgreSQL keeps no such character, in no field of the record.
        readable=readable and "\0" not in text,
        separator=separator,
        encoding_characters=at(2) or "^~\\&",
        application=at(3)[:180],
        facility=at(4)[:180],
        receiving_application=at(5),
        receiving_facility=at(6),
        sent_at=at(7).split(component)[0],
        type=kind[0].strip().upper()[:8],
        event=kind[1].strip().upper()[:8] if len(kind) > 1 else "",
        control_id=at(10)[:199],
        processing_id=at(11).split(component)[0].upper(),
        version=at(12).split(component)[0][:12],
        accept_mode=at(15).upper(),
        application_mode=at(16).upper(),
        declared_charset=at(18).split(at(2)[1:2] or "~")[0],
    )


def _foreign(text: str) -> int:
    return sum(not one.isascii() for one in text)


def _plain(name: str) -> str:
    return "".join(one for one in name.upper() if one.isalnum())
