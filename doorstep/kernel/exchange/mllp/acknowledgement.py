"""Answers to messages (HL7 v2.5.1 chapter 2, 2.9.2 original and 2.9.3 enhanced mode; ERR-3: table 0357)."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from doorstep.kernel.exchange.mllp.envelope import LOSSLESS, MODES, Envelope

_CHINA = ZoneInfo("Asia/Shanghai")
SUPPORTED_VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a message. `code` is A (accepted), E (an error, try again or mend it) or R (rejected, do not try again).

    `condition` is the number of table 0357; `place` a field of MSH such as "MSH-12"; `sentence` is for the person at the other end.
    `reason` names it in the list of what a registered sender was refused; "" is not listed there.
    """

    code: str
    condition: str = "0"
    place: str = ""
    sentence: str = ""
    reason: str = ""


ACCEPTED = Verdict("A")
UNREADABLE = Verdict(
    "E",
    "102",
    "MSH-18",
    "消息的字节与声明的字符集不符，请核对 MSH-18 / bytes do not fit the declared character set",
    reason="charset",
)
NO_CONTROL_ID = Verdict("R", "101", "MSH-10", "缺少消息控制号 / message control id is missing", reason="control-id")
NO_TYPE = Verdict("R", "101", "MSH-9", "缺少消息类型 / message type is missing", reason="type-missing")
UNKNOWN_VERSION = Verdict(
    "R", "203", "MSH-12", "支持的版本为 2.3 至 2.5.1 / versions 2.3 to 2.5.1 are supported", reason="version"
)
UNKNOWN_PROCESSING = Verdict(
    "R",
    "202",
    "MSH-11",
    "此接入只接收正式消息（P） / this connection takes production messages only",
    reason="training",
)
UNKNOWN_TYPE = Verdict("R", "200", "MSH-9", "不接收这类消息 / this message type is not taken", reason="type")
UNKNOWN_EVENT = Verdict("R", "201", "MSH-9", "不接收这个触发事件 / this trigger event is not taken", reason="event")
UNKNOWN_SENDER = Verdict(
    "R",
    "204",
    "MSH-3",
    "发送方（MSH-3、MSH-4）未登记，或不从登记的地址连接 / sender not registered, or from another address",
)
TOO_LARGE = Verdict("R", "102", "", "消息超过大小上限 / the message is larger than the limit", reason="large")
# Never answered: the end of the message did not come.
CUT = Verdict("E", "100", "", "", reason="cut")
NOT_STORED = Verdict("E", "207", "", "暂时无法保存，请稍后重发 / could not be stored now, send it again later")


def accept_answer(envelope: Envelope, verdict: Verdict, *, number: str, now: datetime) -> bytes | None:
    """The answer after storing: AA, AE or AR in the original mode, CA, CE or CR in the enhanced one.

    None when the sender asked for none (MSH-15: NE never, ER only errors and rejections, SU only success).
    """
    if envelope.enhanced:
        asked = envelope.accept_mode if envelope.accept_mode in MODES else "NE"
        if asked == "NE" or (asked == "ER" and verdict.code == "A") or (asked == "SU" and verdict.code != "A"):
            return None
        return _answer(envelope, verdict, f"C{verdict.code}", number=number, now=now)
    return _answer(envelope, verdict, f"A{verdict.code}", number=number, now=now)


def wants_application_answer(envelope: Envelope, verdict: Verdict) -> bool:
    """Whether the sender asked to hear what became of the message (MSH-16)."""
    asked = envelope.application_mode
    return asked == "AL" or (asked == "ER" and verdict.code != "A") or (asked == "SU" and verdict.code == "A")


def application_answer(envelope: Envelope, verdict: Verdict, *, number: str, now: datetime) -> bytes:
    """The later answer of the enhanced mode: AA, AE or AR."""
    return _answer(envelope, verdict, f"A{verdict.code}", number=number, now=now)


def _answer(envelope: Envelope, verdict: Verdict, code: str, *, number: str, now: datetime) -> bytes:
    bar, marks = envelope.separator, envelope.encoding_characters
    caret = marks[:1] or "^"
    version = envelope.version if envelope.version in SUPPORTED_VERSIONS else "2.4"
    kind = "ACK" if version == "2.3" or not envelope.event else f"ACK{caret}{envelope.event}"
    if version.startswith("2.5") and envelope.event:
        kind += f"{caret}ACK"
    moment = now.astimezone(_CHINA).strftime("%Y%m%d%H%M%S")
    header = [
        "MSH" + bar + marks,
        envelope.receiving_application or "DOORSTEP",
        envelope.receiving_facility,
        envelope.application,
        envelope.facility,
        moment,
        "",
        kind,
        number,
        envelope.processing_id or "P",
        version,
    ]
    if envelope.declared_charset:
        header += ["", "", "", "", "", envelope.declared_charset]
    sentence = _escaped(verdict.sentence, envelope)
    segments = [bar.join(header), bar.join(["MSA", code, envelope.control_id, sentence]).rstrip(bar)]
    if verdict.code != "A":
        segments.append(_error(envelope, verdict, version=version))
    charset = "utf-8" if envelope.charset == LOSSLESS else envelope.charset
    return ("\r".join(segments) + "\r").encode(charset, errors="replace")


def _error(envelope: Envelope, verdict: Verdict, *, version: str) -> str:
    bar, caret = envelope.separator, envelope.encoding_characters[:1] or "^"
    segment, _, field = verdict.place.partition("-")
    if not version.startswith("2.5"):
        # ERR-1: segment, sequence, field, code.
        return f"ERR{bar}{caret.join([segment, '1' if segment else '', field, verdict.condition])}"
    location = caret.join([segment, "1", field]) if segment else ""
    coded = f"{verdict.condition}{caret}{caret}HL70357"
    return bar.join(["ERR", "", location, coded, "E", "", "", "", _escaped(verdict.sentence, envelope)])


def _escaped(text: str, envelope: Envelope) -> str:
    marks = envelope.encoding_characters
    escape = marks[2:3] or "\\"
    pairs = ((escape, "E"), (envelope.separator, "F"), (marks[:1], "S"), (marks[1:2], "R"), (marks[3:4], "T"))
    for mark, letter in pairs:
        if mark:
            text = text.replace(mark, f"{escape}{letter}{escape}")
    return text
