"""What a page says of where a patient goes from the hospital, and what the dialogs of the way home ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_aims, down_queries, down_rules
from doorstep.care.referrals.actions.treating import default_receiver
from doorstep.care.referrals.down_rules import Weighed
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.words import clauses, listed, missing_words, shelf_names, substitute_words
from doorstep.kernel.web.addressing import url
from doorstep.kernel.web.formats import moment_short
from doorstep.people.organizations import queries as organizations

# How many units a list of receivers holds: near home first, nobody reads further.
_LISTED = 20
# The dialogs whose questions depend on where the patient goes.
_ARRANGING = frozenset({"receive_back", "arrive_back"})
# Hours of the day at which patients are asked to come, and the hour that is proposed otherwise; platform default.
_OPENS, _CLOSES, _MORNING = 8, 17, 9


def aims() -> list[tuple[str, str]]:
    """The places where a patient may go, in the reader's language."""
    return [(code, _(aim.text)) for code, aim in down_aims.AIMS.items()]


def aim_text(code: str) -> str:
    """One of them; "" for none."""
    return _(down_aims.AIMS[code].text) if code in down_aims.AIMS else ""


def asks(referral: Referral, verb: str) -> bool:
    """Whether a verb of the way home opens a dialog for this patient: the bed and the time of whoever arrives."""
    if verb not in _ARRANGING:
        return True
    return referral.goes_to in down_aims.ARRIVING if verb == "receive_back" else _in_bed(referral)


def button_text(referral: Referral, verb: str) -> str:
    """What the arrival is called where the patient goes; "" where the table's own word fits."""
    return _(down_aims.AIMS[referral.goes_to].arrival) if verb == "arrive_back" and referral.goes_to else ""


def fit_dialog(form: forms.Form, referral: Referral, verb: str) -> None:
    """Ask only what this patient's way needs: no bed for whoever stays at home, the time in the words of the aim."""
    if verb in _ARRANGING and not _in_bed(referral):
        form.fields.pop("bed", None)
    if verb in ("receive_back", "postpone_back") and referral.goes_to:
        form.fields["expected_at"].label = _(down_aims.AIMS[referral.goes_to].expects)
    if verb == "hand_back":
        address = url("referrals:receivers", referral.key)
        form.fields["aim"].widget.attrs |= picks(address)


def first_bed(referral: Referral, verb: str, rows: dict[str, list[tuple[Any, str]]]) -> dict[str, str]:
    """The bed that a dialog begins with: the one kept, else the first free one for whoever goes to a bed; {} where none is asked."""
    if verb not in _ARRANGING:
        return {}
    if referral.bed_key is not None:
        return {"bed": str(referral.bed_key)}
    receiver = referral.receiver
    # Who goes to a hospital for rehabilitation lies there.
    lies = down_aims.AIMS[referral.goes_to].bed or (receiver is not None and receiver.kind == down_aims.HOSPITAL)
    found = rows.get("bed", []) if lies else []
    return {"bed": str(found[0][0])} if found else {}


def picks(address: str) -> dict[str, str]:
    """What a choice of the aim brings along: the units that fit it, from this address."""
    return {"hx-get": address, "hx-trigger": "change", "hx-target": "next [name=receiver]", "hx-swap": "innerHTML"}


def expected_of(referral: Referral, verb: str, *, now: datetime) -> datetime | None:
    """The time that a dialog of the way home, or of another day, begins with, on the hour; None for other dialogs."""
    if verb in ("receive_back", "agree_day", "agree_day_there"):
        return by_day((now + timedelta(hours=25)).replace(minute=0, second=0, microsecond=0))
    if verb == "depart":
        soon = now + timedelta(hours=1)
        return soon if referral.kind == Referral.Kind.GREEN else max(referral.expected_at or now, soon)
    if verb == "postpone_back":
        return max(referral.back_expected_at or now, now) + timedelta(days=1)
    return None


