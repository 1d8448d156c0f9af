"""Envelopes in the characters and forms that hospital systems really use, and the answers to them."""

from datetime import UTC, datetime

import pytest

from doorstep.kernel.exchange.mllp.acknowledgement import (
    ACCEPTED,
    UNKNOWN_VERSION,
    accept_answer,
    wants_application_answer,
)
from doorstep.kernel.exchange.mllp.envelope import Envelope, EnvelopeFault, open_envelope

NOW = datetime(2026, 5, 1, 2, 30, tzinfo=UTC)
# Characters whose second GB18030 bytes are | ^ ~ and the backslash.
AWKWARD = "亅乛亊乗"


def _message(*, charset: str = "", version: str = "2.4", accept: str = "", application: str = "") -> str:
    header = f"MSH|^~\\&|HIS|{AWKWARD}医院|DOORSTEP|C1|20260501103000||ADT^A01|M1|P|{version}|||{accept}|{application}||{charset}"
    return f"{header}\rPID|1||1^^^^PI||{AWKWARD}\r"


@pytest.mark.parametrize(
    ("codec", "declared"),
    [("utf-8", "UNICODE UTF-8"), ("gb18030", "GB 18030-2000"), ("gb18030", "GBK"), ("utf-8", ""), ("gb18030", "")],
)
def test_open_envelope_reads_declared_and_undeclared_characters(codec: str, declared: str) -> None:
    envelope = open_envelope(_message(charset=declared).encode(codec))
    assert (envelope.facility, envelope.charset, envelope.readable) == (f"{AWKWARD}医院", codec, True)
    assert envelope.text.endswith(f"||{AWKWARD}")


def test_open_envelope_follows_the_setting_of_the_sender_over_the_declaration() -> None:
    data = _message(charset="UNICODE UTF-8").encode("gb18030")
    assert open_envelope(data, encoding_of=lambda _a, _f: "gb18030").facility == f"{AWKWARD}医院"
    wrong = open_envelope(data)
    assert not wrong.readable
    assert wrong.text.encode(wrong.charset) == data.rstrip(b"\r")


@pytest.mark.parametrize(
    "text", ["MSH|^~\\&|A\nPID|1\n", "MSH|^~\\&|A\r\nPID|1\r\n", "\r\nMSH|^~\\&|A\rPID|1", "\ufeffMSH|^~\\&|A\rPID|1"]
)
def test_open_envelope_forgives_line_ends_and_marks(text: str) -> None:
    assert [line for line in open_envelope(text.encode()).text.split("\r") if line] == ["MSH|^~\\&|A", "PID|1"]


@pytest.mark.parametrize("data", [b"", b"GET /", b"MSH", b"PID|1||2", b"\xff\xfe" * 9])
def test_open_envelope_refuses_what_has_no_header(data: bytes) -> None:
    with pytest.raises(EnvelopeFault):
        open_envelope(data)


def _answered(envelope: Envelope, **facts: object) -> list[str]:
    verdict = facts.get("verdict", ACCEPTED)
    data = accept_answer(envelope, verdict, number="N1", now=NOW)  # type: ignore[arg-type]
    return [] if data is None else data.decode(envelope.charset).strip("\r").split("\r")


def test_accept_answer_of_the_original_mode_swaps_the_parties_and_keeps_the_characters() -> None:
    envelope = open_envelope(_message(charset="GB 18030-2000").encode("gb18030"))
    header, answer = _answered(envelope)
    assert header == f"MSH|^~\\&|DOORSTEP|C1|HIS|{AWKWARD}医院|20260501103000||ACK^A01|N1|P|2.4||||||GB 18030-2000"
    assert answer == "MSA|AA|M1"


@pytest.mark.parametrize(("version", "error"), [("2.3", "ERR|MSH^1^12^203"), ("2.5.1", "ERR||MSH^1^12|203^^HL70357|E")])
def test_accept_answer_says_what_is_wrong_in_the_form_of_the_version(version: str, error: str) -> None:
    envelope = open_envelope(_message(version=version).encode())
    lines = _answered(envelope, verdict=UNKNOWN_VERSION)
    assert lines[1].startswith("MSA|AR|M1|")
    assert lines[2].startswith(error)


@pytest.mark.parametrize(
    ("asked", "good", "bad"), [("AL", "CA", "CR"), ("NE", "", ""), ("ER", "", "CR"), ("SU", "CA", "")]
)
def test_accept_answer_of_the_enhanced_mode_answers_as_asked(asked: str, good: str, bad: str) -> None:
    envelope = open_envelope(_message(accept=asked, application="NE").encode())
    assert [line[4:6] for line in _answered(envelope)[1:2]] == [code for code in [good] if code]
    assert [line[4:6] for line in _answered(envelope, verdict=UNKNOWN_VERSION)[1:2]] == [code for code in [bad] if code]


def test_wants_application_answer_follows_msh_16() -> None:
    asked = {mode: open_envelope(_message(accept="AL", application=mode).encode()) for mode in ("AL", "NE", "ER", "SU")}
    assert [mode for mode, envelope in asked.items() if wants_application_answer(envelope, ACCEPTED)] == ["AL", "SU"]
    assert [mode for mode, envelope in asked.items() if wants_application_answer(envelope, UNKNOWN_VERSION)] == [
        "AL",
        "ER",
    ]


def test_a_byte_that_nobody_can_read_does_not_hide_who_sent_it() -> None:
    text = "MSH|^~\\&|HIS|禾川县人民医院|D|HC|20261124||ADT^A04|B4|P|2.4|||||CHN|UNICODE UTF-8\rPID|1||1||"
    envelope = open_envelope(text.encode() + b"\xff\xfe\xfa\r")
    assert (envelope.application, envelope.facility, envelope.control_id) == ("HIS", "禾川县人民医院", "B4")
    assert not envelope.readable
    # Every byte is kept for the replay.
    assert envelope.text.encode("latin-1").endswith(b"\xff\xfe\xfa")
