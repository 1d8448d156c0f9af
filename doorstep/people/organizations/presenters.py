"""The history of a unit in words."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorstep.people.organizations.models import Change, Membership, Organization

_WHAT = {
    "OrganizationFounded": gettext_lazy("登记单位"),
    "OrganizationChanged": gettext_lazy("变更信息"),
    "OrganizationClosed": gettext_lazy("停办"),
    "MembershipBegan": gettext_lazy("加入医共体"),
    "MembershipEnded": gettext_lazy("退出医共体"),
}
_FIELDS = {
    "code": gettext_lazy("机构代码"),
    "name": gettext_lazy("单位名称"),
    "kind": gettext_lazy("类别"),
    "name_en": gettext_lazy("英文名称"),
    "level": gettext_lazy("等级"),
    "credit_code": gettext_lazy("统一社会信用代码"),
    "division_code": gettext_lazy("行政区划代码"),
    "address": gettext_lazy("地址"),
    "phone": gettext_lazy("电话"),
    "latitude": gettext_lazy("纬度"),
    "longitude": gettext_lazy("经度"),
    "opened_on": gettext_lazy("开办日"),
    "closed_on": gettext_lazy("停办日"),
    "parent": gettext_lazy("上级单位"),
    "department": gettext_lazy("科室"),
    "consortium": gettext_lazy("医共体"),
    "part": gettext_lazy("身份"),
    "from": gettext_lazy("加入日"),
    "last_day": gettext_lazy("最后一天"),
}


def title_of(change: Change) -> str:
    """What became of the unit."""
    return str(_WHAT.get(change.what, change.what))


def detail_of(change: Change) -> str:
    """Which facts changed from what to what, and why; a first entry names only what was written."""
    parts = []
    for name, (before, after) in change.changed.items():
        if not before and not after:
            continue
        label, new = _FIELDS.get(name, name), _value(name, after)
        if change.what == "OrganizationFounded" and name not in ("name", "kind", "parent"):
            continue
        parts.append(f"{label}：{_value(name, before)} → {new}" if before else f"{label}：{new}")
    if change.reason:
        parts.append(_("原因：%(reason)s") % {"reason": change.reason})
    return "；".join(parts)


def _value(name: str, value: Any) -> str:
    if not value:
        return str(_("无"))
    if name == "kind":
        return str(_(str(Organization.Kind(value).label)))
    if name == "part":
        return str(_(str(Membership.Part(value).label)))
    return str(value)
