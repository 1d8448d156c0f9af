"""Writing organisations: a unit and its place in the tree, its departments, its end. Membership is in `memberships`.

Whoever manages acts on units within reach. A unit is put and moved only below units within reach, and nobody moves the own
unit: the tree is what reach is made of.
"""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record
from doorstep.people.organizations.events import OrganizationChanged, OrganizationClosed, OrganizationFounded
from doorstep.people.organizations.models import Change, Department, Organization
from doorstep.people.organizations.permissions import Permission
from doorstep.people.organizations.published import location_resource, organization_resource
from doorstep.people.organizations.rules import is_code, is_credit_code, position_faults, tier_of

# Two moves at once could close a circle: they take turns.
_TREE_LOCK = 7_015_201
_MOVE = """
UPDATE organizations_organization SET path = %(above)s::bigint[] || path[array_position(path, %(unit)s::bigint):]
 WHERE path @> ARRAY[%(unit)s]::bigint[]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What a unit is: `level` as printed, position in degrees, opened on a day."""

    code: str
    name: str
    kind: str
    name_en: str = ""
    level: str = ""
    credit_code: str = ""
    division_code: str = ""
    address: str = ""
    phone: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    opened_on: date | None = None


@transaction.atomic
def found(*, facts: UnitFacts, parent_id: int | None, actor: Actor) -> Organization:
    """Enter a unit below another within reach; without a parent only the system itself does (a new installation)."""
    actor.check(Permission.ORGANIZATION_MANAGE)
    if parent_id is None and not actor.is_system:
        raise Refused(_("请选择上级单位。"), fields={"parent": _("请选择上级单位。")})
    above = _parent(parent_id, actor)
    _check(facts)
    _lock_tree()
    unit = Organization(parent=above, tier=tier_of(kind=facts.kind, level=facts.level), **asdict(facts))
    _save(unit)
    unit.path = [*(above.path if above else []), unit.pk]
    unit.save(update_fields=["path"])
    _trace(unit, OrganizationFounded, {}, actor, reason="")
    return unit


@transaction.atomic
def change(*, unit: Organization, facts: UnitFacts, parent_id: int | None, reason: str, actor: Actor) -> Organization:
    """Change a unit's facts or its place in the tree; what was before stays in its history.

    Raises Refused when the new parent lies below the unit, or when somebody would move the own unit.
    """
    _check_reach(unit, actor)
    _check(facts)
    _lock_tree()
    unit.refresh_from_db()
    before = _facts_of(unit)
    moved = parent_id != unit.parent_id
    if moved:
        _check_move(unit, parent_id, actor)
    for name, value in asdict(facts).items():
        setattr(unit, name, value)
    unit.tier = tier_of(kind=facts.kind, level=facts.level)
    unit.parent_id = parent_id
    _save(unit)
    if moved:
        above = Organization.objects.get(id=parent_id).path if parent_id else []
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, {"above": above, "unit": unit.pk})
        unit.refresh_from_db()
    _trace(unit, OrganizationChanged, before, actor, reason=reason)
    return unit


@transaction.atomic
def close(*, unit: Organization, closed_on: date, reason: str, actor: Actor) -> Organization:
    """Close a unit on a day, with the reason; not the own one, and none with open units below."""
    _check_reach(unit, actor)
    if unit.pk == actor.organization_id:
        raise Refused(_("不能停办自己所在的单位，请由上级办理。"))
    if not reason.strip():
        raise Refused(_("请填写原因。"), fields={"reason": _("请写明停办原因，例如“合并”“撤销”。")})
    if unit.opened_on and closed_on <= unit.opened_on:
        raise Refused(
            _("日期有误。"), fields={"closed_on": _("停办日须晚于开办日 %(day)s。") % {"day": unit.opened_on}}
        )
    if unit.children.filter(closed_on__isnull=True).exists():
        raise Refused(
            _("还有未停办的下属单位。"), fields={"closed_on": _("请先停办下属单位，或把它们调整到其他上级。")}
        )
    before = _facts_of(unit)
    unit.closed_on = closed_on
    unit.save(update_fields=["closed_on"])
    _trace(unit, OrganizationClosed, before, actor, reason=reason)
    return unit


@transaction.atomic
def add_department(*, unit: Organization, code: str, name: str, name_en: str = "", actor: Actor) -> Department:
    """Add a department; raises Refused when its code is taken in the unit."""
    _check_reach(unit, actor)
    faults = {}
    if not name.strip():
        faults["name"] = _("请填写科室名称。")
    if not is_code(code.strip()):
        faults["code"] = _("科室代码为 2 至 30 位字母、数字或横线。")
    if faults:
        raise Refused(_("科室有内容需要更正，没有保存。"), fields=faults)
    try:
        with transaction.atomic():
            made = Department.objects.create(
                organization=unit, code=code.strip(), name=name.strip()[:80], name_en=name_en.strip()[:120]
            )
    except IntegrityError as error:
        raise Refused(_("科室代码重复。"), fields={"code": _("本单位已有这个科室代码，请换一个。")}) from error
    _note(unit, {"department": ["", made.name]}, actor, reason="")
    return made


