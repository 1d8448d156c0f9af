"""A message as segments and fields, forgiving where real senders are careless: missing fields are empty texts."""

from collections.abc import Iterator

import hl7

from doorstep.coordination.hospital_systems.v2.escapes import unescaped
from doorstep.kernel.exchange.formats import Fault

# HL7's explicit "delete this value" says as much as nothing here: our record keeps what it had.
_NULL = '""'


class Segment:
    """One segment; fields, components and repetitions count from one, as in the standard."""

    def __init__(self, raw: hl7.Segment, message: hl7.Message) -> None:
        self._raw = raw
        self._message = message
        self.name = str(raw[0])

    def text(self, field: int, component: int = 1, *, repetition: int = 1, sub: int = 1) -> str:
        """The text at a place, unescaped and trimmed; "" when it is not there."""
        node = _child(self._raw, field)
        node = _child(node, repetition - 1, repetition == 1)
        node = _child(node, component - 1, component == 1)
        node = _child(node, sub - 1, sub == 1)
        return self._clean(str(node) if node is not None else "")

    def whole(self, field: int, *, repetition: int = 1) -> str:
        """A field that is free text, its own separators included."""
        node = _child(_child(self._raw, field), repetition - 1, repetition == 1)
        return self._clean(str(node) if node is not None else "")

    def repetitions(self, field: int) -> range:
        """The numbers of the repetitions of a field."""
        node = _child(self._raw, field)
        count = len(node) if isinstance(node, hl7.Field) and str(node) else 0
        return range(1, count + 1)

    def _clean(self, text: str) -> str:
        text = text.strip()
        if text == _NULL:
            return ""
        return _plain(text, self._message)


def _plain(text: str, message: hl7.Message) -> str:
    if message.esc not in text:
        return text
    plain = unescaped(text, escape=message.esc, marks="".join(message.separators[1:5]))
    # PostgreSQL keeps no NUL, which an escape of bytes can hold.
    return plain.replace("\r", "\n").replace("\0", "").strip()


def _child(node: object, index: int, first: bool = False) -> object:
    if isinstance(node, hl7.Container):
        return node[index] if 0 <= index < len(node) else None
    # A plain text stands for its own first part.
    return node if first else None


class Read:
    """A whole message."""

    def __init__(self, text: str) -> None:
        try:
            self._message = hl7.parse(text.strip("\r") + "\r")
        except hl7.HL7Exception as error:
            raise Fault("structure", "MSH") from error
        self.segments = [Segment(raw, self._message) for raw in self._message if str(raw).strip()]
        self.header = self.segments[0]

    def lines(self) -> list[str]:
        """The segments as they came."""
        return [str(raw) for raw in self._message]

    def readable(self, text: str) -> str:
        """A field as it came, with its escape sequences replaced."""
        return _plain(text, self._message)

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Segment]:
        """Every segment of a name, in order."""
        return (segment for segment in self.segments if segment.name == name)

    def need(self, name: str) -> Segment:
        """The first segment of a name; a Fault without one."""
        found = self.first(name)
        if found is None:
            raise Fault("segment-missing", name)
        return found

    def groups(self, *leaders: str) -> list[list[Segment]]:
        """The segments cut into groups, each beginning with one of the leaders; what stands before the first is left out."""
        groups: list[list[Segment]] = []
        for segment in self.segments:
            if segment.name in leaders:
                groups.append([segment])
            elif groups:
                groups[-1].append(segment)
        return groups
