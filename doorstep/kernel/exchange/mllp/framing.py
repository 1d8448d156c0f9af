"""Frames of the minimal lower layer protocol (HL7 v2.5.1, appendix C): <VT> message <FS><CR>.

A pure reader of bytes: frames may come in pieces, several at once, with rubbish between them, or larger than we take. The marks
cannot occur inside GB18030 or UTF-8 characters, so frames are found before characters are read.
"""

from dataclasses import dataclass
from enum import StrEnum

START, END, RETURN = b"\x0b", b"\x1c", b"\r"
# What is kept of a message that is too large: enough to answer it.
HEAD = 4096


class Found(StrEnum):
    """What the reader found."""

    MESSAGE = "message"
    TOO_LARGE = "too-large"
    BROKEN = "broken"  # a new start before the end of the last message
    RUBBISH = "rubbish"


@dataclass(frozen=True, slots=True)
class Piece:
    """One find: a whole message, the head of one that is too large or was cut off, or a number of bytes that belong to nothing."""

    found: Found
    data: bytes = b""
    count: int = 0


class Framer:
    """Cuts a stream into messages; `limit` is the largest message in bytes."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._most = limit
        self._inside = False
        self._kept = bytearray()
        self._size = 0
        self._rubbish = 0

    @property
    def inside(self) -> bool:
        """Whether a message has begun and its end is still to come."""
        return self._inside

    @property
    def kept(self) -> int:
        """How many bytes are kept of the message that has begun."""
        return len(self._kept)

    def give_up(self) -> None:
        """Keep no more than the head of the message that has begun: it is found as one that is too large."""
        self._most = 0
        del self._kept[HEAD:]

    @property
    def rest(self) -> Piece:
        """What has come of the message whose end is still to come: its head, and how many bytes."""
        return Piece(Found.BROKEN, self._head, self._size)

    @property
    def _head(self) -> bytes:
        return bytes(self._kept[:HEAD])

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes of the stream and return what they completed, in order."""
        pieces: list[Piece] = []
        position = 0
        while position < len(data):
            if self._inside:
                position = self._take_inside(data, position, pieces)
            else:
                position = self._take_between(data, position)
                if self._inside:
                    self._tell_rubbish(pieces)
        if not self._inside:
            self._tell_rubbish(pieces)
        return pieces

    def _take_between(self, data: bytes, position: int) -> int:
        start = data.find(START, position)
        until = len(data) if start < 0 else start
        # The return after the end mark, and line ends that some senders add, are no rubbish.
        self._rubbish += len(data[position:until].strip(b"\r\n\x00"))
        if start < 0:
            return len(data)
        self._begin()
        return start + 1

    def _take_inside(self, data: bytes, position: int, pieces: list[Piece]) -> int:
        end, start = data.find(END, position), data.find(START, position)
        if start >= 0 and (end < 0 or start < end):
            self._keep(data[position:start])
            pieces.append(self.rest)
            self._begin()
            return start + 1
        if end < 0:
            self._keep(data[position:])
            return len(data)
        self._keep(data[position:end])
        if self._size > self._most:
            pieces.append(Piece(Found.TOO_LARGE, self._head, self._size))
        elif self._kept.strip():
            pieces.append(Piece(Found.MESSAGE, bytes(self._kept)))
        self._inside = False
        self._kept.clear()
        self._size = 0
        return end + 1

    def _begin(self) -> None:
        self._inside = True
        self._kept.clear()
        self._size = 0
        self._most = self._limit

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._most:
            self._kept += data
        else:
            self._kept += data[: max(HEAD - len(self._kept), 0)]
            del self._kept[HEAD:]

    def _tell_rubbish(self, pieces: list[Piece]) -> None:
        if self._rubbish:
            pieces.append(Piece(Found.RUBBISH, count=self._rubbish))
            self._rubbish = 0


def frame(message: bytes) -> bytes:
    """A message in its frame."""
    return START + message + END + RETURN
