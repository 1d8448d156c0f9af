"""ADT A40: a hospital made one patient of two (HL7 v2.5.1 chapter 3, 3.3.40).

Its numbers lead to the one that stays from now on. Two residents of ours are never made one by a message: somebody looks.
"""

from doorstep.coordination.hospital_systems import merging, people
from doorstep.coordination.hospital_systems.people import Claim
from doorstep.coordination.hospital_systems.v2.patients import claim_of, name_of, numbers_of
from doorstep.coordination.hospital_systems.v2.reading import Read
from doorstep.kernel.exchange.formats import Fault, Outcome, Task, Waits


def apply(read: Read, task: Task) -> Outcome:
    """Take every pair of the message over."""
    outcome = Outcome()
    groups = read.groups("PID")
    if not groups:
        raise Fault("segment-missing", "PID")
    for group in groups:
        merge = next((one for one in group if one.name == "MRG"), None)
        if merge is None:
            raise Fault("segment-missing", "MRG")
        survivor = people.find(claim_of(group[0]), task)
        outcome.resident_id = survivor.id
        numbers = numbers_of(merge, 1, 2, 4)
        if not numbers:
            raise Fault("patient-number-missing", "MRG-1")
        try:
            prior = people.find(Claim(numbers=numbers, name=name_of(merge, 7), place="MRG-1"), task)
        except Waits:
            # A number that we never met: nothing of ours hangs on it.
            prior = survivor
        people.relink(numbers, survivor, task)
        if prior.id == survivor.id:
            outcome.notes.append(("numbers-joined", "MRG-1"))
            continue
        merging.report(survivor=survivor, prior=prior, task=task)
        outcome.notes.append(("merge-reported", "MRG-1"))
    return outcome
