"""DFT P03: charges as ChargeItem, each under the transaction number of the hospital (HL7 v2.5.1 chapter 6, 6.5.1)."""

from decimal import Decimal, InvalidOperation

from doorstep.coordination.hospital_systems import quantities
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.encounters import reference_of
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.fhir import elements
from doorstep.kernel.fhir.elements import Json

# HL70017. Payments and adjustments are no services: they are not taken.
STATUS = {"CG": "billable", "CD": "aborted", "D": "billable", "C": "aborted"}
_NOT_CHARGES = {"PY", "AJ", "CO"}


def write(read: Read, writer: Writer) -> None:
    """Write every charge of a message."""
    encounter = reference_of(read, writer)
    lines = list(read.all("FT1"))
    if not lines:
        raise Fault("segment-missing", "FT1")
    for line in lines:
        kind = line.text(6).upper()
        if kind in _NOT_CHARGES:
            writer.outcome.notes.append(("not-a-charge", "FT1-6"))
            continue
        number = line.text(2) or line.text(1)
        if not number:
            raise Fault("charge-number-missing", "FT1-2")
        status = tables.decided(writer.task, STATUS, table="charge-kind", code=kind or "CG", place="FT1-6")
        writer.put(_charge(line, writer, number, status, encounter), thing=number, occurred_at=moment_of(line.text(4)))


def _charge(line: Segment, writer: Writer, number: str, status: str, encounter: Json | None) -> Json:
    quantity = amount_of(line.text(10) or "1", "FT1-10")
    total = line.text(11) or line.text(11, 2)
    single = line.text(12)
    price = amount_of(total, "FT1-11") if total else amount_of(single, "FT1-12") * quantity if single else None
    return elements.compact(
        {
            "resourceType": "ChargeItem",
            "identifier": [writer.number("charge", number)],
            "status": status,
            "code": tables.concept(
                writer.task,
                table="charge",
                code=line.text(7),
                display=line.text(7, 2) or line.text(8),
                system=line.text(7, 3),
            ),
            "subject": writer.patient,
            "context": encounter,
            "occurrenceDateTime": fhir_time(line.text(4)),
            "quantity": {"value": quantities.plain(quantity)},
            # Two places as on a bill: money is counted in fen.
            "priceOverride": {"value": quantities.plain(round(price, 2)), "currency": "CNY"}
            if price is not None
            else None,
        }
    )


def amount_of(text: str, place: str) -> Decimal:
    """A number of money or pieces; a Fault for anything else."""
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise Fault("number-invalid", place) from error
    if not number.is_finite():
        raise Fault("number-invalid", place)
    return number
