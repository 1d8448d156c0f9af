"""Kinds of health insurance and what a statement of one must say. Pure.

The basic kinds shut each other out: nobody is to be enrolled twice (医保发〔2020〕33号, number from memory, not verified). A commercial policy
stands beside the basic one.
"""

from datetime import date

from django.utils.translation import gettext as _

EMPLOYEE, RURAL_URBAN, PUBLIC, SELF_PAY, COMMERCIAL = "employee", "resident", "public", "self-pay", "commercial"
KINDS: dict[str, str] = {
    EMPLOYEE: "职工医保",
    RURAL_URBAN: "城乡居民医保",
    PUBLIC: "公费医疗",
    SELF_PAY: "自费",
    COMMERCIAL: "商业保险",
}
# One of these stands at a time.
BASIC = frozenset({EMPLOYEE, RURAL_URBAN, PUBLIC, SELF_PAY})
# Those that a fund of a 统筹区 pays for.
FUNDED = frozenset({EMPLOYEE, RURAL_URBAN, PUBLIC})


def faults(
    *, kind: str, place: str, insurer: str = "", since: date | None = None, until: date | None = None
) -> dict[str, str]:
    """What is wrong with a statement of insurance: a sentence per field with its cure; empty when all is well."""
    found: dict[str, str] = {}
    if kind not in KINDS:
        found["kind"] = _("请从列表中选择医保类型。")
    if kind in FUNDED and not place.strip():
        found["place"] = _("请填写参保地（统筹区），例如“禾川县”。")
    if kind == COMMERCIAL and not insurer.strip():
        found["insurer"] = _("请填写保险公司名称。")
    if since and until and until < since:
        found["until"] = _("终止日期不能早于起始日期，请核对两者。")
    return found


def words(*, kind: str, place: str, insurer: str = "") -> str:
    """An insurance in one line: "职工医保 · 禾川县"."""
    named = insurer if kind == COMMERCIAL else place
    label = _(KINDS.get(kind, kind))
    return f"{label} · {named}" if named else label
