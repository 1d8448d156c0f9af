"""What the pages of discharge and of going home show."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_aims, down_queries, down_rules, packet_queries, rules, stock_sheet, texts
from doorstep.care.referrals.long_term import LongTerm, standing
from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.presenters import asking, homeward
from doorstep.care.referrals.presenters.words import criteria_now, criteria_rows, english
from doorstep.care.referrals.problems import problem_facts
from doorstep.care.referrals.record_facts import Known, age_on, down_facts, known_of
from doorstep.coordination.beds import queries as beds
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.terminology import queries as terminology
from doorstep.kernel.web.addressing import url
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.residents.models import Resident

_WHY = Referral.BackReason
# Why a ward keeps a patient, the likeliest first; a unit has its own reasons, and nobody has been waited for yet.
_OF_THE_WARD = (
    _WHY.NOT_STABLE,
    _WHY.PATIENT_REFUSES,
    _WHY.PLAN_UNCLEAR,
    _WHY.NO_MEDICINE,
    _WHY.NO_SKILL,
    _WHY.FAR_FROM_HOME,
    _WHY.OTHER,
)
_OF_THE_UNIT = tuple(one for one in _WHY if one != _WHY.NOT_COME)
_TONES = {"proposed": "warn", "asked": "info", "agreed": "ok", "refused": "neutral", "lapsed": "neutral"}


def fill_receivers(form: Any, referral: Referral, rows: Sequence[Mapping[str, str]]) -> None:
    """Give the form the units that may take over for its aim with the medicines of its rows, near home first; another aim brings its own along."""
    field = form.fields["receiver"]
    if referral.state != "draft" or not isinstance(field, forms.TypedChoiceField):
        return
    found = homeward.receivers(referral, aim=str(form["aim"].value() or ""), medicines=rows)
    field.choices = [("", "—"), *((str(key), name) for key, name in found)]
    picks = homeward.picks(url("referrals:receivers", referral.key))
    # The plan of this form counts, not the one that was drafted.
    form.fields["aim"].widget.attrs |= picks | {"hx-include": "[name=medicine_code], [name=medicine_name]"}


def known_now(referral: Referral, *, actor: Actor) -> Known:
    """What the record says while the plan is written; the look is audited. Who sees the packet alone has its medicines."""
    known = known_of(resident_id=referral.resident_id, origin_reference="", actor=actor)
    if known.long_term or referral.whole_record or actor.reaches(referral.source_id):
        return known
    return replace(known, long_term=packet_queries.long_term_of(referral=referral))


def target_of(known: Known, referral: Referral) -> tuple[int, int] | None:
    """The pressure in mmHg that the plan begins with; None for children."""
    day = timezone.localdate()
    problems = [*known.problems, (referral.impression_code, referral.impression, day)]
    return rules.target_of(age_on(referral.patient_birth_date, day), diabetes="diabetes" in problem_facts(problems))


def long_term_rows(known: Known, rows: list[dict[str, str]]) -> dict[str, Any]:
    """The long-term medicines of the record: how each stands to the plan, and the address that brings it, or all that are open, into it."""
    medicines = down_queries.long_term_of(known)
    groups = down_queries.groups_of() if medicines else {}
    stands = [(one, *standing(one, rows, groups=groups)) for one in medicines]
    return {
        "rows": [
            {"one": one, "state": state, "other": other, "address": _rows_address([one])}
            for one, state, other in stands
        ],
        "all": _rows_address([one for one, state, _other in stands if state == "open"]),
    }


def _rows_address(medicines: list[LongTerm]) -> str:
    """The address of these medicines as rows of the plan; "" for none."""
    pairs = [(f"medicine_{name}", value) for one in medicines for name, value in one.line().items()]
    return f"{reverse('referrals:medicine-row')}?{urlencode(pairs)}" if pairs else ""


def down_criteria(known: Known, form: Any, rows: list[dict[str, str]], *, referral: Referral) -> list[dict[str, Any]]:
    """The criteria of going home on what the form, the ward's last round and the record say."""
    diagnosis = str(form["diagnosis"].value() or "")
    disease = down_rules.disease_of(str(form["diagnosis_code"].value() or ""), diagnosis)
    stay = beds.open_stay_of(resident_id=referral.resident_id)
    if stay is not None:
        # What was measured before the admission says nothing of how the patient is now.
        known = down_queries.since_admission(known, stay)
    facts = down_facts(known, said=stay.rounds if stay else {}, day=(stay and stay.round_on) or timezone.localdate())
    said = {
        "diagnosis": diagnosis or None,
        "medicine_lines": len(rows),
        "follow_ups": len(form["follow_up_days"].value() or []),
    }
    facts |= down_facts(replace(known, measured={}), said=said, day=timezone.localdate())
    return criteria_now(down_rules.judge_home(disease, facts))


