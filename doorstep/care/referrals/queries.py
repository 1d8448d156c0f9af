"""Reads of referrals and follow-ups. What the actor may not see is not there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.core import signing
from django.db.models import F, Min, Q
from django.utils.translation import gettext as _

from doorstep.care.referrals.down_aims import CARE_HOME
from doorstep.care.referrals.models import FollowUp, RecoveryPlan, Referral
from doorstep.care.referrals.states import BEFORE_ARRIVAL, OPEN_AT_TARGET
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.database.calls import typeless
from doorstep.kernel.database.remembered import Remembered, ask
from doorstep.kernel.record import queries as record
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Identifier
from doorstep.people.workforce.models import Post

_SALT = "referral-qr"
_SALT_HOME = "referral-way-home"
_QR_DAYS = 60
RETURN = CareRelationship.Reason.RETURN
# Follow-ups that somebody still has to do.
OPEN_FOLLOW_UPS = ("planned", "due", "missed")
_MAY_ARRIVE = ("submitted", "submitted_green", "offered", "accepted", "on_the_way", "not_arrived")
_WAITING = ("submitted", "submitted_green")
# Open referrals of one person that are looked at together.
_AT_ONCE = 20
_REVIEWING = ("village_doctor", "family_doctor", "township_duty", "specialist", "lead_duty")
_WITH = ("source", "target", "department", "receiver", "referrer", "reviewer", "attending")


def get(*, key: UUID | str, actor: Actor) -> Referral:
    """The referral with this key; raises NotFound when there is none or it is not the actor's. The look is audited."""
    found = _BY_KEY.one(key)
    if found is None:
        raise NotFound()
    record.note_look(resident_id=found.resident_id, actor=actor, subject=found.subject, action="referral.view")
    return found


# Nine tables: to plan it takes the database longer than to answer it.
_BY_KEY = Remembered(
    lambda key: Referral.objects.select_related(*_WITH, "plan__written_by").filter(key=key).order_by("id")[:1]
)


def get_for_act(*, key: UUID, actor: Actor) -> Referral:
    """The referral with this key, locked for an act that follows in this transaction; raises NotFound like `get`.

    Nothing of it is shown by this: the act's own entry in the trail names the resident. Whoever shows it notes the look.
    """
    return workflow.take(Referral, key=key)


def note_look(*, referral: Referral, actor: Actor) -> None:
    """Note that a referral which was read for an act is shown after all."""
    record.note_look(resident_id=referral.resident_id, actor=actor, subject=referral.subject, action="referral.view")


def plan_of(*, referral: Referral) -> RecoveryPlan | None:
    """The recovery plan of a referral, when there is one."""
    return RecoveryPlan.objects.filter(referral=referral).select_related("written_by").first()


def follow_ups_of(*, referral: Referral) -> list[FollowUp]:
    """The follow-ups of a referral by their day."""
    return list(FollowUp.objects.filter(referral=referral).select_related("done_by", "unit").order_by("day"))


def still_open(follow_ups: Iterable[FollowUp]) -> list[FollowUp]:
    """Those of a plan that somebody still has to do, in their order."""
    return [one for one in follow_ups if one.state in OPEN_FOLLOW_UPS]


def next_follow_ups(*, referral_ids: Iterable[int]) -> dict[int, date]:
    """The day of the next follow-up that somebody still has to do, by referral, in one query."""
    rows = FollowUp.objects.filter(referral_id__in=list(referral_ids), state__in=OPEN_FOLLOW_UPS)
    return dict(rows.order_by("referral_id").values_list("referral_id").annotate(Min("due_on")))


def get_follow_up(*, key: UUID | str, actor: Actor) -> FollowUp:
    """The follow-up with this key; raises NotFound like `get`."""
    found = FollowUp.objects.select_related("referral", "referral__target", "unit", "done_by").filter(key=key).first()
    if found is None:
        raise NotFound()
    record.note_look(resident_id=found.resident_id, actor=actor, subject=found.subject, action="follow-up.view")
    return found


def may_follow(follow_up: FollowUp, *, actor: Actor) -> list[Organization]:
    """The units into whose hands the actor may give a follow-up: the receiver and the village clinics below it; [] for who works for one alone."""
    receiver = follow_up.referral.receiver_id
    if receiver is None or not actor.reaches(receiver):
        return []
    below = Organization.objects.filter(parent_id=receiver, kind="village-clinic", id__in=actor.reach).order_by("name")
    return [*Organization.objects.filter(pk=receiver), *below]


