"""A hospital system with a token, a resident whom it may see, and short ways to ask."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import search
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_world


@dataclass(frozen=True, slots=True)
class System:
    """A connected hospital system."""

    client: Client
    token: str

    def ask(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/fhir+json", **headers: str
    ) -> Any:
        """One request; header names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.generic(
            method,
            f"/fhir/{path}".removesuffix("/"),
            "" if body is None else text,
            content_type=kind,
            headers={"authorization": f"Bearer {self.token}", **given},
        )


@dataclass(frozen=True, slots=True)
class House:
    """The small world with two hospital systems: `own` may see the resident, `foreign` may not."""

    world: World
    resident: Resident
    own: System
    foreign: System

    @property
    def patient(self) -> str:
        """The resident's address."""
        return f"Patient/{self.resident.key}"

    def observation(self, **changes: Any) -> dict[str, Any]:
        """An observation of the resident."""
        whole = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]},
            "subject": {"reference": self.patient},
            "effectiveDateTime": "2026-05-01T08:00:00+08:00",
            "valueQuantity": {"value": 72, "unit": "/min", "system": systems.UCUM, "code": "/min"},
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}


def token_of(organization_id: int, name: str) -> str:
    """A token of a system that is registered for the unit."""
    with acting(system_actor(Purpose.IMPORT)) as actor:
        return access.issue_token(name=name, display=name, organization_id=organization_id, actor=actor)


def make_house(client: Client) -> House:
    """Two systems and a resident."""
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.lead, world.village))
    own = System(client, token_of(world.lead, "his"))
    foreign = System(client, token_of(world.other_township, "foreign"))
    return House(world, resident, own, foreign)


def searched(type: str, pairs: list[tuple[str, str]], *, actor: Actor, base: str = "") -> dict[str, Any]:
    """The searchset of a search without a request around it, asked as the bound actor."""
    asked = search.prepare(type, pairs, base=base)
    with connection.cursor() as cursor:
        arguments = [*asked.arguments, as_json(audit.who(actor))]
        cursor.execute("SELECT * FROM record_searched(%s, %s, %s, %s)", arguments)
        found: dict[str, Any] = json.loads(asked.bundle(cursor.fetchone()))
    return found


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    """A Bundle of entries."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: Any = None, **more: Any) -> dict[str, Any]:
    """An entry; `fullUrl` beside the request, everything else inside it."""
    full_url = more.pop("fullUrl", f"urn:uuid:{uuid.uuid4()}")
    found: dict[str, Any] = {"fullUrl": full_url, "request": {"method": method, "url": url, **more}}
    return found if resource is None else {**found, "resource": resource}
