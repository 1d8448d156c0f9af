"""What the pages of connections show: health in words, messages as readable segments with what names a person veiled."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.hospital_systems import faults, labels
from doorstep.coordination.hospital_systems.faults import Said
from doorstep.coordination.hospital_systems.v2.reading import Read
from doorstep.kernel.exchange.choices import AUTO, UTF8
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.exchange.missing import Missing
from doorstep.kernel.exchange.mllp.senders import open_to_all
from doorstep.kernel.exchange.queries import Health, ShownConnection, ShownMessage
from doorstep.kernel.exchange.refused import ShownRefusal
from doorstep.kernel.exchange.states import MessageState
from doorstep.kernel.subscriptions.queries import LineHealth, ShownSubscription

TONES = {
    MessageState.RECEIVED: "info",
    MessageState.APPLIED: "ok",
    MessageState.IGNORED: "plain",
    MessageState.WAITING: "warn",
    MessageState.FAILED: "critical",
}
VEIL = "••••"


@dataclass(frozen=True, slots=True)
class Field:
    """One filled field of a segment; `readable` where escape sequences hide what the text says."""

    place: str
    label: str
    text: str
    veiled: bool
    faulty: bool
    readable: str = ""


@dataclass(slots=True)
class Shown:
    """One segment of a message."""

    name: str
    label: str
    fields: list[Field] = field(default_factory=list)


def segments_of(message: ShownMessage, *, clear: bool) -> list[Shown]:
    """The segments of an HL7 message; `clear` shows what names or describes the person."""
    if message.format != "hl7v2":
        return []
    return _segments(message.body, message.error_place, clear=clear)


def refused_segments(refusal: ShownRefusal) -> list[Shown]:
    """The segments of a refused message; whom it is about nobody has looked up, so the person stays veiled."""
    return _segments(refusal.body, refusal.place, clear=False)


def refusal_of(refusal: ShownRefusal) -> Said:
    """Why a message was refused, in words."""
    facts = {"version": refusal.version, "type": refusal.type, "size": f"{refusal.size:,}"}
    return faults.say_refusal(refusal.reason, refusal.place, facts)


def refused_kinds_of(counts: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Refusals by reason: (reason, name, count)."""
    return [(reason, faults.refusal_title(reason), count) for reason, count in counts]


def _segments(body: str, faulty: str, *, clear: bool) -> list[Shown]:
    try:
        read = Read(body)
    except Fault:
        return []
    bar = body[3:4] or "|"
    return [_shown(line.split(bar), read, faulty, clear=clear) for line in read.lines() if line]


def _shown(parts: list[str], read: Read, faulty: str, *, clear: bool) -> Shown:
    name = parts[0]
    # The names of fields are those of Chinese interface documents; elsewhere the standard's own places say enough.
    words = not (get_language() or "").startswith("en")
    shown = Shown(name, labels.SEGMENTS.get(name, "") if words else "")
    # MSH-1 is the separator itself: its fields count one further.
    first = 2 if name == "MSH" else 1
    open_fields = labels.CLEAR.get(name, frozenset())
    for number, text in enumerate(parts[1:], start=first):
        if not text.strip():
            continue
        place = f"{name}-{number}"
        veiled = not clear and open_fields is not None and number not in open_fields
        wrong = bool(faulty) and (place == faulty or faulty.startswith(f"{place}."))
        label = labels.FIELDS.get(place, "") if words else ""
        # MSH-2 names the separators; it is none of what they separate.
        plain = "" if veiled or place == "MSH-2" else read.readable(text)
        readable = plain[:400] if plain != text else ""
        shown.fields.append(Field(place, label, VEIL if veiled else text[:400], veiled, wrong, readable))
    return shown


def error_of(message: ShownMessage) -> Said | None:
    """The error of a message in words, or None."""
    if not message.error_kind:
        return None
    return faults.say(message.error_kind, message.error_place, message.error_facts)


def notes_of(message: ShownMessage) -> list[tuple[str, str]]:
    """What was noted on the way: (words, place)."""
    return [(str(faults.NOTES.get(code, code)), place) for code, place in message.notes]


# Why a message that we sent did not arrive, by the kinds of kernel/subscriptions/sending.py and v2/carrying.py.
REFUSED = {
    "rejected": _("对方拒收（AR）"),
    "error": _("对方处理出错（AE）"),
    "answer": _("应答不是确认消息"),
    "silent": _("没有应答"),
    "unreachable": _("连不上"),
    "address": _("地址不可用"),
    "tls": _("证书不可信"),
}


