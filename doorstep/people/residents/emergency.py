"""The look that an emergency cannot wait with."""

from django.db import connection, transaction
from django.utils.translation import gettext as _

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.audit import actions as audit
from doorstep.people.residents import indexes, queries
from doorstep.people.residents.models import Resident


@transaction.atomic
def break_glass(*, number: str, reason: str, actor: Actor) -> Resident:
    """Open the record behind a whole number for 24 hours in an emergency; the resident is told and an auditor reviews.

    Raises Refused at the number when it is nobody's, and at the reason when it says too little: that first, for whether
    somebody is registered is told to nobody who gives no reason.
    """
    actor.check(Access.GLASS_BREAK)
    access.check_glass_reason(reason)
    with connection.cursor() as cursor:
        cursor.execute("SELECT residents_behind_number(%s)", [indexes.number_index(number)])
        resident_id = cursor.fetchone()[0]
    if resident_id is None:
        raise Refused(
            _("没有这个号码的档案。"),
            fields={"number": _("没有这个号码的档案，请核对身份证号；没有证件时按急诊先行救治。")},
        )
    access.break_glass(resident_id=resident_id, reason=reason, actor=actor)
    resident = queries.get(resident_id=resident_id)
    audit.record(
        action="glass.break",
        actor=actor,
        subject=f"resident/{resident.key}",
        resident_id=resident.pk,
        basis=reason[:200],
    )
    return resident