def list_follow_ups(*, actor: Actor, state: str = "", after: str = "", limit: int = 50) -> tuple[list[FollowUp], str]:
    """The follow-ups of the actor's units by their day, open ones unless a state is asked for; and where the next page begins."""
    rows = FollowUp.objects.filter(unit_id__in=actor.reach).select_related("referral", "unit")
    rows = rows.filter(state=state) if state else rows.filter(state__in=OPEN_FOLLOW_UPS)
    day, _mark, number = after.partition("_")
    try:
        begins, last = date.fromisoformat(day), int(number)
    except ValueError:
        found = list(rows.order_by("due_on", "id")[: limit + 1])
    else:
        further = rows.filter(Q(due_on__gt=begins) | Q(due_on=begins, id__gt=last))
        found = list(further.order_by("due_on", "id")[: limit + 1])
    shown = found[:limit]
    return shown, f"{shown[-1].due_on.isoformat()}_{shown[-1].pk}" if len(found) > limit else ""


def reads_whole(referral: Referral, *, actor: Actor) -> bool:
    """Whether a referral lets this person's units read the whole record; a care home that takes a patient over reads the packet alone."""
    if actor.reaches(referral.source_id):
        return True
    nurses = referral.goes_to == CARE_HOME and not actor.reaches(referral.target_id)
    return referral.whole_record and not nurses


def list_of_resident(*, resident_id: int, actor: Actor, limit: int = 20) -> list[Referral]:
    """A resident's referrals, newest first, with what is owed for each: for the resident's own phone page."""
    units = ("source", "target", "department", "receiver", "booking__slot", "debt")
    rows = Referral.objects.filter(resident_id=resident_id).select_related(*units)
    return list(rows.order_by("-created_at")[:limit])


def place_of(referral: Referral) -> Booking | None:
    """The booked place of a referral while it stands, as far as the actor may see it."""
    found = referral.booking
    return found if found is not None and found.state == "booked" else None


def booked_before(referral: Referral) -> Booking | None:
    """The place that was booked with the referral and stands while the answer is awaited, or another place is offered; None for none."""
    return place_of(referral) if referral.state in (*_WAITING, "offered") else None


def may_choose_day(referral: Referral) -> bool:
    """Whether the patient chooses another time alone: having missed the first, or before it where it is no emergency."""
    return referral.state == "not_arrived" or (referral.state == "accepted" and referral.kind == Referral.Kind.ORDINARY)


def by_origin(*, origin: str, actor: Actor) -> Referral | None:
    """The referral that was sent last because of this subject ("ecg-order/<key>"), else its newest draft, as far as the actor may see it."""
    rows = Referral.objects.filter(origin=origin).select_related("target")
    return rows.order_by(F("submitted_at").desc(nulls_last=True), "-created_at").first()


def waiting_for(*, resident_id: int) -> list[Referral]:
    """The referrals of a resident that were sent and wait for the patient, as far as the actor may see them."""
    found = Referral.objects.filter(resident_id=resident_id, state__in=BEFORE_ARRIVAL).select_related("resident")
    return list(found.order_by("id")[:_AT_ONCE])


def by_subject(*, subject: str) -> Referral | None:
    """The referral that an event calls "referral/<key>", as far as the actor may see it; None for what is no referral's name."""
    kind, _sign, key = subject.partition("/")
    try:
        return _BY_SUBJECT.one(UUID(key)) if kind == "referral" else None
    except ValueError:
        return None


# Asked for whoever is told of a step.
_BY_SUBJECT = Remembered(lambda key: Referral.objects.select_related(*_WITH).filter(key=key).order_by("id")[:1])


# Whether what a form names may be named: units of these kinds, doctors with such a post, departments and experts of the target.
_NAMED = """
SELECT (SELECT name FROM organizations_organization WHERE id = %(target)s::bigint AND id <> %(source)s::bigint AND kind = ANY (%(kinds)s)),
       (SELECT person.name FROM workforce_post post JOIN workforce_practitioner person ON person.id = post.practitioner_id
         WHERE person.id = %(reviewer)s::bigint AND post.organization_id = ANY (%(units)s::bigint[]) AND post.role = ANY (%(reviewing)s)
           AND post.period @> %(day)s::date LIMIT 1),
       (SELECT name FROM organizations_department
         WHERE id = %(department)s::bigint AND organization_id = %(target)s::bigint AND closed_on IS NULL),
       (SELECT person.name FROM workforce_post post JOIN workforce_practitioner person ON person.id = post.practitioner_id
         WHERE person.id = %(expert)s::bigint AND post.organization_id = %(target)s::bigint AND post.role = 'specialist'
           AND post.period @> %(day)s::date LIMIT 1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a posted form names: ids, None for what it leaves out."""

    target_id: int | None
    reviewer_id: int | None
    department_id: int | None
    expert_id: int | None


