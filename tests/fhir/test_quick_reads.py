"""Reads past Django's round give the answers of the ordinary way, byte by byte, and leave the same look in the trail."""

import gzip
import json
import re
from io import BytesIO
from typing import Any

import psycopg
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client, override_settings

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.site import quick_reads
from doorstep.site.quick_reads import QuickReads
from tests.fhir.house import House, make_house
from tests.fhir.test_statements import LOOKED

pytestmark = pytest.mark.django_db(transaction=True)
_FIELDS = (
    "action",
    "actor_kind",
    "user_id",
    "actor_name",
    "organization_id",
    "resident_id",
    "subject",
    "basis",
    "address",
    "request_id",
)


def _timeless(content: bytes) -> bytes:
    """A Bundle without the moment at which it was made, and without the mark of its next page, which is sealed anew each time."""
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    if b'"searchset"' not in plain:
        return plain
    return re.sub(rb'"lastUpdated":"[^"]*"},"type":"searchset"|_cursor=[^"]*', b"", plain)


class Ways:
    """The same request by the ordinary way and by the quick one, which says whether it answered itself."""

    def __init__(self, token: str) -> None:
        self._token, self.passed = token, 0
        self._ordinary: Any = WSGIHandler()
        self._quick = QuickReads(self._passed_on)

    def _passed_on(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.passed += 1
        return self._ordinary(environ, start_response)

    def ask(self, path: str, *, quickly: bool, **more: str) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers in order of their names, content."""
        place, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": place, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
            "REMOTE_ADDR": "10.0.0.7", "HTTP_X_REQUEST_ID": "abc", "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), **more,
        }  # fmt: skip
        said: list[Any] = []
        answer = (self._quick if quickly else self._ordinary)(
            environ, lambda status, headers: said.extend((status, headers))
        )
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return said[0], sorted(said[1]), content

    def same(self, path: str, *, passed: bool, **more: str) -> str:
        """The status of both ways, which are alike in all."""
        before = self.passed
        ordinary, quick = self.ask(path, quickly=False, **more), self.ask(path, quickly=True, **more)
        assert (ordinary[0], _timeless(ordinary[2])) == (quick[0], _timeless(quick[2])), (path, more)
        if "gzip" not in str(more):
            # A Bundle says when it was made, to the millisecond, which compresses to one length or another.
            assert ordinary[1] == quick[1], (path, more)
        assert (self.passed > before) == passed, (path, more)
        return quick[0]


@pytest.fixture
def house(client: Client) -> House:
    """A resident with two observations, one of them long."""
    house = make_house(client)
    with acting(system_actor(Purpose.IMPORT)) as system:
        for fhir_id, words in (("short", "x"), ("long", "字" * 900), ("gone", "x")):
            content = {
                "resourceType": "Observation", "id": fhir_id, "status": "final", "note": [{"text": words}],
                "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]},
            }  # fmt: skip
            published = Published(content=content, organization_id=None, occurred_at=LOOKED)
            record.publish(published, resident_id=house.resident.pk, actor=system)
    return house


def _looks(action: str = "fhir.read") -> list[dict[str, Any]]:
    with acting(system_actor(Purpose.SEALING)):
        return list(AuditEntry.objects.filter(action=action).order_by("id").values(*_FIELDS))


def test_both_ways_answer_alike_and_leave_the_same_look(house: House) -> None:
    ways = Ways(house.own.token)
    # Nobody remembers the token yet: the first request is passed on.
    assert ways.ask("/fhir/Observation/short", quickly=True)[0] == "200 OK"
    assert ways.passed == 1
    for more in (
        {}, {"HTTP_ACCEPT": "application/fhir+json"}, {"HTTP_ACCEPT_ENCODING": "gzip, br"}, {"HTTP_X_FORWARDED_PROTO": "https"},
    ):  # fmt: skip
        for name in ("short", "long"):
            assert ways.same(f"/fhir/Observation/{name}", passed=False, **more) == "200 OK"
    for query in ("", "?status=final", "?code=8867-4&_count=1", f"?patient={house.resident.key}&_include=Observation:subject", "?_id=nothing",
                  "?_summary=count", "?_elements=code", "?status=final&_format=json"):  # fmt: skip
        for more in ({}, {"HTTP_ACCEPT_ENCODING": "gzip"}, {"HTTP_PREFER": "handling=lenient"}):
            assert ways.same(f"/fhir/Observation{query}", passed=False, **more) == "200 OK"
    searches = _looks("fhir.search")
    assert len(searches) % 2 == 0
    assert searches[::2] == searches[1::2]
    looks = _looks()
    assert all(one == looks[0] for one in looks if one["subject"] == "Observation/short")
    assert [one["subject"] for one in looks].count("Observation/long") == 8


def test_what_is_not_plainly_a_success_goes_the_ordinary_way(house: House) -> None:
    ways, stranger = Ways(house.own.token), Ways(house.foreign.token)
    for one in (ways, stranger):
        one.ask("/fhir/Observation/short", quickly=True)
    with acting(system_actor(Purpose.IMPORT)):
        Resource.objects.filter(fhir_id="gone").update(deleted=True)
    before = len(_looks())
    for path, status, more in (
        ("Observation/nothing", "404", {}),
        ("Observation/gone", "410", {}),
        ("Nothing/short", "404", {}),
        ("Group/short", "404", {}),
        ("Observation/short", "304", {"HTTP_IF_NONE_MATCH": 'W/"1"'}),
        ("Observation/short", "406", {"HTTP_ACCEPT": "text/html"}),
        ("Observation/short", "401", {"HTTP_AUTHORIZATION": "Bearer nobody"}),
        ("Observation/short?_summary=true", "200", {}),
        ("Observation?misspelt=1", "400", {}),
        ("Observation?misspelt=1&lang=en", "200", {"HTTP_PREFER": "handling=lenient"}),
        ("Observation?code:in=http://nowhere", "400", {}),
        ("Observation?_format=xml", "406", {}),
        ("Nothing", "404", {}),
        ("Observation/short", "200", {"HTTP_COOKIE": "django_language=en"}),
        ("Observation/short", "200", {"REQUEST_METHOD": "HEAD"}),
    ):
        assert ways.same(f"/fhir/{path}", passed=True, **more).startswith(status), (path, more)
    # The four that were shown, by both ways.
    assert len(_looks()) == before + 8
    assert stranger.same("/fhir/Observation/short", passed=True).startswith("404")
    assert len(_looks()) == before + 8
    with override_settings(SECURE_SSL_REDIRECT=True):
        quick_reads._always.cache_clear()
        assert Ways(house.own.token).same("/fhir/Observation/short", passed=True).startswith("301")
    quick_reads._always.cache_clear()


def test_a_read_is_counted_once_and_a_revoked_token_is_refused(house: House) -> None:
    ways = Ways(house.own.token)
    ways.ask("/fhir/Observation/short", quickly=True)
    with override_settings(FHIR_REQUESTS_A_MINUTE=12):
        # Ten seconds' worth may come at once: here two, whichever ways are tried for one that is not there.
        assert [
            ways.ask(f"/fhir/Observation/{name}", quickly=True)[0][:3] for name in ("nothing", "short", "short")
        ] == ["404", "200", "429"]
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="his").update(revoked_at=LOOKED)
    assert ways.same("/fhir/Observation/short", passed=True).startswith("401")


def _is_outcome(answer: tuple[str, list[tuple[str, str]], bytes], *status: str) -> bool:
    """Whether an answer is what machines read of a fault: an OperationOutcome with a sentence, of this status."""
    said, headers, content = answer
    body = json.loads(content)
    sentence = body["issue"][0]["diagnostics"]
    return said[:3] in status and body["resourceType"] == "OperationOutcome" and bool(sentence) and (
        dict(headers)["Content-Type"].startswith("application/fhir+json")
    )  # fmt: skip


def test_a_fault_of_ours_is_answered_by_the_ordinary_way(house: House, caplog: pytest.LogCaptureFixture) -> None:
    ways = Ways(house.own.token)
    ways.ask("/fhir/Observation/short", quickly=True)
    for path in ("Observation/short", "Observation?status=final"):
        # A setting that is no number: the count against the limit fails with a TypeError, on both ways.
        with override_settings(FHIR_REQUESTS_A_MINUTE="many"):
            assert _is_outcome(ways.ask(f"/fhir/{path}", quickly=True), "500")
            assert _is_outcome(ways.ask(f"/fhir/{path}", quickly=False), "500")
        assert f"quick read failed, /fhir/{path.partition('?')[0]}" in caplog.text
    # A text that is none: nothing of it can be sent to the database.
    for more in ({"HTTP_X_REQUEST_ID": "\udcff"}, {"HTTP_X_REQUEST_ID": "\x00"}, {"REMOTE_ADDR": "\udc80"}):
        for path in ("Observation/short", "Observation?status=final"):
            assert _is_outcome(ways.ask(f"/fhir/{path}", quickly=True, **more), "400", "500"), (path, more)
    for query in (
        "code=\xff\xfe",
        "code=%ff%fe",
        "_cursor=\xff",
        "code=%00",
        "%ff=%ff",
        "_count=1e999",
    ):
        assert ways.ask(f"/fhir/Observation?{query}", quickly=True)[0][:3] in ("200", "400"), query
    assert ways.same("/fhir/Observation/short", passed=False) == "200 OK"


def test_a_killed_database_session_is_answered_over_the_next(house: House) -> None:
    ways = Ways(house.own.token)
    for _ in range(5):
        ways.ask("/fhir/Observation/short", quickly=True)
    looks = len(_looks())
    for path in ("Observation/short", "Observation?status=final"):
        connection.ensure_connection()
        driver = connection.connection
        with psycopg.connect(driver.info.dsn, password=driver.info.password) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [driver.info.backend_pid])
        before = ways.passed
        assert ways.ask(f"/fhir/{path}", quickly=True)[0] == "200 OK"
        assert ways.passed == before + 1
    # What was lost with the session left no look, and what was answered left one.
    assert len(_looks()) == looks + 1
