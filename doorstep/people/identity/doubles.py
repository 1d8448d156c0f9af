"""Likely doubles while somebody is being registered: who is in sight with the reasons, of others one hint and nothing else."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.people.identity.matching import Facts, Verdict, compare
from doorstep.people.residents import documents, indexes
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.residents.rules import is_whole_number, is_whole_phone, sound, spell

# How many people a unit's panel is taken for when a record is weighed: a small number shows more candidates.
PANEL = 2_000
SHOWN = 5
# So many people of one house may share a phone before it counts as a village's.
_HOUSEHOLD = 3
_LIMIT = 60
# So many characters of an address name a house; fewer are a village.
_ADDRESS = 6

REASONS: dict[tuple[str, str], Promise] = {
    ("number", "same"): _("证件号码相同"),
    ("number", "typo"): _("证件号码只差一处"),
    ("number", "different"): _("证件号码不同"),
    ("name", "same"): _("姓名相同"),
    ("name", "homophone"): _("姓名同音"),
    ("name", "near-sound"): _("姓名近音"),
    ("name", "one-character"): _("姓名差一个字"),
    ("name", "different"): _("姓名不同"),
    ("birth_date", "same"): _("出生日期相同"),
    ("birth_date", "swapped"): _("出生月日对调"),
    ("birth_date", "one-digit"): _("出生日期差一位"),
    ("birth_date", "different"): _("出生日期不同"),
    ("gender", "different"): _("性别不同"),
    ("phone", "same"): _("电话相同"),
    ("address", "same"): _("住址相同"),
    ("address", "near"): _("住址相近"),
}


class Elsewhere(StrEnum):
    """What the database says of people out of sight."""

    NONE = "none"
    LIKELY = "likely"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Double:
    """A resident in sight who may be the one who stands here."""

    resident: Resident
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    verdict: Verdict
    same_household: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Doubles in sight, the likeliest first, and the hint about others."""

    doubles: list[Double]
    elsewhere: Elsewhere


def facts_of(resident: Resident) -> Facts:
    """What a resident's record says."""
    return Facts(
        name=resident.name,
        birth_date=resident.birth_date,
        gender=resident.gender,
        number=resident.national_id or resident.document_number or "",
        phone=resident.phone,
        address=resident.address,
    )


def likely(
    *, facts: Facts, actor: Actor, leaving_out: int | None = None, mother_number: str = "", limit: int = SHOWN
) -> Found:
    """Who may be meant: among those in the actor's sight with reasons, among others only whether there is probably one.

    A number or phone counts only when it is whole; a name is compared from two characters on, together with a birth date,
    a phone or an address. The question about others is counted in the database and audited when it gives a hint.
    """
    candidates = _candidates(facts, actor)
    shares, by_old = _shares(facts), _holders_of_old(facts)
    doubles = []
    for resident in candidates:
        own = facts_of(resident)
        # A number that was this person's before is as good as the one of now.
        told = replace(facts, number=own.number) if resident.pk in by_old else facts
        verdict = compare(told, own, population=PANEL, shares=shares)
        if resident.pk != leaving_out and verdict.worth_a_look:
            doubles.append(_double(resident, verdict))
    doubles = _with_siblings(doubles, facts, mother_number)
    doubles.sort(key=lambda one: -one.verdict.weight)
    seen_number = any(one.verdict.levels.get("number") == "same" for one in doubles)
    elsewhere = Elsewhere.NONE if seen_number else _elsewhere(facts)
    if elsewhere is not Elsewhere.NONE:
        audit.record(action="resident.double-hint", actor=actor, details={"answer": elsewhere.value})
    return Found(doubles[:limit], elsewhere)


def _double(resident: Resident, verdict: Verdict) -> Double:
    told = [
        (field, code, str(REASONS[field, code])) for field, code in verdict.levels.items() if (field, code) in REASONS
    ]
    return Double(
        resident,
        tuple(text for _field, code, text in told if code != "different"),
        tuple(text for _field, code, text in told if code == "different"),
        verdict,
    )


