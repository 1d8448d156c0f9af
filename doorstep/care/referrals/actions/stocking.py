"""What a unit has of medicines, as its own staff counted it."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_queries, stock_sheet
from doorstep.care.referrals.models import StockLine
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.stock_sheet import Counted, SheetFault
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.terminology import queries as terminology


def import_stock(*, organization_id: int, content: bytes, actor: Actor) -> int:
    """Take over a unit's file in place of its earlier count; returns how many medicines. Raises Refused at the file."""
    try:
        lines = stock_sheet.read(content)
    except SheetFault as fault:
        raise Refused(str(fault), fields={"file": str(fault)}) from fault
    return count_stock(organization_id=organization_id, lines=lines, actor=actor)


@transaction.atomic
def count_stock(*, organization_id: int, lines: Sequence[Counted], actor: Actor) -> int:
    """Write a count in place of the earlier one: a medicine by its code, or by its name in the list. All of it or nothing.

    Raises Refused with the rows whose medicine the list does not name.
    """
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    if not actor.reaches(organization_id):
        raise NotFound()
    names = {one.code: one.zh for one in terminology.every(system=down_queries.MEDICINES)}
    by_name = {name: code for code, name in names.items()}
    found: dict[str, Counted] = {}
    unknown: list[str] = []
    for line in lines:
        code = line.code if line.code in names else by_name.get(line.name, "")
        if not code:
            unknown.append(_("第 %(row)s 行 %(name)s") % {"row": line.row, "name": line.name})
        else:
            found[code] = line
    if unknown:
        sentence = _("药品目录中没有：%(lines)s。请按目录名称填写，或删去这些行。") % {"lines": "；".join(unknown[:8])}
        raise Refused(sentence, fields={"file": sentence})
    StockLine.objects.filter(organization_id=organization_id).delete()
    now = timezone.now()
    StockLine.objects.bulk_create(
        StockLine(
            organization_id=organization_id,
            code=code,
            name=names[code][:80],
            quantity=one.quantity,
            unit=one.unit,
            counted_at=now,
        )
        for code, one in found.items()
    )
    audit.record(
        action="stock.count", actor=actor, subject=f"organization/{organization_id}", details={"medicines": len(found)}
    )
    return len(found)
