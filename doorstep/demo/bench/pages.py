"""Measures over HTTP: what people and hospital systems ask of the served product."""

import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.people import CSRF, Person
from doorstep.kernel.record.models import Resource

Request = dict[str, Any]
PAGE_CLIENTS = 4
WRITERS = 64
_HOST = "127.0.0.1"
_PART = {"HX-Request": "true"}
_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def get(path: str, *, headers: dict[str, str]) -> Request:
    """A request that expects to be answered well."""
    return {"method": "GET", "path": path, "headers": headers, "expects": [200]}


def ask(
    requests_by_client: Sequence[list[Request]],
    *,
    port: int,
    seconds: float,
    warm_up: float = 1.0,
    rounds: int | None = None,
) -> dict[str, Any]:
    """Let the load generator run in a process of its own; returns its tally."""
    plan = {
        "host": _HOST,
        "port": port,
        "clients": list(requests_by_client),
        "seconds": seconds,
        "warm_up": warm_up,
        "rounds": rounds,
    }
    words = [sys.executable, "-m", "doorstep.demo.bench.load"]
    done = subprocess.run(words, input=json.dumps(plan).encode(), stdout=subprocess.PIPE, check=True)
    tally: dict[str, Any] = json.loads(done.stdout)
    return tally


def measured(name: str, requests: list[Request], *, port: int, seconds: float, queries: int | None = None) -> Figure:
    """The figure of requests that four clients ask again and again, each from another place in the list."""
    if not requests:
        return figure(name, [], clients=PAGE_CLIENTS, seconds=seconds, faults=["there is nothing to ask for"])
    parts = [
        requests[start:] + requests[:start]
        for start in (len(requests) * client // PAGE_CLIENTS for client in range(PAGE_CLIENTS))
    ]
    tally = ask(parts, port=port, seconds=seconds)
    times = [one for step in tally["times"].values() for one in step]
    return figure(
        name, times, clients=PAGE_CLIENTS, seconds=tally["seconds"], queries=queries, faults=faults_of(tally, {200})
    )


def stepped(name: str, requests: list[Request], *, port: int, seconds: float) -> list[Figure]:
    """The figure of requests of several kinds in turn, and one for each kind."""
    shares = [
        requests[len(requests) * one // PAGE_CLIENTS :] + requests[: len(requests) * one // PAGE_CLIENTS]
        for one in range(PAGE_CLIENTS)
    ]
    tally = ask(shares, port=port, seconds=seconds)
    took = tally["seconds"]
    every = [one for step in tally["times"].values() for one in step]
    queries = queries_of(requests) if requests else None
    whole = figure(name, every, clients=PAGE_CLIENTS, seconds=took, queries=queries, faults=faults_of(tally, {200}))
    return [
        whole,
        *(
            figure(f"{name}/{step}", times, clients=PAGE_CLIENTS, seconds=took)
            for step, times in tally["times"].items()
        ),
    ]


def faults_of(tally: dict[str, Any], good: set[int]) -> list[str]:
    """What was answered otherwise than it should."""
    bad = {status: count for status, count in tally["statuses"].items() if int(status) not in good}
    faults = [f"{count} × {status}" for status, count in sorted(bad.items())]
    if tally["broken"]:
        faults.append(f"{tally['broken']} connections broken")
    if faults or tally["bad"]:
        faults.append(tally["bad"])
    return faults


def queries_of(requests: list[Request], *, samples: int = 5) -> int | None:
    """The most statements that one of the requests sends to the database, transaction control left out.

    Counted in this process by the same middleware and views; a first request warms what is kept per process.
    """
    most = None
    for request in [*requests[:1], *requests[:samples]]:
        sent = statements_of(request)
        most = max(most or 0, sent) if most is not None else 0
    return most


def statements_of(request: Request) -> int:
    """How many statements a request sends in this process, transaction control left out; an act is done by it."""
    with CaptureQueriesContext(connection) as captured:
        send(request)
    return len([one for one in captured.captured_queries if not one["sql"].startswith(_TRANSACTION)])


def send(request: Request) -> Any:
    """Answer a request in this process, by the same middleware and views."""
    headers = request["headers"]
    client = Client(headers=headers, SERVER_NAME=_HOST)
    for part in headers.get("Cookie", "").split("; "):
        name, _, value = part.partition("=")
        if name:
            client.cookies[name] = value
    if request["method"] == "GET":
        return client.get(request["path"])
    body = request["body"].replace("{uuid}", str(uuid.uuid4()))
    return client.post(request["path"], body, content_type="application/x-www-form-urlencoded")


def find(kind: str, people: Sequence[Person], *, cookie: str) -> list[Request]:
    """Searches while typing, by one fact of these residents."""
    facts = {
        "find-initials": lambda person: person.initials[:2],
        "find-name": lambda person: person.name[:2],
        "find-phone": lambda person: person.phone,
        "find-number": lambda person: person.number,
    }
    headers = {"Cookie": cookie, **_PART}
    texts = [facts[kind](person) for person in people]
    return [get(f"{reverse('residents:find')}?q={quote(text)}", headers=headers) for text in texts if text]


def pages(name: str, *, cookies: Sequence[str]) -> list[Request]:
    """A page by its URL name, asked by several people in turn; nothing while no app serves it."""
    try:
        path = reverse(name)
    except NoReverseMatch:
        return []
    return [get(path, headers={"Cookie": cookie}) for cookie in cookies]


def records(people: Sequence[Person], *, cookies: Sequence[str]) -> list[Request]:
    """The pages of residents."""
    return [
        get(reverse("residents:detail", args=[person.key]), headers={"Cookie": cookies[number % len(cookies)]})
        for number, person in enumerate(people)
    ]


def fhir(name: str, people: Sequence[Person], *, token: str) -> list[Request]:
    """Reads of single resources, or searches as a hospital system makes them."""
    headers = {"Authorization": f"Bearer {token}"}
    if name == "fhir-search":
        paths = [
            f"/fhir/{kind}?{urlencode({'patient': str(person.key), '_count': 50})}"
            for person in people
            for kind in ("Observation", "Encounter", "Condition")
        ]
    else:
        known = Resource.objects.filter(
            resident_id__in=[person.id for person in people], deleted=False, sensitive=False
        )
        paths = [f"/fhir/{kind}/{key}" for kind, key in known.order_by("id").values_list("type", "fhir_id")[:500]]
    return [get(path, headers=headers) for path in paths]


def writing(people: Sequence[Person], *, cookie: str, port: int, seconds: float) -> list[Figure]:
    """64 clients, each with residents of its own: open a visit, write what was measured, end the visit."""
    share = len(people) // WRITERS
    if not share:
        return [figure("writes", [], clients=WRITERS, seconds=seconds, faults=["too few residents for 64 clients"])]
    tally = ask(
        [
            [step for person in people[number::WRITERS][:share] for step in _visit(person, cookie)]
            for number in range(WRITERS)
        ],
        port=port,
        seconds=seconds,
    )
    faults = faults_of(tally, {302})
    everything = [one for step in tally["times"].values() for one in step]
    took = tally["seconds"]
    return [
        figure("writes", everything, faults=faults, clients=WRITERS, seconds=took),
        *(figure(f"writes/{step}", times, clients=WRITERS, seconds=took) for step, times in tally["times"].items()),
    ]


def _visit(person: Person, cookie: str) -> list[Request]:
    headers = {"Cookie": cookie, "X-CSRFToken": CSRF}
    opening = reverse("visits:open", args=[person.key])
    facts = {"systolic": 138, "diastolic": 86, "heart_rate": 74, "idempotency_key": "{uuid}"}
    shared: Request = {"method": "POST", "headers": headers, "expects": [302]}
    return [
        {
            **shared,
            "path": opening,
            "step": "open a visit",
            "keep": True,
            "body": "complaint=bench&kind=outpatient&idempotency_key={uuid}",
        },
        {
            **shared,
            "path": "{location}vitals/",
            "step": "write vitals",
            "body": "&".join(f"{name}={value}" for name, value in facts.items()),
        },
        {**shared, "path": "{location}finish/", "step": "end the visit", "body": "idempotency_key={uuid}"},
    ]
