"""Subscription: POST subscribes, PUT and PATCH change, DELETE turns off (hl7.org/fhir/R4/subscription.html)."""

from typing import Any

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import doors
from doorstep.kernel.subscriptions import actions, queries
from doorstep.kernel.subscriptions.reading import read

# A client asks; that a subscription is active or in error, only the server says. Who changes one sends back what was read.
_NEW, _CHANGED = ("requested", "off"), ("requested", "active", "error", "off")


class SubscriptionDoor:
    """Every Subscription of this server is listened to, or is off."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """All of them."""
        return True

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Subscribe; a topic's receiver is greeted before the first event."""
        off = _off(resource, _NEW)
        base = doors.address()
        made = actions.subscribe(wanted=read(resource, base=base), base=base, off=off, actor=actor)
        return str(made.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Change a subscription, or turn it off by its status; a header that reads [sealed] keeps its value."""
        off = _off(resource, _CHANGED)
        subscription = queries.own(key=fhir_id, actor=actor, lock=True)
        wanted = read(resource, base=doors.address())
        actions.revise(subscription=subscription, wanted=wanted, off=off, actor=actor)

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A DELETE turns off: what was told stays to be seen."""
        actions.turn_off(subscription=queries.own(key=fhir_id, actor=actor, lock=True), actor=actor)


def _off(resource: dict[str, Any], allowed: tuple[str, ...]) -> bool:
    status = str(resource.get("status"))
    if status not in allowed:
        raise FhirRefused(
            422,
            "value",
            "新订阅的 status 应为 requested 或 off / a client sends requested or off",
            "Subscription.status",
        )
    return status == "off"
