"""PID: by which numbers and facts a message names its patient (HL7 v2.5.1 chapter 3, 3.4.2)."""

from doorstep.coordination.hospital_systems.people import Claim, Person
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import day_of
from doorstep.kernel.exchange.formats import Keys
from doorstep.people.residents.rules import is_whole_number

# PID-2, -3 and -4 are the patient's numbers of 2.3, the list of 2.3.1 on, and alternate ones; 19 is where many systems put the id card.
_NUMBER_FIELDS = (3, 2, 4)
_ID_CARD = 19


def claim_of(pid: Segment) -> Claim:
    """What a PID says."""
    return Claim(
        numbers=numbers_of(pid, *_NUMBER_FIELDS, _ID_CARD),
        name=name_of(pid, 5),
        birth_date=day_of(pid.text(7)),
        gender=tables.GENDER.get(pid.text(8).upper(), ""),
    )


def numbers_of(segment: Segment, *fields: int) -> tuple[str, ...]:
    """Every number in some fields, without repetition."""
    found = [
        segment.text(field, repetition=repetition) for field in fields for repetition in segment.repetitions(field)
    ]
    return tuple(dict.fromkeys(number for number in found if number))


def name_of(segment: Segment, field: int) -> str:
    """A name (XPN): Chinese systems write it whole into the first component; else family and given are put together."""
    return segment.text(field, 1) + segment.text(field, 2)


def keys_of(text: str) -> Keys:
    """The patient's numbers without reading the whole message: the lane goes by the hospital's own number."""
    line = next((one for one in text.split("\r") if one.startswith("PID")), "")
    if not line:
        return Keys(lane="")
    read = Read(f"{text.partition(chr(13))[0]}\r{line}")
    pid = read.first("PID")
    numbers = claim_of(pid).numbers if pid is not None else ()
    own = next((number for number in numbers if not is_whole_number(number)), "")
    return Keys(lane=own or (numbers[0] if numbers else ""), numbers=numbers)


def differences(pid: Segment, person: Person) -> list[tuple[str, str]]:
    """What the hospital has otherwise than the index, as notes without the values."""
    claim = claim_of(pid)
    notes = []
    if claim.name and "".join(claim.name.split()) != "".join(person.name.split()):
        notes.append(("differs", "PID-5"))
    if claim.birth_date and claim.birth_date != person.birth_date:
        notes.append(("differs", "PID-7"))
    return notes
