"""The server: reads frames, judges the envelope, stores, and only then answers, in the order of the messages of a line."""

import asyncio
import contextlib
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError
from django.utils import timezone

from doorstep.kernel.exchange import refused as refusals
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.mllp import acknowledgement as answers
from doorstep.kernel.exchange.mllp.acknowledgement import Verdict, accept_answer
from doorstep.kernel.exchange.mllp.envelope import Envelope, EnvelopeFault, open_envelope
from doorstep.kernel.exchange.mllp.framing import Found, Framer, Piece, frame
from doorstep.kernel.exchange.mllp.judging import FORMAT, judge
from doorstep.kernel.exchange.mllp.later import LaterAnswers
from doorstep.kernel.exchange.mllp.senders import Caller, Directory, Sender
from doorstep.kernel.exchange.mllp.storekeeper import Storekeeper
from doorstep.kernel.exchange.mllp.watching import watch_folders
from doorstep.kernel.exchange.refused import Refused

log = structlog.get_logger(__name__)
CHUNK = 64 * 1024
# Messages of one line that may be on their way to the disk at once; a faster sender is made to wait.
IN_FLIGHT = 64
# Bytes of messages on their way to the disk, of all lines together: the others wait on the wire. As many may have begun and wait for
# their end; a line that would hold more is hung up, and its sender sends again.
MOST_BYTES = 256 * 1024 * 1024
# A line that sends this much that belongs to no message speaks something else.
MUCH_RUBBISH = 1024 * 1024
# Messages of nobody who is registered after which a line is hung up that has brought no other.
MANY_STRANGERS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest message in bytes, how many seconds a begun message may pause, and how long a line may say nothing that is taken.

    Lines that are open at once: in all, and from one address; whoever comes on top of them is hung up, and the others go on.
    """

    message_bytes: int = 10 * 1024 * 1024
    pause_seconds: float = 30.0
    silent_seconds: float = 600.0
    lines: int = 800
    lines_of_address: int = 400


class Room:
    """How many bytes of messages may be held at once; one that is larger than all the room has it for itself."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._freed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until there is room for so many bytes."""
        while self._taken and self._taken + size > self._most:
            self._freed.clear()
            await self._freed.wait()
        self._taken += size

    def give(self, size: int) -> None:
        """Give room back."""
        self._taken -= size
        self._freed.set()


