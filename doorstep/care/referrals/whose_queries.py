"""Whose a task of this app is, for whoever has the task without sight of the resident.

Who is asked to take a patient over, or has taken one over with the packet alone, knows whom it is about from the referral or the
proposal: these keep name, sex and birth date as they were sent. The wall of those rows decides who reads them; the register stays shut.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from doorstep.care.referrals.models import CaseQuestion, DownProposal, FollowUp, PayLater, Referral


class Whose(NamedTuple):
    """The patient as a referral or a proposal names them; the birth date is None where it was not kept."""

    name: str
    gender: str
    birth_date: date | None


_SUBJECT: Final = re.compile(r"referral/([0-9a-f-]{32,36})")
_OWN: Final = ("patient_name", "patient_gender", "patient_birth_date")
_OF_REFERRAL: Final = tuple(f"referral__{name}" for name in _OWN)
_ROWS: Final[Mapping[str, tuple[Any, tuple[str, ...]]]] = {
    "referral": (Referral, _OWN),
    "down-proposal": (DownProposal, _OWN),
    "follow-up": (FollowUp, _OF_REFERRAL),
    "case-question": (CaseQuestion, _OF_REFERRAL),
    "pay-later": (PayLater, _OF_REFERRAL),
}


def of_subjects(subjects: Iterable[str]) -> dict[str, tuple[int, str, str, date]]:
    """Resident, name, gender and birth date of each case ("referral/<key>") that the actor may see; other subjects are left out. One query."""
    keys = {one: UUID(hex=match[1]) for one in subjects if (match := _SUBJECT.fullmatch(one))}
    rows = Referral.objects.filter(key__in=keys.values()).values_list("key", "resident_id", *_OWN) if keys else ()
    found = {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
    return {one: found[key] for one, key in keys.items() if key in found}


def whose(*, machine: str, item_ids: Iterable[int]) -> dict[int, Whose]:
    """The patient of each thing of a machine that the actor may see; {} for machines of other apps. One query."""
    wanted = list(item_ids)
    if machine not in _ROWS or not wanted:
        return {}
    model, names = _ROWS[machine]
    found: QuerySet[Any, tuple[Any, ...]] = model.objects.filter(pk__in=wanted).values_list("pk", *names)
    return {row[0]: Whose._make(row[1:]) for row in found}
