"""The wire: what is answered is stored, whatever happens to the line or to the process."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
from django.db import connections

from doorstep.demo.hospital.traffic import Hospital, Patient
from doorstep.demo.hospital.wire import Sender, code_of
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange.models import Connection, Message, Refusal, Stranger
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_world
from tests.exchange.factories import adt, make_connection, system, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ZHOU = Patient(ZHOU_NUMBER, "00012345", "周桂兰", datetime(1963, 9, 15, tzinfo=UTC).date(), "female")


ELSEWHERE = "AWAY"  # a sender that may call only from a network that is not ours


class Ingest:
    """One ingest process on the database of the test."""

    def __init__(self, *arguments: str) -> None:
        secrets = json.loads((Path(os.environ["DOORSTEP_DATA"]) / "secrets.json").read_text(encoding="utf-8"))
        address = urlsplit(secrets["database_url_app"])
        name = connections["default"].settings_dict["NAME"]
        environment = {**os.environ, "DATABASE_URL": address._replace(path=f"/{name}").geturl()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "ingest", "--port", "0", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        found = re.search(r":(\d+)$", said.strip())
        assert found is not None, said
        self.port = int(found.group(1))
        self._lines: list[Sender] = []

    def sender(self, charset: str = "utf-8") -> Sender:
        self._lines.append(Sender(host="127.0.0.1", port=self.port, charset=charset))
        return self._lines[-1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        for line in self._lines:
            line.close()


@contextmanager
def ingesting(*arguments: str) -> Iterator[Ingest]:
    started = Ingest(*arguments)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.end()


@pytest.fixture
def his() -> Connection:
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    away = make_connection(world.lead, application=ELSEWHERE, facility="禾川县人民医院")
    with acting(system()):
        Connection.objects.filter(pk=away.pk).update(addresses=["10.9.0.0/16"])
    return make_connection(world.lead, facility="禾川县人民医院")


def stored() -> set[str]:
    with acting(system()):
        return set(Message.objects.values_list("control_id", flat=True))


def test_wire_answers_as_the_standard_asks(his: Connection) -> None:
    """One process answers for all three: it takes seconds to start."""
    with ingesting("--megabytes", "0.2", "--pause", "1") as ingest:
        _enhanced_mode_hears_what_became_of_the_message(ingest, his)
        _answers_follow_the_rules_and_the_characters(ingest)
        _address_that_is_not_registered_is_rejected(ingest)


def _enhanced_mode_hears_what_became_of_the_message(ingest: Ingest, his: Connection) -> None:
    asked = adt("A01", "E1", at="20260501080500").replace("|P|2.4||||||", "|P|2.4|||AL|AL||")
    line = ingest.sender()
    assert code_of(line.send(asked)) == "CA"
    work(his)
    assert code_of(line.answer()) == "AA"
    assert code_of(line.send(asked.replace("|E1|", "|E2|").replace(ZHOU_NUMBER, "110101199003071233"))) == "CA"
    work(his)
    assert code_of(line.answer()) == "AE"


def _answers_follow_the_rules_and_the_characters(ingest: Ingest) -> None:
    line = ingest.sender()
    assert code_of(line.send(adt("A01", "M1", at="20260501080500"))) == "AA"
    assert code_of(line.send(adt("A01", "M1", at="20260501080500"))) == "AA"
    gb = ingest.sender("gb18030")
    text = adt("A03", "M2", at="20260502080500").replace("UNICODE UTF-8", "GB 18030-2000")
    assert code_of(gb.send(text)) == "AA"
    refused = {
        "unknown": text.replace("|HIS|", "|PACS|", 1),
        "version": text.replace("|2.4|", "|2.8|"),
        "type": text.replace("ADT^A03", "MFN^M02"),
        "event": text.replace("ADT^A03", "ADT^A60"),
        "training": text.replace("|M2|P|", "|M2|T|"),
    }
    assert {name: code_of(gb.send(one)) for name, one in refused.items()} == dict.fromkeys(refused, "AR")
    assert code_of(line.send(text)) == "AE"  # declares GB18030, sends UTF-8
    line.put_raw(b"rubbish\x0bMSH|cut off")
    assert code_of(line.send(adt("A08", "M3", at="20260501090500"))) == "AA"
    assert code_of(line.send(adt("A08", "M4", at="20260501090500") + "NTE|1||" + "长" * 200_000 + "\r")) == "AR"
    assert code_of(line.send(adt("A08", "M5", at="20260501090500", bed="2床"))) == "AA"
    line.put_raw(b"\x0bhello\x1c\r")
    misplaced = adt("A08", "M7", at="20260501090500").replace("||||||UNICODE UTF-8", "||||UNICODE UTF-8")
    assert code_of(line.send(misplaced)) == "AA"  # its character set stands where the enhanced mode is asked for
    poisoned = adt("A08", "M6", at="20260501090500").replace("3床", "3\0床")
    assert code_of(line.send(poisoned)) == "AE"
    line.put_raw("\x0bMSH|^~\\&|HIS|禾川县人民医院|and then nothing".encode())
    with pytest.raises(ConnectionError):
        line.answer()
    assert stored() == {"E1", "E2", "M1", "M2", "M3", "M5", "M7"}
    with acting(system()):
        assert Message.objects.get(control_id="M1").duplicates == 1
        assert "周桂兰" in Message.objects.get(control_id="M2").body
        assert set(Stranger.objects.values_list("application", "reason")) == {("PACS", "sender"), ("", "header")}
        told = {"version", "type", "event", "training", "charset", "large", "cut"}
        assert set(Refusal.objects.values_list("reason", flat=True)) == told
        assert set(Refusal.objects.filter(whole=False).values_list("reason", "control_id")) == {
            ("large", "M4"),
            ("cut", ""),
        }


def _address_that_is_not_registered_is_rejected(ingest: Ingest) -> None:
    before = stored()
    elsewhere = adt("A01", "M9", at="20260501080500").replace("|HIS|", f"|{ELSEWHERE}|", 1)
    assert code_of(ingest.sender().send(elsewhere)) == "AR"
    assert stored() == before


@pytest.mark.journey
def test_killed_ingest_loses_no_answered_message(his: Connection) -> None:
    hospital = Hospital(Random(7), datetime(2026, 5, 1, tzinfo=UTC))
    texts = [text for _ in range(120) for application, text in hospital.day([ZHOU]) if application == "HIS"]
    answered: list[str] = []
    with ingesting() as ingest:
        line = ingest.sender()

        def send() -> None:
            try:
                for text, answer in zip(texts, line.send_all(texts, window=16), strict=False):
                    assert code_of(answer) == "AA"
                    answered.append(text.split("|")[9])
            except (ConnectionError, OSError):
                return

        sending = threading.Thread(target=send)
        sending.start()
        while len(answered) < 60:
            time.sleep(0.002)
        ingest.end(signal.SIGKILL)
        sending.join()
    kept = stored()
    assert len(answered) >= 60
    assert set(answered) <= kept
    with ingesting() as ingest:
        codes = {code_of(answer) for answer in ingest.sender().send_all(texts, window=16)}
    assert codes == {"AA"}
    work(his)
    with acting(system()):
        assert Message.objects.count() == len(texts)
        assert set(Message.objects.values_list("state", flat=True)) == {"applied"}
