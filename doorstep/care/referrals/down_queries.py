"""Reads of going home: who of the wards may, which units near home can take whom, and what was proposed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from doorstep.care.referrals import down_aims, down_rules, rules, stock
from doorstep.care.referrals.criteria import Judgement
from doorstep.care.referrals.down_rules import Needs, Unit, Weighed
from doorstep.care.referrals.long_term import LongTerm, with_codes
from doorstep.care.referrals.models import CaseQuestion, DownProposal, StockLine, UnitService
from doorstep.care.referrals.record_facts import Known, down_facts, known_of
from doorstep.coordination.beds import medicines
from doorstep.coordination.beds import queries as beds
from doorstep.coordination.beds.models import Stay
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.terminology import queries as terminology
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations.models import Organization

MEDICINES = medicines.MEDICINES
# How long a count speaks for the shelf; this house's own until a consortium sets it.
STOCK_HOLDS = timedelta(days=7)
# How many units that cannot a proposal shows beside all that can: people ask why not those.
_CANNOT = 3
_WITH = ("hospital", "receiver", "referral")
# Further than anything: the distance of a unit without coordinates.
_NOWHERE = 1e6


def judge_stay(stay: Stay, *, actor: Actor) -> tuple[str, list[Judgement]]:
    """The disease of a stay and its criteria of going home on the record and on what the ward said of the patient."""
    return judge_known(stay, known_of_stay(stay, actor=actor))


def known_of_stay(stay: Stay, *, actor: Actor) -> Known:
    """What the record knows of a patient in a bed; the look is audited."""
    return known_of(resident_id=stay.resident_id, origin_reference="", actor=actor)


def long_term_of(known: Known) -> tuple[LongTerm, ...]:
    """The long-term medicines of a record that was read, with the codes of the house's list; one query."""
    if not known.long_term:
        return ()
    return with_codes(known.long_term, known={one.code: one.zh for one in terminology.every(system=MEDICINES)})


def groups_of() -> dict[str, str]:
    """The group of substitutes of each medicine of the list."""
    return terminology.properties(system=MEDICINES, name="group")


def judge_known(stay: Stay, known: Known) -> tuple[str, list[Judgement]]:
    """The same on a record that was read already; what was measured before the admission says nothing of how the patient is now."""
    disease = down_rules.disease_of(stay.diagnosis_code, stay.diagnosis)
    said: dict[str, Any] = dict(stay.rounds)
    said["diagnosis"] = stay.diagnosis
    if stay.medicines:
        said |= {"medicine_lines": len(stay.medicines), "follow_ups": len(down_rules.FOLLOW_UPS[disease])}
    known = since_admission(known, stay)
    facts = down_facts(known, said=said, day=stay.round_on or stay.admitted_at.date())
    return disease, down_rules.judge_home(disease, facts)


def since_admission(known: Known, stay: Stay) -> Known:
    """What is known without what was measured before a stay began."""
    since = timezone.localdate(stay.admitted_at)
    measured = {name: fact for name, fact in known.measured.items() if fact.on is not None and fact.on >= since}
    return replace(known, measured=measured)


def near_first(units: Sequence[Organization], *, home: Organization, first: int | None) -> list[Organization]:
    """Units by how far they are from home, one of them in front of all."""
    return sorted(units, key=lambda one: (one.id != first, _distance(home, one), one.name))


def receivers_for(*, home: Organization, needs: Needs, besides: tuple[int, ...] = ()) -> list[Weighed]:
    """The units that may take a patient where the plan goes, weighed: what they can do, near home first; five queries."""
    own = home.parent_id if home.kind == "village-clinic" else home.id
    goes = down_aims.AIMS[needs.aim]
    units = [one for one in organizations.search(text="", kinds=goes.kinds, limit=200) if one.id not in besides]
    near = near_first(units, home=home, first=own)
    ids = [one.id for one in near]
    said = {one.organization_id: one for one in UnitService.objects.filter(organization_id__in=ids)}
    near = [one for one in near if one.kind != down_aims.HOSPITAL or one.id in said]
    ids = [one.id for one in near]
    free = beds.free_count(organization_ids=ids, kinds=goes.wards)
    groups = groups_of()
    asked = {code for code, _name in needs.medicines}
    # What may stand in for a medicine of the plan is asked for as well.
    codes = sorted(asked | {code for code, group in groups.items() if group in {groups.get(one) for one in asked}})
    stocked = stock.in_stock(organization_ids=ids, codes=codes)
    found = [
        Unit(
            id=one.id,
            name=one.name,
            near=rank,
            accepts=said[one.id].accepts if one.id in said else True,
            skills=frozenset(said[one.id].skills) if one.id in said else frozenset(),
            medicines=_medicines(said.get(one.id), stocked.get(one.id)),
            free_beds=free.get(one.id),
            km=_known(_distance(home, one)),
        )
        for rank, one in enumerate(near)
    ]
    return down_rules.weigh(found, needs, groups=groups)


def rehabilitating() -> set[int]:
    """The units that can rehabilitate: those that said so and take patients, and those with a ward for it; two queries."""
    said = UnitService.objects.filter(accepts=True, skills__contains=["rehab"])
    return {*said.values_list("organization_id", flat=True), *beds.with_wards(kind="rehab")}