def by_day(moment: datetime) -> datetime:
    """The moment, or the next morning at nine where nobody comes or visits: a proposed time, which the form lets change."""
    local = timezone.localtime(moment)
    if _OPENS <= local.hour < _CLOSES:
        return moment
    morning = local.replace(hour=_MORNING, minute=0)
    return morning if local.hour < _OPENS else morning + timedelta(days=1)


def initial_of(referral: Referral) -> dict[str, Any]:
    """Where the agreed proposal, or the draft, sends the patient; else what the plan needs."""
    proposal = down_queries.agreed_proposal(referral_id=referral.pk)
    if proposal is not None:
        return {"aim": proposal.aim, "receiver": proposal.receiver_id}
    if referral.goes_to:
        return {"aim": referral.goes_to, "receiver": referral.receiver_id or default_receiver(referral)}
    disease = down_rules.disease_of(referral.discharge_code, referral.discharge_diagnosis)
    aim, _why = down_aims.propose(skills=down_rules.needs_of(disease, []).skills, said={})
    found = receivers(referral, aim=aim)
    return {"aim": aim, "receiver": found[0][0] if found else None}


def receivers(
    referral: Referral, *, aim: str, medicines: Sequence[Mapping[str, str]] | None = None
) -> list[tuple[int, str]]:
    """The units that may take over for an aim, those that can do what the plan needs first and near home on top, each with what it lacks; the clinic's without a known aim.

    `medicines` are the lines of a plan that is being written; None takes the plan as it was kept.
    """
    aim = aim if aim in down_aims.AIMS else down_aims.CLINIC
    if medicines is None:
        medicines = planned(referral)
    diagnosis = referral.discharge_diagnosis or referral.impression
    disease = down_rules.disease_of(referral.discharge_code or referral.impression_code, diagnosis)
    needs = down_rules.needs_of(disease, medicines, aim=aim)
    home = organizations.get(organization_id=default_receiver(referral) or referral.source_id)
    if referral.direction == Referral.Direction.DOWN:
        home = referral.resident.organization
    besides = tuple(one for one in (referral.target_id,) if one)
    found = down_queries.receivers_for(home=home, needs=needs, besides=besides)[:_LISTED]
    names = dict(needs.medicines)
    shelf = shelf_names(one.substitutes for one in found)
    rows = [(one.unit.id, f"{one.unit.name}{_note(one, names, shelf)}") for one in found]
    if aim == down_aims.CLINIC and home.kind == "hospital" and home.id != referral.target_id:
        # A hospital that sent its patient up has the patient back.
        rows.insert(0, (home.id, home.name))
    return rows


def planned(referral: Referral) -> list[dict[str, str]]:
    """The medicines of the plan: as the ward wrote it, else as the agreed proposal drafted it; [] for neither."""
    plan = getattr(referral, "plan", None)
    if plan is not None:
        return list(plan.medicines)
    proposal = down_queries.agreed_proposal(referral_id=referral.pk)
    return list(proposal.plan.get("medicines", [])) if proposal is not None else []


def _note(one: Weighed, names: dict[str, str], shelf: dict[str, str]) -> str:
    if not one.unit.accepts:
        return _("（暂不承接）")
    lacks = listed(missing_words(text, names) for text in one.lacks)
    if lacks:
        return _("（缺：%(lacks)s）") % {"lacks": lacks}
    swaps = clauses(substitute_words(one.substitutes, names, shelf))
    return f"（{swaps}）" if swaps else ""


def expected_text(referral: Referral) -> tuple[str, str] | None:
    """What is agreed while the patient is expected: the title and when; None in other states."""
    if referral.state != "expected_back" or referral.back_expected_at is None:
        return None
    aim = down_aims.AIMS[referral.goes_to]
    return f"{_(aim.text)} · {_(aim.expects)}", moment_short(timezone.localtime(referral.back_expected_at))


def _in_bed(referral: Referral) -> bool:
    return bool(down_aims.AIMS[referral.goes_to].wards) if referral.goes_to else False
