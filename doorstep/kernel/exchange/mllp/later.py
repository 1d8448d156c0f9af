"""The application's own answer of the enhanced mode: sent on the same line when the message has been worked."""

import asyncio
import contextlib
from dataclasses import dataclass

import structlog
from django.utils import timezone

from doorstep.kernel.exchange import queries, storing
from doorstep.kernel.exchange.mllp.acknowledgement import Verdict, application_answer, wants_application_answer
from doorstep.kernel.exchange.mllp.envelope import Envelope
from doorstep.kernel.exchange.mllp.framing import frame
from doorstep.kernel.exchange.mllp.storekeeper import Storekeeper

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.5
HEARD_SECONDS = 10.0
# A sender that never gets its answers must not fill the memory; what became of a message stands on its page.
MOST = 10_000
DONE = Verdict("A")


@dataclass(frozen=True, slots=True)
class _Expected:
    envelope: Envelope
    writer: asyncio.StreamWriter


class LaterAnswers:
    """Looks twice a second for the messages that a sender wants to hear of; also keeps the signs of life."""

    def __init__(self, store: Storekeeper) -> None:
        self._store = store
        self._expected: dict[int, _Expected] = {}
        self._heard: set[int] = set()

    def expect(self, message_id: int, envelope: Envelope, writer: asyncio.StreamWriter) -> None:
        """Answer on this line when the message has been worked."""
        if len(self._expected) < MOST:
            self._expected[message_id] = _Expected(envelope, writer)

    def note_heard(self, connection_id: int) -> None:
        """A connection was heard again; written down every ten seconds."""
        self._heard.add(connection_id)

    async def run(self) -> None:
        """Look and answer until cancelled."""
        rounds = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            rounds += 1
            try:
                await self._look()
                if self._heard and rounds % int(HEARD_SECONDS / LOOK_SECONDS) == 0:
                    heard, self._heard = self._heard, set()
                    await self._store.ask(lambda heard=heard: storing.note_alive(connection_ids=heard))  # type: ignore[misc]
            except Exception as error:
                # The database is away for a moment: the next look finds what this one missed.
                log.warning("later_answers_failed", error=type(error).__name__)

    async def _look(self) -> None:
        for message_id in [one for one, expected in self._expected.items() if expected.writer.is_closing()]:
            del self._expected[message_id]
        if not self._expected:
            return
        ids = list(self._expected)
        states = await self._store.ask(lambda: queries.states_of(ids=ids))
        for message_id, (state, kind, place) in states.items():
            if state == "received":
                continue
            expected = self._expected.pop(message_id)
            verdict = DONE if state in ("applied", "ignored") else Verdict("E", "207", place, kind)
            if wants_application_answer(expected.envelope, verdict):
                text = application_answer(expected.envelope, verdict, number=f"A{message_id}", now=timezone.now())
                with contextlib.suppress(ConnectionError):
                    expected.writer.write(frame(text))
                    await expected.writer.drain()