def sent_kinds_of(errors: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Errors of what we sent by kind: (kind, name, count)."""
    return [(kind, str(REFUSED.get(kind, kind)), count) for kind, count in errors]


def settings_of(connection: ShownConnection) -> dict[str, Any]:
    """What stands in the form of a connection."""
    return {
        "name": connection.name,
        "encoding": connection.encoding,
        "addresses": "\n".join(connection.addresses),
        "certificates": "\n".join(connection.certificates),
        "accepts_training": connection.accepts_training,
    }


@dataclass(frozen=True, slots=True)
class Unbound:
    """A sender that is believed whoever it is: from any address, or with any certificate of the authority.

    `calls` are the addresses from which its messages of the last week came, with how many; `certificates` what it showed so far.
    """

    connection: ShownConnection
    calls: tuple[tuple[str, int], ...]
    any_address: bool
    certificates: tuple[str, ...]

    @property
    def address(self) -> str:
        """The one address from which all of it came; "" when there is none or it came from several."""
        return self.calls[0][0] if len(self.calls) == 1 else ""

    @property
    def certificate(self) -> str:
        """The one certificate that it showed; "" when there is none or there were several."""
        return self.certificates[0] if len(self.certificates) == 1 else ""


def without_address(health: Iterable[Health]) -> list[ShownConnection]:
    """The senders of HL7 v2 that are taken from everywhere."""
    return [one.connection for one in health if one.connection.kind == "mllp" and open_to_all(one.connection.addresses)]


def unbound(health: Iterable[Health], calls: Mapping[int, Mapping[str, int]]) -> list[Unbound]:
    """The senders that should be bound to what they call with, with that."""
    found = []
    for one in (each.connection for each in health if each.connection.kind == "mllp"):
        loose = () if one.certificates else tuple(one.shown_certificates)
        everywhere = open_to_all(one.addresses)
        if everywhere or loose:
            seen = tuple(calls.get(one.pk, {}).items()) if everywhere else ()
            found.append(Unbound(connection=one, calls=seen, any_address=everywhere, certificates=loose))
    return found


def line_settings_of(
    line: LineHealth | None, connection: ShownConnection, kinds_of: Callable[[ShownSubscription], list[str]]
) -> dict[str, Any]:
    """What stands in the form of the line to a system; everything is chosen before the first one."""
    speech = {
        "version": connection.sends_version,
        "encoding": next((one for one in (connection.sends_encoding, connection.encoding) if one != AUTO), UTF8),
    }
    if line is None:
        return {"kinds": [kind for kind, _name in labels.SENT if kind != "orders"], **speech}
    parts = urlsplit(line.subscription.endpoint)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "secure": parts.scheme == "mllps",
        "kinds": kinds_of(line.subscription),
        **speech,
    }


def keys_of(jwks: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The registered keys: (kid, kind, what it signs with)."""
    signs = {"RSA": "RS384", "EC": "ES384"}
    given = jwks.get("keys", [])
    return [
        (
            str(one.get("kid", "")),
            f"{one.get('kty', '')} {one.get('crv', '')}".strip(),
            signs.get(one.get("kty", ""), ""),
        )
        for one in given
    ]


def last_hour(now: datetime, *, out: bool) -> dict[str, Any]:
    """What stands in the form of a replay: the last hour of what we sent, or of what came when we send nothing."""
    local = timezone.localtime(now)
    begin = local - timedelta(hours=1)
    return {"direction": "out" if out else "in", "since": f"{begin:%Y-%m-%dT%H:%M}", "until": f"{local:%Y-%m-%dT%H:%M}"}


def kinds_of(errors: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Errors by kind: (kind, name, count)."""
    return [(kind, faults.title_of(kind), count) for kind, count in errors]


def last_day(now: datetime) -> dict[str, str]:
    """The span of which missing messages are looked for at first."""
    local = timezone.localtime(now)
    return {
        "since": f"{local - timedelta(days=1):%Y-%m-%dT%H:%M}",
        "until": f"{local + timedelta(minutes=1):%Y-%m-%dT%H:%M}",
    }


def asked_again(found: Missing) -> list[tuple[object, ...]]:
    """What a sender is asked for, a line each: control ids from and to, how many, type, when, why with the cure."""
    lines: list[tuple[object, ...]] = [
        (
            gap.first,
            gap.last,
            gap.count,
            "",
            f"{timezone.localtime(gap.after):%Y-%m-%d %H:%M}",
            gettext("编号不连续，没有收到"),
        )
        for gap in found.gaps
    ]
    for one in found.failed:
        said = error_of(one)
        why = f"{said.title} {said.place} {said.cure}" if said else ""
        at = f"{timezone.localtime(one.received_at):%Y-%m-%d %H:%M}"
        lines.append((one.control_id, one.control_id, 1, one.type, at, " ".join(why.split())))
    return lines