def state_of(proposal: DownProposal) -> tuple[str, str]:
    """The state of a proposal in words, and its tone."""
    state = proposal.machine.state(proposal.state)
    return (state.en if english() else state.zh), _TONES[proposal.state]


def lines_of(rows: list[DownProposal]) -> list[dict[str, Any]]:
    """The lines of the list of proposals, each with the clock of whoever is asked."""
    clocks = worklist.clocks_of(kinds={f"down-proposal.{one.state}" for one in rows}, item_ids=[one.pk for one in rows])
    return [
        {
            "row": one,
            "state": state_of(one),
            "disease": _(down_queries.disease_name(one.disease)),
            "clock": clocks.get(one.pk, (None, None)),
        }
        for one in rows
    ]


def proposal_of(proposal: DownProposal, *, actor: Actor, aim: str = "") -> dict[str, Any]:
    """Everything that the page of one proposal shows, for the ward and for the receiver; for the ward with the units as they are now, of another `aim` too."""
    wards = actor.reaches(proposal.hospital_id) and actor.may("REFERRAL_TREAT")
    asked = proposal.state == "proposed" and wards
    looked = aim if asked and aim in down_aims.AIMS and aim != proposal.aim else proposal.aim
    needs, units = proposal.needs, proposal.choices
    if asked:
        wanted, weighed = down_queries.weighed_for(proposal, aim=looked)
        needs, units = down_queries.as_needs(wanted), down_queries.as_choices(weighed)
    choices = asking.choices_of(proposal, units, needs)
    shown, folded = asking.shown_and_folded(choices, own=None if wards else actor.reach)
    return {
        "row": proposal,
        "gender": _(str(Resident.Gender(proposal.patient_gender).label)) if proposal.patient_gender else "",
        "stay": url("beds:stay", proposal.stay_key) if wards else "",
        "record": url("residents:detail", proposal.resident_key) if wards else "",
        "aim": looked,
        "aim_text": homeward.aim_text(looked),
        "aims": homeward.aims(),
        "why": _(proposal.aim_reason) if proposal.aim_reason and looked == proposal.aim else "",
        "state": state_of(proposal),
        "disease": _(down_queries.disease_name(proposal.disease)),
        "criteria": criteria_rows(proposal.criteria),
        "skills": [_(down_rules.SKILLS.get(one, one)) for one in needs.get("skills", [])],
        "choices": choices,
        "shown": shown,
        "folded": folded,
        # Asked, and each of them has refused or let it lie: the form would ask the same unit once more.
        "all_refused": bool(able := [one for one in choices if one["askable"]])
        and all(one["past"] or one["tone"] == "neutral" for one in able),
        "offered": asking.offered(choices, proposal),
        "picked": asking.picked(choices, proposal),
        "named": asking.named(proposal),
        "clock": worklist.clocks_of(kinds={"down-proposal.asked"}, item_ids=[proposal.pk]).get(proposal.pk),
        "plan": proposal.plan,
        "frequencies": texts.FREQUENCIES,
        "ward_side": asked,
        "ward_waits": wards and proposal.state == "asked",
        "discharges": wards,
        "receiver_side": proposal.state == "asked"
        and actor.reaches(proposal.receiver_id)
        and actor.may("REFERRAL_RECEIVE_BACK"),
        "reasons": [(str(one.value), _(str(one.label))) for one in (_OF_THE_WARD if asked else _OF_THE_UNIT)],
        "relations": [(code, _(text)) for code, text in texts.RELATIONS.items()],
        # Of a child the parent's name is asked for.
        "alone": not asked or texts.signs_alone(age_on(proposal.resident.birth_date, timezone.localdate())),
        "refusals": asking.refusals(proposal),
        "ward_words": asking.ward_words(proposal, actor=actor),
    }


def stock_file(*, organization_id: int) -> bytes:
    """A unit's count as a file; without one every medicine of the list with nothing in stock."""
    lines = [
        (one.code, one.name, one.quantity, one.unit) for one in down_queries.stock_of(organization_id=organization_id)
    ]
    every = terminology.every(system=down_queries.MEDICINES) if not lines else []
    return stock_sheet.write(lines or [(one.code, one.zh, 0, _("盒")) for one in every])
