"""Who is on the way, as the receiving side reads it before the patient is there."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals import rules
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.words import criteria_rows, listed
from doorstep.people.residents.models import Resident

_TONES = {Referral.Transport.OWN: "neutral", Referral.Transport.AMBULANCE: "warn", Referral.Transport.ESCORT: "info"}


def lines_of(rows: Iterable[Referral]) -> list[dict[str, Any]]:
    """A line for each; everything is in the row, nothing is asked per line."""
    return [_line(one) for one in rows]


def _line(one: Referral) -> dict[str, Any]:
    transport = Referral.Transport(one.transport) if one.transport else None
    symptoms = [_(rules.SYMPTOMS[code]) for code in one.symptoms or [] if code in rules.SYMPTOMS]
    return {
        "one": one,
        "gender": _(str(Resident.Gender(one.patient_gender).label)),
        "transport": _(str(transport.label)) if transport else _("未登记出发"),
        "tone": _TONES[transport] if transport else "plain",
        "symptoms": listed(symptoms),
        # Which signs call for a hospital; their values stand on the referral's own page.
        "met": list(dict.fromkeys(row["text"] for row in criteria_rows(one.criteria) if row["met"])),
        "place": one.appointment_text or (one.department.name if one.department else ""),
    }