class Server:
    """Listens for senders until it is stopped."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.directory = Directory()
        self.store = Storekeeper()
        self.later = LaterAnswers(self.store)
        self.room = Room(MOST_BYTES)
        self.begun = 0
        self._limits = limits or Limits()
        self._lines: dict[asyncio.Task[None], str] = {}

    async def serve(
        self, *, host: str, port: int, tls: ssl.SSLContext | None = None, ready: Callable[[str, int], None]
    ) -> None:
        """Serve until cancelled; `ready` hears the address that was bound."""
        await self.store.ask(self.directory.refresh)
        await self.store.ask(storing.note_gone)
        keepers = [asyncio.create_task(keep) for keep in (self.store.run(), self.later.run(), watch_folders())]
        server = await asyncio.start_server(self._accept, host, port, ssl=tls, limit=CHUNK)
        try:
            ready(*server.sockets[0].getsockname()[:2])
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in [*self._lines, *keepers]:
                task.cancel()
            await asyncio.gather(*self._lines, *keepers, return_exceptions=True)
            with contextlib.suppress(Exception):
                await self.store.ask(storing.note_gone)
            self.store.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio runs this in a task
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if self._is_full(address):
            # Somebody opens line after line: every one of them takes memory and one of the process's few files.
            log.warning("mllp_too_many_lines", address=address, lines=len(self._lines))
            writer.transport.abort()
            return
        self._lines[task] = address
        line = Line(self, reader, writer, self._limits)
        try:
            await line.run()
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self._lines.pop(task, None)
            writer.close()
            if line.heard:
                with contextlib.suppress(Exception):
                    await self.store.ask(lambda: storing.note_gone(connection_ids=line.heard))

    def _is_full(self, address: str) -> bool:
        of_address = sum(one == address for one in self._lines.values())
        return len(self._lines) >= self._limits.lines or of_address >= self._limits.lines_of_address


class Line:
    """One open connection of a sender."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._framer = Framer(limit=limits.message_bytes)
        self._caller = Caller.of(writer)
        self._address = self._caller.address
        self._answers: asyncio.Queue[asyncio.Task[bytes | None] | None] = asyncio.Queue(maxsize=IN_FLIGHT)
        self._rubbish = 0
        self._strangers = 0
        self._held = 0
        self.heard: set[int] = set()

    async def run(self) -> None:
        """Read until the sender hangs up, pauses inside a message for too long, or speaks something else."""
        answering = asyncio.create_task(self._answer())
        try:
            while self._rubbish <= MUCH_RUBBISH and self._strangers < MANY_STRANGERS:
                data = await self._read()
                if not data:
                    break
                if self._server.directory.stale:
                    # Here and not in the tasks of the messages, which must reach the store in their order.
                    with contextlib.suppress(DatabaseError):
                        await self._server.store.ask(self._server.directory.refresh)
                for piece in self._framer.feed(data):
                    await self._take(piece)
                if self._framer.kept > CHUNK and not self._is_ours(self._framer.rest.data):
                    self._framer.give_up()
                if not self._holds():
                    log.warning("mllp_too_much_begun", address=self._address)
                    break
            if self._framer.inside:
                await self._note_head(self._framer.rest, answers.CUT)
            await self._answers.put(None)
            await answering
        finally:
            answering.cancel()
            self._server.begun -= self._held

    def _holds(self) -> bool:
        """Count what this line keeps of a message that has begun; False when all lines together keep too much."""
        self._server.begun += self._framer.kept - self._held
        self._held = self._framer.kept
        return self._server.begun <= MOST_BYTES or self._held <= CHUNK

    async def _read(self) -> bytes:
        # Who is registered may be silent for as long as nothing happens in the house.
        pause = None if self.heard else self._limits.silent_seconds
        if self._framer.inside:
            pause = self._limits.pause_seconds
        try:
            return await asyncio.wait_for(self._reader.read(CHUNK), pause)
        except TimeoutError:
            log.warning("mllp_message_never_ended" if self._framer.inside else "mllp_silent", address=self._address)
            return b""

    async def _take(self, piece: Piece) -> None:
        if piece.found is Found.MESSAGE:
            size = len(piece.data)
            await self._server.room.take(size)
            task = asyncio.create_task(self._receive(piece.data))
            task.add_done_callback(lambda _done: self._server.room.give(size))
            await self._answers.put(task)
            # The storekeeper takes messages in the order in which their tasks begin.
            await asyncio.sleep(0)
        elif piece.found is Found.TOO_LARGE:
            await self._answers.put(asyncio.create_task(self._refuse_large(piece)))
        else:
            if piece.found is Found.BROKEN:
                await self._note_head(piece, answers.CUT)
            self._rubbish += piece.count
            log.warning("mllp_rubbish", kind=piece.found.value, count=piece.count, address=self._address)

    async def _receive(self, data: bytes) -> bytes | None:
        try:
            envelope = open_envelope(data, encoding_of=self._server.directory.encoding_of)
        except EnvelopeFault:
            log.warning("mllp_no_header", size=len(data), address=self._address)
            await self._note_stranger("", "", reason="header")
            return None
        sender = self._server.directory.find(envelope.application, envelope.facility)
        verdict = judge(envelope, sender, self._caller)
        if sender is None or verdict.code != "A":
            await self._note(sender, Refused(verdict=verdict, envelope=envelope, size=len(data), address=self._address))
            return self._answer_to(envelope, verdict)
        try:
            message_id = await self._server.store.store(self._arrival(sender, envelope, len(data)))
        except DatabaseError:
            return self._answer_to(envelope, answers.NOT_STORED)
        await self._note_alive(sender)
        if answers.wants_application_answer(envelope, answers.ACCEPTED) or envelope.application_mode == "ER":
            self._server.later.expect(message_id, envelope, self._writer)
        return self._answer_to(envelope, answers.ACCEPTED)

    def _arrival(self, sender: Sender, envelope: Envelope, size: int) -> storing.Arrival:
        return storing.arrive(
            sender.connection,
            format=FORMAT,
            type=f"{envelope.type}^{envelope.event}",
            control_id=envelope.control_id,
            text=envelope.text,
            # Without its header: a message that is sent again carries a new time.
            content=envelope.text.partition("\r")[2],
            size=size,
            charset=envelope.charset,
            version=envelope.version,
            address=self._address,
        )

    async def _refuse_large(self, piece: Piece) -> bytes | None:
        log.warning("mllp_too_large", size=piece.count, address=self._address)
        envelope = await self._note_head(piece, answers.TOO_LARGE)
        if envelope is None:
            return None
        if self._is_ours(piece.data):
            return self._answer_to(envelope, answers.TOO_LARGE)
        await self._note_stranger(envelope.application, envelope.facility, reason="sender")
        return self._answer_to(envelope, answers.UNKNOWN_SENDER)

    def _is_ours(self, head: bytes) -> bool:
        """Whether a message that begins so is of a registered sender: of others no more than the head is kept."""
        try:
            envelope = open_envelope(_first_line(head), encoding_of=self._server.directory.encoding_of)
        except EnvelopeFault:
            return False
        sender = self._server.directory.find(envelope.application, envelope.facility)
        return sender is not None and sender.may_call(self._caller)

    async def _note_head(self, piece: Piece, verdict: Verdict) -> Envelope | None:
        """Tell the sender's engineer of a message of which only the head is here; None when not even its header is whole."""
        try:
            envelope = open_envelope(_first_line(piece.data), encoding_of=self._server.directory.encoding_of)
        except EnvelopeFault:
            return None
        sender = self._server.directory.find(envelope.application, envelope.facility)
        if sender is not None and sender.may_call(self._caller):
            await self._note(
                sender,
                Refused(verdict=verdict, envelope=envelope, size=piece.count, address=self._address, whole=False),
            )
        return envelope

    async def _note_alive(self, sender: Sender) -> None:
        if sender.connection.pk not in self.heard:
            self.heard.add(sender.connection.pk)
            with contextlib.suppress(DatabaseError):
                await self._server.store.ask(
                    lambda: storing.note_alive(
                        connection_ids=[sender.connection.pk],
                        address=self._address,
                        certificate=next(iter(self._caller.names), ""),
                    )
                )
        else:
            self._server.later.note_heard(sender.connection.pk)

    async def _note(self, sender: Sender | None, refused: Refused) -> None:
        """Keep what a registered sender was refused; of anybody else only who called is counted."""

        if refused.verdict is answers.UNKNOWN_SENDER:
            is_certificate = sender is not None and sender.may_call_from(self._address)
            await self._note_stranger(
                refused.envelope.application,
                refused.envelope.facility,
                reason="certificate" if is_certificate else "sender",
            )
        elif sender is not None and refused.verdict.reason:
            known = sender.connection
            with contextlib.suppress(DatabaseError):
                await self._server.store.ask(lambda: refusals.note(known, refused))

    async def _note_stranger(self, application: str, facility: str, *, reason: str) -> None:
        if not self.heard:
            self._strangers += 1
        with contextlib.suppress(DatabaseError):
            await self._server.store.ask(
                lambda: storing.note_stranger(
                    application=application, facility=facility, address=self._address, reason=reason
                )
            )

    def _answer_to(self, envelope: Envelope, verdict: Verdict) -> bytes | None:
        return accept_answer(envelope, verdict, number=new_number(), now=timezone.now())

    async def _answer(self) -> None:
        while True:
            waiting = await self._answers.get()
            if waiting is None:
                return
            text = await waiting
            if text is not None:
                self._writer.write(frame(text))
                await self._writer.drain()


def _first_line(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r").partition(b"\r")[0]


def new_number() -> str:
    """A control id for an answer: at most 20 characters, as in 2.3."""
    return uuid.uuid4().hex[:20]
