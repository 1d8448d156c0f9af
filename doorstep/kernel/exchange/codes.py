"""The mapping tables of a sender: what its codes mean in ours, and which nobody has decided."""

from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from doorstep.kernel.exchange.formats import Task
from doorstep.kernel.exchange.models import CodeMapping

_COUNT = """
INSERT INTO exchange_codemapping (key, connection_id, organization_id, "table", local_code, local_display, target_system, target_code,
    target_display, seen, first_seen_at, last_seen_at)
VALUES (gen_random_uuid(), %(connection)s, %(organization)s, %(table)s, %(code)s, %(display)s, '', '', '', %(count)s, %(now)s, %(now)s)
ON CONFLICT (connection_id, "table", local_code) DO UPDATE SET seen = exchange_codemapping.seen + excluded.seen,
    last_seen_at = excluded.last_seen_at,
    local_display = CASE WHEN excluded.local_display = '' THEN exchange_codemapping.local_display ELSE excluded.local_display END
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A code of ours."""

    system: str
    code: str
    display: str


def target_of(task: Task, *, table: str, code: str, display: str = "", plain: Target | None = None) -> Target | None:
    """What the sender's code means: as was decided, else `plain`, which needs no decision.

    None when there is neither, which is noted for the page of codes.
    """
    if (table, code) not in task.looked_up:
        task.looked_up[table, code] = (
            CodeMapping.objects.filter(connection_id=task.connection.pk, table=table, local_code=code[:80])
            .exclude(target_code="")
            .values_list("target_system", "target_code", "target_display")
            .first()
        )
    found = task.looked_up[table, code]
    if found is None and plain is not None:
        return plain
    if found is None:
        task.unknown_codes.append((table, code[:80], display[:200]))
        return None
    return Target(*found)


def count_unknown(task: Task) -> None:
    """Write down the codes of a message that nobody has decided, with how often they came."""
    counted = Counter((table, code) for table, code, _display in task.unknown_codes)
    displays = {(table, code): display for table, code, display in task.unknown_codes}
    with connection.cursor() as cursor:
        # In one order for everybody: two messages with the same codes must not wait for each other in a circle.
        for table, code in sorted(counted):
            cursor.execute(
                _COUNT,
                {
                    "connection": task.connection.pk,
                    "organization": task.connection.organization_id,
                    "table": table,
                    "code": code,
                    "display": displays[table, code],
                    "count": counted[table, code],
                    "now": timezone.now(),
                },
            )
