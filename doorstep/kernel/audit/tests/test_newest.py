"""The newest entries of many units are read from an index, whatever the trail has grown to."""

import pytest
from django.db import connection

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_page_of_the_trail_sorts_nothing() -> None:
    with acting(system_actor(Purpose.SEALING)) as system:
        for number in range(30):
            audit.record(action="test.act", actor=system, subject=f"thing/{number}")
        newest = AuditEntry.objects.filter(organization_id__in=[1, 2, 3]).order_by("-at", "-id")[:51]
        with connection.cursor() as cursor:
            # Of thirty rows a sort would be cheaper.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            plan = newest.explain()
    # Each month is read from its index, newest first, and the months are laid together as they come.
    nodes = [line.strip().removeprefix("->").strip() for line in plan.splitlines()]
    assert not [one for one in nodes if one.startswith("Sort  ")], plan
    assert [one for one in nodes if one.startswith("Index Scan using") and "at_id_idx" in one], plan
