"""Which messages are taken and what is done with each."""

from datetime import datetime

from doorstep.coordination.hospital_systems import people
from doorstep.coordination.hospital_systems.v2 import (
    appointments,
    charges,
    encounters,
    merges,
    orders,
    patients,
    results,
)
from doorstep.coordination.hospital_systems.v2.reading import Read
from doorstep.coordination.hospital_systems.v2.times import moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault, Format, Outcome, Task

STAYS = ("A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A31")
TYPES = frozenset(
    {f"ADT^{event}" for event in (*STAYS, "A40")}
    | {"ORM^O01", "OML^O21", "ORU^R01", "DFT^P03"}
    | {f"SIU^{event}" for event in appointments.STATUS}
)


def apply(task: Task) -> Outcome:
    """Read a message and write what it says; raises Fault."""
    read = Read(task.message.body)
    kind, _, event = task.message.type.partition("^")
    task.message.event_at = event_at = _event_time(read, task)
    if event == "A40":
        return merges.apply(read, task)
    pid = read.need("PID")
    person = people.find(patients.claim_of(pid), task)
    writer = Writer(task, person, event_at=event_at)
    writer.outcome.notes += patients.differences(pid, person)
    if kind == "ADT":
        encounters.write(read, writer, event=event)
    elif kind in ("ORM", "OML"):
        orders.write(read, writer)
    elif kind == "ORU":
        results.write(read, writer)
    elif kind == "SIU":
        appointments.write(read, writer, event=event)
    elif kind == "DFT":
        charges.write(read, writer)
    else:
        raise Fault("type-unknown", "MSH-9")
    return writer.close()


def _event_time(read: Read, task: Task) -> datetime:
    """When the hospital wrote down what happened: the order of its own truth, whenever the message comes."""
    event = read.first("EVN")
    recorded = event.text(2) if event is not None else ""
    return moment_of(recorded) or moment_of(read.header.text(7)) or task.message.received_at


HL7_V2 = Format(types=TYPES, keys=patients.keys_of, apply=apply)