def names_of(
    *, named: Named, source: Organization, kinds: Iterable[str], day: date
) -> dict[str, list[tuple[int, str]]]:
    """The names of those that the form may name, by field, in one query; the others are left out."""
    ids = {name: getattr(named, f"{name}_id") for name in ("target", "reviewer", "department", "expert")}
    units = [one for one in (source.pk, source.parent_id) if one is not None]
    facts = {
        **ids,
        "source": source.pk,
        "kinds": list(kinds),
        "units": units,
        "reviewing": list(_REVIEWING),
        "day": day,
    }
    row = ask(_NAMED, {name: typeless(value) for name, value in facts.items()})[0]
    return {
        f"{field}_id": [(ids[field], name)] if name is not None else []
        for field, name in zip(("target", "reviewer", "department", "expert"), row, strict=True)
    }


def open_at_target(*, resident_id: int, target_id: int, besides: int | None) -> Referral | None:
    """An open referral of the resident to this unit, other than the one with id `besides`."""
    return (
        Referral.objects.filter(resident_id=resident_id, target_id=target_id, state__in=OPEN_AT_TARGET)
        .exclude(pk=besides or 0)
        .select_related("target")
        .first()
    )


def reviewers(*, organization_ids: list[int], day: date) -> list[tuple[int, str]]:
    """The doctors who may review a referral: those of the sending unit and of the unit above it."""
    posts = Post.objects.filter(
        organization_id__in=organization_ids,
        role__in=_REVIEWING,
        period__contains=day,
    ).select_related("practitioner", "organization")
    return list(
        {
            post.practitioner_id: (post.practitioner_id, f"{post.practitioner.name}（{post.organization.name}）")
            for post in posts.order_by("organization__tier", "id")[:60]
        }.values()
    )


def qr_token(*, referral: Referral) -> str:
    """The signed text of the QR code: no personal data, only the signed key."""
    return signing.dumps(referral.key.hex, salt=_SALT)


def way_home_token(*, referral: Referral) -> str:
    """The signed text of the QR code of the 回转单: it opens the case at whoever takes the patient back, and checks in nowhere."""
    return signing.dumps(referral.key.hex, salt=_SALT_HOME)


def coming_home(*, token: str, actor: Actor) -> Referral | None:
    """The case behind the code of a 回转单 that was handed back to the actor's unit; None for a text that is no such code.

    Raises NotFound for the paper of a patient who goes to another unit.
    """
    try:
        key = signing.loads(token.strip(), salt=_SALT_HOME, max_age=_QR_DAYS * 86_400)
    except signing.BadSignature:
        return None
    found = Referral.objects.filter(key=key, receiver_id__in=actor.reach, handed_back_at__isnull=False).first()
    if found is None:
        raise NotFound(_("这张回转单不是转给本单位的，请核对单上的承接机构。"))
    return found


def from_token(*, token: str, actor: Actor) -> Referral:
    """The referral behind a scanned code; raises Refused for a code that is not ours, altered or too old."""
    try:
        key = signing.loads(token.strip(), salt=_SALT, max_age=_QR_DAYS * 86_400)
    except signing.BadSignature as error:
        raise Refused(
            _("二维码无法识别。"), fields={"code": _("请重新扫描转诊单上的二维码，或输入居民身份证号。")}
        ) from error
    found = Referral.objects.select_related(*_WITH).filter(key=key, target_id__in=actor.reach).first()
    if found is None:
        raise NotFound(_("这张转诊单不是转往本单位的，请核对转入医院。"))
    return found


def expected_by_number(*, number: str, actor: Actor) -> Referral:
    """The accepted referral to the actor's unit of the resident with this national id; raises NotFound."""
    index = blind_index(Identifier.Kind.NATIONAL_ID.value, number.strip().upper())
    residents = Identifier.objects.filter(kind=Identifier.Kind.NATIONAL_ID, index=index).values("resident_id")
    found = (
        Referral.objects.select_related(*_WITH)
        .filter(resident_id__in=residents, target_id__in=actor.reach, state__in=_MAY_ARRIVE)
        .order_by(F("accepted_at").desc(nulls_last=True))
        .first()
    )
    if found is None:
        raise NotFound(_("本单位没有该身份证号待报到的转诊。请核对号码，或在列表中按姓名查找。"))
    return found
