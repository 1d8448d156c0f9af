"""A receiver of notifications on this machine, a system that may subscribe, and short ways to write a Subscription."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.subscriptions import actions
from doorstep.kernel.subscriptions.delivering import work
from doorstep.kernel.subscriptions.models import Notification, Subscription

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
SYSTEM = system_actor(Purpose.IMPORT)


@dataclass(slots=True)
class Heard:
    """One request that the receiver got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def number(self) -> int:
        """The event number."""
        return int(self.headers["Event-Number"])

    @property
    def kind(self) -> str:
        """What kind of notification it is."""
        parts = self.json()["entry"][0]["resource"]["parameter"]
        return str(next(one["valueCode"] for one in parts if one["name"] == "type"))


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered: a status, or what `answer` says of a request."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    location: str = ""
    content: bytes = b""
    before: Callable[[Heard], None] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            one = Heard(self.command, self.path, dict(self.headers.items()), body)
            receiver.heard.append(one)
            if receiver.before is not None:
                receiver.before(one)
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()
            self.wfile.write(receiver.content)

        do_POST = do_PUT = do_GET = _answer  # noqa: N815

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def allow(name: str, *hosts: str, **rules: Any) -> None:
    """Let a system subscribe, with these hosts and rules."""
    with acting(SYSTEM) as actor:
        client = ApiClient.objects.get(name=name)
        actions.set_rules(client=client, rules=actions.Rules(hosts=hosts or ("127.0.0.1",), **rules), actor=actor)


def by_criteria(url: str, criteria: str, *, payload: bool = False, **changes: Any) -> dict[str, Any]:
    """A Subscription of R4."""
    channel = {"type": "rest-hook", "endpoint": url, **({"payload": "application/fhir+json"} if payload else {})}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "院内系统跟进",
        "criteria": criteria,
        "channel": channel | changes.pop("channel", {}),
        **changes,
    }


def by_topic(url: str, topic: str, content: str, *filters: str, **settings: int) -> dict[str, Any]:
    """A Subscription of the Backport."""
    found: dict[str, Any] = {
        "resourceType": "Subscription",
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "status": "requested",
        "reason": "院内系统跟进",
        "criteria": f"{systems.BASE}/SubscriptionTopic/{topic}",
        "channel": {
            "type": "rest-hook",
            "endpoint": url,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}]},
        },
    }
    if filters:
        told = [{"url": f"{BACKPORT}/backport-filter-criteria", "valueString": one} for one in filters]
        found["_criteria"] = {"extension": told}
    kinds = {"heartbeat_period": "valueUnsignedInt", "timeout": "valueUnsignedInt", "max_count": "valuePositiveInt"}
    if settings:
        found["channel"]["extension"] = [
            {"url": f"{BACKPORT}/backport-{name.replace('_', '-')}", kinds[name]: value}
            for name, value in settings.items()
        ]
    return found


def run() -> None:
    """Do what every subscription has to do now, as the worker does."""
    with acting(SYSTEM):
        ids = list(Subscription.objects.order_by("id").values_list("id", flat=True))
    for one in ids:
        work(one)


def wait_no_longer() -> None:
    """Let the time of the next try come."""
    with acting(SYSTEM):
        Subscription.objects.update(next_try_at=None)


def states() -> list[tuple[int, str]]:
    """Number and state of every notification, in order."""
    with acting(SYSTEM):
        return list(Notification.objects.order_by("subscription_id", "number").values_list("number", "state"))


def the_only() -> Subscription:
    """The one subscription."""
    with acting(SYSTEM):
        return Subscription.objects.get()
