"""The hospital system of the demo county: it may call /fhir, register residents, and be notified on this machine."""

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.queries import client_by_name
from doorstep.kernel.subscriptions import actions as subscriptions

# `bin/doorstep token` gives it a token that is known.
CLIENT = "demo-hospital"


def connect_hospital(*, organization_id: int, actor: Actor) -> None:
    """Make the system with the rights that an engineer would give it."""
    access.issue_token(name=CLIENT, display="禾川县人民医院 HIS", organization_id=organization_id, actor=actor)
    client = client_by_name(CLIENT)
    if client is not None:
        access.let_register(client=client, registers=True, actor=actor)
        subscriptions.set_rules(client=client, rules=subscriptions.Rules(hosts=("127.0.0.1",)), actor=actor)
