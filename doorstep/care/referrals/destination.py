"""To what a patient goes, in words: the emergency centre or department before anything else, else what was asked for."""

from django.utils.translation import gettext as _

from doorstep.care.referrals.models import Referral


def bound_for(referral: Referral) -> str:
    """Centre or kind of place, department and expert in one line, in the reader's language.

    Whoever comes as an emergency goes to the centre of the case, else to the emergency department: never to a clinic that opens on Thursday.
    """
    department = referral.department.name if referral.department else ""
    expert = referral.expert.name if referral.expert else ""
    # An expert's own post says where; a bed, rehabilitation or a care home is named beside the centre that takes the patient in.
    parts = [*_first(referral), department, expert]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _first(referral: Referral) -> list[str]:
    asked = _(str(Referral.Aim(referral.aim).label))
    if referral.kind == Referral.Kind.ORDINARY:
        return [asked]
    center = _(str(Referral.GreenCenter(referral.green_center).label)) if referral.green_center else _("急诊科")
    return [center] if referral.aim in (Referral.Aim.DEPARTMENT, Referral.Aim.EXPERT) else [center, asked]
