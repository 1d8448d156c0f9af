"""Messages that came before their resident: they go on by themselves when the hospital may see the person."""

from django.db import connection

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import actions as exchange
from doorstep.kernel.exchange import queries
from doorstep.kernel.exchange.formats import sender_of
from doorstep.people.organizations import queries as organizations

AT_ONCE = 500
# Under the sender's own actor: the policy of the identifiers decides who can be seen.
_SEEN = """
SELECT m.id FROM exchange_message m
WHERE m.connection_id = %s AND m.state = 'waiting' AND EXISTS (
  SELECT 1 FROM residents_identifier i WHERE i.live AND i.index = ANY (m.patient_indexes)
    AND (i.kind = 'national-id' OR (i.kind = 'hospital' AND i.system = %s)))
ORDER BY m.id LIMIT %s
"""


def release_seen() -> int:
    """Send the waiting messages of residents whom their senders may see now on their way, also by numbers of a linked list; returns how many."""
    with acting(system_actor(Purpose.EXCHANGE)):
        senders = [(one, sender_of(one)) for one in queries.connections_that_wait()]
        units = organizations.several(ids={one.organization_id for one, _actor in senders})
    codes = {unit.pk: unit.code for unit in units}
    released = 0
    for one, actor in senders:
        with acting(actor), connection.cursor() as cursor:
            cursor.execute(_SEEN, [one.pk, codes[one.organization_id], AT_ONCE])
            ids = [row[0] for row in cursor.fetchall()]
        if ids:
            with acting(system_actor(Purpose.EXCHANGE)):
                released += exchange.release(message_ids=ids)
    return released
