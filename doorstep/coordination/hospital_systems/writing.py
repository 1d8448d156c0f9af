"""Writing what a message says into the record: the same publishing as pages and FHIR, once, and never older over newer."""

import uuid
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from doorstep.coordination.hospital_systems.events import MessageApplied
from doorstep.coordination.hospital_systems.people import Person
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import run
from doorstep.kernel.events import actions as events
from doorstep.kernel.exchange.formats import Fault, Outcome, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json, compact, identifier
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import labels
from doorstep.kernel.record import queries as records
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.organizations import queries as organizations

NUMBERS = f"{systems.BASE}/NamingSystem/hospital"
_THINGS = uuid.UUID("6f1d4a52-3c2b-5e0e-9a57-7d2f0c9b1e34")
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_TICK = """
INSERT INTO exchange_thingclock (connection_id, organization_id, thing, event_at, message_id)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (connection_id, thing) DO UPDATE SET event_at = excluded.event_at, message_id = excluded.message_id
  WHERE exchange_thingclock.event_at <= excluded.event_at
RETURNING 1
"""


class Writer:
    """Writes the resources of one message about one resident."""

    def __init__(self, task: Task, person: Person, *, event_at: datetime) -> None:
        self.task = task
        self.person = person
        self.event_at = event_at
        self.outcome = Outcome(resident_id=person.id)
        self._written: dict[tuple[str, str], Json] = {}
        self._sensitive = False

    @property
    def patient(self) -> Json:
        """The reference to the resident."""
        return {"reference": f"Patient/{self.person.key}", "type": "Patient"}

    def address(self, type: str, thing: str) -> str:
        """The id of a thing of this hospital about this resident: the same number always gives the same id.

        What was written for a record that was merged into this one keeps the id that it got there.
        """
        for key in self.person.former_keys:
            before = self._id(type, thing, key)
            if records.read(type=type, fhir_id=before) is not None:
                return before
        return self._id(type, thing, self.person.key)

    def _id(self, type: str, thing: str, key: str) -> str:
        organization_id = self.task.connection.organization_id
        return str(uuid.uuid5(_THINGS, f"{organization_id}|{type}|{thing}|{key}"))

    def number(self, table: str, value: str) -> Json:
        """The hospital's own number of a thing as an Identifier."""
        return identifier(f"{NUMBERS}/{self.task.connection.organization_id}/{table}", value)

    def present(self, type: str, thing: str) -> Json | None:
        """The resource of a thing as it is now, or None."""
        fhir_id = self.address(type, thing)
        return self._written.get((type, fhir_id)) or records.read(type=type, fhir_id=fhir_id)

    def put(self, resource: Json, *, thing: str, occurred_at: datetime | None = None, sensitive: bool = False) -> str:
        """Write a resource under the number of its thing and return its reference; skipped when newer is there.

        Raises Fault when the result would break R4.
        """
        kind = resource["resourceType"]
        resource = compact({"resourceType": kind, "id": self.address(kind, thing), **resource})
        reference = f"{kind}/{resource['id']}"
        if not self._is_newest(reference):
            self.outcome.notes.append(("older", kind))
            return reference
        faults = problems(resource)
        if faults:
            raise Fault("resource-invalid", faults[0].path[:40])
        stored = records.read(type=kind, fhir_id=resource["id"])
        self._written[kind, resource["id"]] = resource
        if stored is not None and {**stored, "meta": None} == {**resource, "meta": None}:
            return reference
        labelled = labels.received(resource)
        veiled = sensitive or labelled is not resource
        self._sensitive |= veiled
        version = record.publish(
            Published(
                content=labelled,
                organization_id=self.task.connection.organization_id,
                occurred_at=occurred_at or self.event_at,
                sensitive=veiled,
            ),
            resident_id=self.person.id,
            actor=self.task.actor,
        )
        self.outcome.results.append((kind, resource["id"], version))
        return reference

    def close(self) -> Outcome:
        """Leave the traces of the whole message: the audit entry and the event."""
        message, actor = self.task.message, self.task.actor
        if self.outcome.results:
            facts: dict[str, Any] = {
                "type": message.type,
                "resources": [f"{kind}/{fhir_id}/{version}" for kind, fhir_id, version in self.outcome.results],
            }
            told = MessageApplied(
                subject=f"message/{message.key}",
                subject_id=message.pk,
                resident_id=self.person.id,
                organization_id=message.organization_id,
                consortium_id=message.consortium_id,
                user_id=actor.user_id,
                details=facts,
            )
            source = Row(published=self._provenance(), resident_id=self.person.id)
            answers = run(
                [
                    record.writing([source], actor=actor),
                    audit.recording(
                        action="exchange.apply",
                        actor=actor,
                        subject=f"message/{message.key}",
                        resident_id=self.person.id,
                        details=facts,
                    ),
                    events.publishing(told),
                ]
            )
            record.written(answers[0])
        return self.outcome

    def _provenance(self) -> Published:
        """Where the resources of this message came from: the unit, the connection, the message's own number."""
        message, connected = self.task.message, self.task.connection
        unit = organizations.get(organization_id=connected.organization_id)
        sender = elements.reference("Organization", unit.key, unit.name)
        content = compact(
            {
                "resourceType": "Provenance",
                "id": str(uuid.uuid5(_THINGS, f"provenance/{message.key}/{message.replays}")),
                "target": [
                    elements.reference(kind, fhir_id) for kind, fhir_id, _version in dict.fromkeys(self.outcome.results)
                ],
                "occurredDateTime": elements.instant(self.event_at),
                "recorded": elements.instant(timezone.now()),
                "agent": [
                    {"type": elements.concept(_PARTICIPANT, "author", "Author"), "who": sender},
                    {
                        "type": elements.concept(_PARTICIPANT, "assembler", "Assembler"),
                        "who": {"type": "Device", "display": f"{connected.name}（{connected.code}）"},
                        "onBehalfOf": sender,
                    },
                ],
                "entity": [
                    {
                        "role": "source",
                        "what": {
                            "identifier": self.number("message", message.control_id),
                            "display": f"{message.format} {message.type}",
                        },
                    }
                ],
            }
        )
        return Published(
            content=content,
            organization_id=connected.organization_id,
            occurred_at=self.event_at,
            category="provenance",
            sensitive=self._sensitive,
        )

    def _is_newest(self, reference: str) -> bool:
        organization_id = self.task.connection.organization_id
        with connection.cursor() as cursor:
            cursor.execute(
                _TICK, [self.task.connection.pk, organization_id, reference, self.event_at, self.task.message.pk]
            )
            return cursor.fetchone() is not None
