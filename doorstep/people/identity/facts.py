"""The facts of a person that two records may tell differently: one choice for each, over the columns that belong together."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Fact:
    """One choice of the side-by-side page: its name and the columns that are kept together."""

    code: str
    name: Any
    columns: tuple[str, ...]


FACTS: tuple[Fact, ...] = (
    Fact("name", _("姓名"), ("name", "name_pinyin", "name_initials", "unidentified")),
    Fact("gender", _("性别"), ("gender",)),
    Fact("birth_date", _("出生日期"), ("birth_date",)),
    Fact("national_id", _("身份证号"), ("national_id",)),
    Fact("document", _("其他证件"), ("document_kind", "document_number", "document_country")),
    Fact("record_number", _("健康档案编号"), ("record_number",)),
    Fact("phone", _("电话"), ("phone",)),
    Fact("home", _("住址与户"), ("address", "household_id", "relation_to_head", "grid_code")),
    Fact(
        "contact",
        _("紧急联系人"),
        ("contact_name", "contact_relation", "contact_phone", "contact_is_guardian"),
    ),
    Fact("organization", _("管理单位"), ("organization_id",)),
)

# How a name is spelled goes with the name: two lists that part its syllables differently leave nothing to choose.
SPELLED = frozenset({"name_pinyin", "name_initials"})