def counted_stock(organization_ids: Sequence[int], codes: Sequence[str]) -> dict[int, frozenset[str]]:
    """Which of these medicines units have by their own count; a unit whose count is older than a week is unknown."""
    fresh = timezone.now() - STOCK_HOLDS
    rows = StockLine.objects.filter(organization_id__in=organization_ids, counted_at__gte=fresh)
    found: dict[int, set[str]] = {unit: set() for unit in rows.values_list("organization_id", flat=True).distinct()}
    for unit, code in rows.filter(code__in=codes, quantity__gt=0).values_list("organization_id", "code"):
        found[unit].add(code)
    return {unit: frozenset(held) for unit, held in found.items()}


def stock_of(*, organization_id: int) -> list[StockLine]:
    """A unit's count, by name."""
    return list(StockLine.objects.filter(organization_id=organization_id).order_by("name", "code"))


def as_choice(one: Weighed) -> dict[str, Any]:
    """A weighed unit as a plain row, kept with the proposal."""
    return {
        "id": one.unit.id,
        "name": one.unit.name,
        "near": one.unit.near,
        "km": one.unit.km,
        "beds": one.unit.free_beds,
        "able": one.able,
        "askable": one.askable,
        "lacks": list(one.lacks),
        "substitutes": dict(one.substitutes),
        "unknown": list(one.unknown),
    }


def weighed_for(proposal: DownProposal, *, aim: str) -> tuple[Needs, list[Weighed]]:
    """What the plan of a proposal needs for an aim, and the units that were weighed for it; raises NotFound without the stay."""
    needs = down_rules.needs_of(proposal.disease, proposal.plan.get("medicines", []), aim=aim)
    home = beds.stay_of(key=proposal.stay_key).resident.organization
    return needs, receivers_for(home=home, needs=needs, besides=(proposal.hospital_id,))


def as_choices(weighed: Sequence[Weighed]) -> list[dict[str, Any]]:
    """All units that can be asked as rows of a proposal, the first of the others, and the one nearest home among them whatever it lacks:
    people ask about it first."""
    able = [one for one in weighed if one.askable]
    shown = [*able, *[one for one in weighed if not one.askable][:_CANNOT]]
    nearest = min(weighed, key=lambda one: one.unit.near, default=None)
    if nearest is not None and nearest not in shown:
        shown[-1] = nearest
    return [as_choice(one) for one in shown]


def as_needs(needs: Needs) -> dict[str, Any]:
    """The needs as a plain row; the aim stands in a column of its own."""
    return {
        "bed": needs.bed,
        "skills": list(needs.skills),
        "medicines": [list(pair) for pair in needs.medicines],
        "unlisted": list(needs.unlisted),
    }


def list_proposals(*, actor: Actor, ended: bool = False, limit: int = 50) -> list[DownProposal]:
    """The proposals of the actor's wards and those asked of the actor's units, newest first."""
    rows = DownProposal.objects.select_related(*_WITH)
    states = ("agreed", "refused", "lapsed") if ended else ("proposed", "asked")
    # What came back to the ward is the ward's again, whoever was asked last.
    mine = Q(hospital_id__in=actor.reach) | Q(receiver_id__in=actor.reach) & ~Q(state="proposed")
    return list(rows.filter(mine, state__in=states).order_by("-state_since")[:limit])


def get_proposal(*, key: UUID | str) -> DownProposal:
    """The proposal with this key, as far as the actor may see it; raises NotFound."""
    found = DownProposal.objects.select_related(*_WITH).filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def agreed_proposal(*, referral_id: int) -> DownProposal | None:
    """The newest proposal of a referral to which both sides agreed: its plan and its receiver fill in the discharge."""
    rows = DownProposal.objects.filter(referral_id=referral_id, state="agreed").select_related("receiver")
    return rows.order_by("-answered_at").first()


def service_of(*, organization_id: int) -> UnitService | None:
    """What a unit said that it can do, None when it has not."""
    return UnitService.objects.filter(organization_id=organization_id).first()


def questions_of(*, referral_id: int) -> list[CaseQuestion]:
    """The questions on a case with their answers, oldest first."""
    rows = CaseQuestion.objects.filter(referral_id=referral_id)
    return list(rows.select_related("asker", "answerer", "asked_by", "answered_by").order_by("created_at"))


def get_question(*, key: UUID | str) -> CaseQuestion:
    """The question with this key; raises NotFound."""
    return _question(key=key)


def question_by_id(*, question_id: int) -> CaseQuestion:
    """The question that a task names; raises NotFound."""
    return _question(pk=question_id)


def _question(**by: Any) -> CaseQuestion:
    found = CaseQuestion.objects.select_related("referral", "asker", "answerer").filter(**by).first()
    if found is None:
        raise NotFound()
    return found


def skill_names() -> dict[str, str]:
    """What a unit may be able to do, by code."""
    return dict(down_rules.SKILLS)


def disease_name(disease: str) -> str:
    """A disease in words."""
    return rules.DISEASES.get(disease, disease)


def _medicines(said: UnitService | None, stocked: frozenset[str] | None) -> frozenset[str] | None:
    if stocked is not None:
        return stocked
    return frozenset(said.medicines) if said is not None and said.medicines else None


def _known(km: float) -> float | None:
    return round(km, 1) if km < _NOWHERE else None


def _distance(one: Organization, other: Organization) -> float:
    """Kilometres between two units as the crow flies; units without coordinates come last."""
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return _NOWHERE
    first, second = (radians(float(unit.latitude or 0)) for unit in (one, other))
    apart = radians(float(other.longitude or 0) - float(one.longitude or 0))
    part = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * sin(apart / 2) ** 2
    return 12_742 * asin(sqrt(part))
