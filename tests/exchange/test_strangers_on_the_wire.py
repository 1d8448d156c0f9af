"""Who reaches the port and is not registered: takes no memory, fills no table, keeps no registered sender out."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import folders, storing
from doorstep.kernel.exchange.mllp.framing import Found, Framer, frame
from doorstep.kernel.exchange.mllp.server import MANY_STRANGERS, Limits, Room, Server
from doorstep.kernel.exchange.models import Connection, Stranger
from doorstep.people.residents.tests.factories import make_staff, make_world
from tests.exchange.factories import adt, system
from tests.exchange.test_folder_faults import folder, save  # noqa: F401 - a fixture

ACCEPTED_AT_ONCE = 3


@asynccontextmanager
async def _listening(limits: Limits) -> AsyncIterator[tuple[Server, int]]:
    """A server that listens, without the keepers of what is taken: here nothing is."""
    server = Server(limits=limits)
    listening = await asyncio.start_server(server._accept, "127.0.0.1", 0)
    try:
        yield server, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in list(server._lines):
            task.cancel()
        await asyncio.gather(*server._lines, return_exceptions=True)
        server.store.close()


def test_framer_keeps_only_the_head_of_what_is_given_up() -> None:
    framer = Framer(limit=1_000_000)
    framer.feed(b"\x0bMSH|^~\\&|WHO|" + b"x" * 200_000)
    assert framer.kept > 200_000
    framer.give_up()
    (piece,) = framer.feed(b"y" * 300_000 + b"\x1c\r")
    assert (piece.found, piece.count > 500_000, len(piece.data)) == (Found.TOO_LARGE, True, 4096)
    (whole,) = framer.feed(frame(b"MSH|" + b"z" * 300_000))
    assert (whole.found, len(whole.data)) == (Found.MESSAGE, 300_004)


@pytest.mark.django_db(transaction=True)
def test_a_stranger_fills_no_memory_and_is_hung_up() -> None:
    """Messages of ten megabytes from a name that nobody registered: the head is kept, the answer says who was not known."""

    async def run() -> tuple[int, bytes, int]:
        async with _listening(Limits()) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            text = adt("A01", "S1", at="20260501080500").replace("|HIS|", "|NOBODY|", 1)
            writer.write(b"\x0b" + text.encode() + b"NTE|1||" + b"x" * 5_000_000)
            await writer.drain()
            await asyncio.sleep(0.5)
            kept = server.begun
            writer.write(b"\x1c\r")
            for number in range(MANY_STRANGERS + 5):
                writer.write(frame(text.replace("|S1|", f"|S{number}|").encode()))
            # Nobody says that this is the end: the server hangs up by itself.
            answered = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            return kept, answered, server.begun

    kept, answered, begun = asyncio.run(run())
    assert kept < 10_000
    assert begun == 0
    assert b"MSA|AR|S1|" in answered.split(b"\x1c")[0]
    assert "未登记" in answered.split(b"\x1c")[0].decode()
    assert answered.count(b"MSA|AR|") <= MANY_STRANGERS + 6
    with acting(system()):
        assert set(Stranger.objects.values_list("application", "reason")) == {("NOBODY", "sender")}


def test_a_line_that_says_nothing_is_hung_up() -> None:
    async def run() -> tuple[bytes, int]:
        async with _listening(Limits(silent_seconds=0.3)) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return said, len(server._lines)

    assert asyncio.run(run()) == (b"", 0)


def test_lines_beyond_the_limit_are_hung_up_and_the_others_go_on() -> None:
    async def run() -> tuple[int, int]:
        async with _listening(Limits(lines_of_address=ACCEPTED_AT_ONCE)) as (server, port):
            ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(ACCEPTED_AT_ONCE + 2)]
            await asyncio.sleep(0.3)
            open_lines = len(server._lines)
            for _reader, writer in ends:
                writer.close()
            await asyncio.sleep(0.3)
            return open_lines, len(server._lines)

    assert asyncio.run(run()) == (ACCEPTED_AT_ONCE, 0)


def test_room_makes_the_next_wait_and_lets_one_that_is_larger_have_it_alone() -> None:
    async def run() -> list[str]:
        room, told = Room(100), []

        async def bring(name: str, size: int) -> None:
            await room.take(size)
            told.append(name)

        await bring("first", 60)
        second = asyncio.create_task(bring("second", 60))
        await asyncio.sleep(0.01)
        told.append("freed")
        room.give(60)
        await second
        large = asyncio.create_task(bring("large", 500))
        await asyncio.sleep(0.01)
        room.give(60)
        await asyncio.wait_for(large, 1)
        return told

    assert asyncio.run(run()) == ["first", "freed", "second", "large"]


@pytest.mark.django_db
def test_names_that_nobody_registered_do_not_fill_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "STRANGERS", 5)
    with acting(system()):
        for number in range(12):
            storing.note_stranger(application=f"X{number}", facility="", address="10.1.0.9", reason="sender")
        assert sorted(Stranger.objects.values_list("application", flat=True)) == ["X10", "X11", "X7", "X8", "X9"]


def test_a_file_with_the_longest_name_is_taken_once_and_two_of_a_name_stay_two(
    folder: tuple[Connection, Path],  # noqa: F811
) -> None:
    """Its name with the time before it fitted nowhere: it stayed and was taken again every three seconds."""
    _connection, place = folder
    long = "检" * 83 + ".csv"
    assert len(os.fsencode(long)) == 253
    save(place, long, b"x")
    assert folders.look() == 1
    assert folders.look() == 0
    (kept,) = (place.parent / "failed").iterdir()
    assert kept.name.endswith("检检.csv")
    moment = time.strftime("%Y%m%d-%H%M%S")
    for _ in range(2):
        save(place, "a.csv", b"y")
        folders.look()
    assert len(list((place.parent / "failed").iterdir())) == 3, moment


@pytest.mark.django_db
def test_a_sender_is_registered_with_an_address_and_keeps_it(client: Client) -> None:
    """Whoever reaches the port writes any MSH-3 and MSH-4: a laboratory's results are believed for the address they come from."""
    world = make_world()
    client.force_login(make_staff(name="钱工", organization_id=world.lead, role="engineer"))
    facts = {
        "name": "LIS",
        "organization": world.lead,
        "kind": "mllp",
        "application": "LIS",
        "facility": "H",
        "encoding": "auto",
    }
    refused = client.post(reverse("exchange:new"), facts)
    assert refused.status_code == 422
    assert "0.0.0.0/0" in refused.content.decode()
    assert client.post(reverse("exchange:new"), {**facts, "addresses": "10.1.0.9"}).status_code == 302
    with acting(system()):
        made = Connection.objects.get(application="LIS")
    emptied = client.post(reverse("exchange:connection", args=[made.key]), {"name": "LIS", "encoding": "auto"})
    assert emptied.status_code == 422
    with acting(system()):
        assert Connection.objects.get(pk=made.pk).addresses == ["10.1.0.9/32"]
    table = {**facts, "kind": "folder", "application": "", "facility": ""}
    assert client.post(reverse("exchange:new"), table).status_code == 302