@transaction.atomic
def close_department(*, department: Department, reason: str, actor: Actor) -> Department:
    """Close a department from today on; posts and schedules that name it keep their history."""
    unit = department.organization
    _check_reach(unit, actor)
    if department.closed_on is not None:
        raise Conflict(_("这个科室已经撤销，请刷新后查看。"))
    department.closed_on = timezone.localdate()
    department.save(update_fields=["closed_on"])
    _note(unit, {"department": [department.name, ""]}, actor, reason=reason)
    return department


def _check_reach(unit: Organization, actor: Actor) -> None:
    actor.check(Permission.ORGANIZATION_MANAGE)
    if not actor.reaches(unit.pk):
        raise NotFound()


def _parent(parent_id: int | None, actor: Actor) -> Organization | None:
    if parent_id is None:
        return None
    above = Organization.objects.filter(id=parent_id).first()
    if above is None or not actor.reaches(above.pk):
        raise NotFound()
    if above.closed_on is not None:
        raise Refused(_("上级单位已停办。"), fields={"parent": _("上级单位已停办，请选择其他单位。")})
    return above


def _check_move(unit: Organization, parent_id: int | None, actor: Actor) -> None:
    if not actor.is_system and unit.pk == actor.organization_id:
        raise Refused(_("不能调整自己所在单位的上级。"), fields={"parent": _("请由上级管理者调整。")})
    above = _parent(parent_id, actor)
    if above is None and not actor.is_system:
        raise Refused(_("请选择上级单位。"), fields={"parent": _("请选择上级单位。")})
    if above is not None and unit.pk in above.path:
        raise Refused(_("上级单位有误。"), fields={"parent": _("不能放到自己的下属单位之下。")})


def _lock_tree() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE_LOCK])


def _save(unit: Organization) -> None:
    try:
        with transaction.atomic():
            unit.save()
    except IntegrityError as error:
        sentence = _("机构代码已被其他单位使用，请核对。")
        raise Refused(sentence, fields={"code": sentence}) from error


def _check(facts: UnitFacts) -> None:
    faults: dict[str, object] = {}
    if not facts.name.strip():
        faults["name"] = _("请填写单位名称。")
    if not is_code(facts.code):
        faults["code"] = _("机构代码为 2 至 30 位字母、数字或横线。")
    if facts.kind not in Organization.Kind.values:
        faults["kind"] = _("请从列表中选择类别。")
    if facts.credit_code and not is_credit_code(facts.credit_code):
        faults["credit_code"] = _("统一社会信用代码应为 18 位且校验位相符，请逐位核对。")
    if facts.division_code and not (facts.division_code.isdecimal() and len(facts.division_code) in (6, 9, 12)):
        faults["division_code"] = _("行政区划代码为 6、9 或 12 位数字。")
    sentences = {
        "missing": _("经度和纬度要一起填写。"),
        "exchanged": _("经度和纬度好像填反了：纬度在 4 至 54 之间，经度在 73 至 136 之间。"),
        "outside": _("位置不在国内，请核对：纬度在 4 至 54 之间，经度在 73 至 136 之间。"),
    }
    faults |= {name: sentences[fault] for name, fault in position_faults(facts.latitude, facts.longitude).items()}
    if faults:
        raise Refused(_("单位信息有内容需要更正，没有保存。"), fields=faults)


def _facts_of(unit: Organization) -> dict[str, Any]:
    names = (*UnitFacts.__dataclass_fields__, "closed_on")
    parent = unit.parent.name if unit.parent else ""
    return {name: str(getattr(unit, name) if getattr(unit, name) is not None else "") for name in names} | {
        "parent": parent
    }


def _trace(unit: Organization, event: type[Event], before: dict[str, Any], actor: Actor, *, reason: str) -> None:
    unit = Organization.objects.select_related("parent").get(pk=unit.pk)
    after = _facts_of(unit)
    changed = {name: [before.get(name, ""), value] for name, value in after.items() if before.get(name, "") != value}
    record.publish(organization_resource(unit), resident_id=None, actor=actor)
    record.publish(location_resource(unit), resident_id=None, actor=actor)
    _note(unit, changed, actor, reason=reason, event=event)


def _note(
    unit: Organization,
    changed: dict[str, Any],
    actor: Actor,
    *,
    reason: str,
    event: type[Event] = OrganizationChanged,
) -> None:
    Change.objects.create(
        organization=unit,
        what=event.__name__,
        changed=changed,
        reason=reason.strip()[:200],
        by_name=actor.display_name[:80],
    )
    subject = f"organization/{unit.key}"
    details = {"changed": sorted(changed), "reason": reason.strip()[:200]}
    events.publish(
        event(
            subject=subject,
            subject_id=unit.pk,
            organization_id=unit.pk,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=details,
        )
    )
    audit.record(action=f"organization.{event.__name__}", actor=actor, subject=subject, details=details)