def _candidates(facts: Facts, actor: Actor) -> list[Resident]:
    """Those in sight who share a number, a phone, the sound of the name, or the birth date with the facts."""
    ids: set[int] = set()
    wanted = _numbers(facts)
    if wanted:
        rows = Identifier.objects.filter(index__in=wanted, live=True, kind__in=[*documents.FINDING, "phone"])
        ids.update(rows.values_list("resident_id", flat=True)[:_LIMIT])
    # A name alone is no reason to stop anybody: many share it.
    if len(facts.name) > 1 and actor.record_reach and (wanted or facts.birth_date or len(facts.address) >= _ADDRESS):
        entries = PanelEntry.objects.filter(organization_id__in=actor.record_reach)
        heard = entries.filter(sound=sound(spell(facts.name).pinyin))
        ids.update(heard.values_list("resident_id", flat=True)[:_LIMIT])
        if facts.birth_date is not None:
            born = entries.filter(resident__birth_date=facts.birth_date, name__startswith=facts.name[0])
            ids.update(born.values_list("resident_id", flat=True)[:_LIMIT])
    return list(residents.not_merged().select_related("organization").filter(id__in=ids).order_by("id"))


def _holders_of_old(facts: Facts) -> set[int]:
    """Those in sight whose number this was before."""
    if not _is_whole(facts.number):
        return set()
    old = Identifier.objects.filter(kind__in=(documents.OLD_ID, documents.OLD_DOCUMENT), live=True)
    return set(old.filter(index=indexes.number_index(facts.number)).values_list("resident_id", flat=True))


def _shares(facts: Facts) -> dict[str, float]:
    """How common the phone is among those in sight: a village's one phone says little of who somebody is."""
    if not is_whole_phone(facts.phone):
        return {}
    holders = Identifier.objects.filter(index=indexes.phone_index(facts.phone), kind="phone", live=True).count()
    return {"phone": max(holders - 1, 0) / PANEL} if holders > _HOUSEHOLD else {}


def _with_siblings(doubles: list[Double], facts: Facts, mother_number: str) -> list[Double]:
    """Also children in sight who were registered on the same mother's number and day: the child itself, or its twin.

    Those too who have their own number since: the same child is easily registered again on the mother's.
    """
    if not mother_number or facts.birth_date is None:
        return doubles
    keys = [indexes.child_index(mother_number, facts.birth_date, order) for order in range(1, 10)]
    rows = residents.not_merged().select_related("organization")
    found = rows.filter(identifiers__index__in=keys, identifiers__kind="mother-id").distinct()
    children = {one.pk: one for one in found.order_by("id")}
    reason = str(_("同一位母亲、同一天出生"))
    known = [
        replace(one, reasons=(reason, *one.reasons), same_household=True) if one.resident.pk in children else one
        for one in doubles
    ]
    listed = {one.resident.pk for one in doubles}
    return known + [
        Double(one, (reason,), (), compare(facts, facts_of(one), population=PANEL), same_household=True)
        for number, one in children.items()
        if number not in listed
    ]


def _numbers(facts: Facts) -> list[UUID]:
    found = []
    if _is_whole(facts.number):
        found.append(indexes.number_index(facts.number))
    if is_whole_phone(facts.phone):
        found.append(indexes.phone_index(facts.phone))
    return found


def _is_whole(number: str) -> bool:
    return bool(number) and (is_whole_number(number) or documents.is_whole_document(number))


def _elsewhere(facts: Facts) -> Elsewhere:
    number = indexes.number_index(facts.number) if _is_whole(facts.number) else None
    phone = indexes.phone_index(facts.phone) if is_whole_phone(facts.phone) else None
    proof = indexes.phone_proof_index(facts.name, facts.phone[-4:]) if phone and facts.name else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_known_elsewhere(%s, %s, %s, %s)", [number, phone, proof, facts.birth_date])
        return Elsewhere(cursor.fetchone()[0])
