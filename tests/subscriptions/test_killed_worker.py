"""A worker that is killed in the middle of a delivery: nothing is lost, and the order holds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from doorstep.kernel.jobs import stalled
from tests.fhir.house import make_house
from tests.subscriptions.receiver import Heard, allow, by_topic, listening, states

EVENTS, FATAL = 6, 3


def _worker() -> subprocess.Popen[bytes]:
    """A worker on the database of the test."""
    secrets = json.loads((Path(os.environ["DOORSTEP_DATA"]) / "secrets.json").read_text(encoding="utf-8"))
    address = urlsplit(secrets["database_url_app"])
    name = connections["default"].settings_dict["NAME"]
    environment = {**os.environ, "DATABASE_URL": address._replace(path=f"/{name}").geturl()}
    return subprocess.Popen([sys.executable, "-m", "django", "work", "--once"], env=environment)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_worker_sends_the_same_number_again_and_none_goes_past_it(client: Client) -> None:
    house = make_house(client)
    allow("his")
    with listening() as receiver:
        answer = house.own.ask("POST", "Subscription", by_topic(receiver.url, "report-signed", "id-only"))
        assert answer.status_code == 201
        for number in range(EVENTS):
            report = {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": {"text": f"报告 {number}"},
                "subject": {"reference": house.patient},
            }
            assert house.own.ask("POST", "DiagnosticReport", report).status_code == 201
        worker = _worker()
        killed: list[int] = []

        def kill(one: Heard) -> None:
            # The receiver has heard it; the worker dies before it can note so.
            if not killed and one.headers.get("Event-Number") == str(FATAL):
                killed.append(one.number)
                worker.send_signal(signal.SIGKILL)
                worker.wait(timeout=30)

        receiver.before = kill
        worker.wait(timeout=120)
        assert (killed, worker.returncode) == ([FATAL], -signal.SIGKILL)
        assert [number for number, state in states() if state == "delivered"] == list(range(1, FATAL))
        assert stalled.revive(silent_for=0) >= 1
        call_command("work", "--once")
        told = [one.number for one in receiver.heard if "Event-Number" in one.headers]
    assert told == [1, 2, 3, 3, 4, 5, 6]
    assert states() == [(number, "delivered") for number in range(1, EVENTS + 1)]
