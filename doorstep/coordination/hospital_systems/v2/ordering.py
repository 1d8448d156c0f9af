"""Examinations that the house orders from a hospital, as ORM O01 (HL7 v2.5.1 chapter 4, 4.4.1): a new order, and one that is called off.

The house orders electrocardiograms alone; OML O21 is the laboratory's.
"""

from doorstep.coordination.hospital_systems.v2.composing import coded, escaped, parts, segment, stamp
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json
from doorstep.people.organizations import queries as organizations

_PRIORITIES = {"stat": "S", "asap": "A", "urgent": "S"}
# HL7 table 0074: electrocardiac.
_SECTION = "EC"
_GONE = frozenset({"revoked", "entered-in-error"})


def is_asked(order: Json, *, actor: Actor) -> bool:
    """Whether an examination is asked of one of the actor's units; a referral is no examination."""
    if any(
        one.get("system") == systems.REFERRAL_KIND
        for kind in order.get("category", [])
        for one in kind.get("coding", [])
    ):
        return False
    references = [str(one.get("reference", "")).partition("/") for one in order.get("performer", [])]
    return any(kind == "Organization" and _reaches(key, actor) for kind, _slash, key in references)


def _reaches(key: str, actor: Actor) -> bool:
    if organizations.as_uuid(key) is None:
        return False
    try:
        return actor.reaches(organizations.get_by_key(key).pk)
    except NotFound:
        return False


def segments(order: Json, before: Json) -> tuple[str, ...] | None:
    """ORC and OBR: NW for an order that begins, CA for one that is called off; None for what is no news to who examines."""
    status, earlier = str(order.get("status")), str(before.get("status", ""))
    if status == "active" and earlier != "active":
        control = "NW"
    elif status in _GONE and earlier == "active":
        control = "CA"
    else:
        return None
    number, requester = escaped(order["id"]), str((order.get("requester") or {}).get("display", ""))
    priority = _PRIORITIES.get(str(order.get("priority")), "R")
    reason = escaped(((order.get("reasonCode") or [{}])[0]).get("text"))
    common = segment(
        "ORC", f1=control, f2=number, f7=f"^^^^^{priority}", f9=stamp(order.get("authoredOn")), f12=parts("", requester)
    )
    request = segment(
        "OBR",
        f1="1",
        f2=number,
        f4=coded(order.get("code")),
        f5=priority,
        f6=stamp(order.get("authoredOn")),
        f13=reason,
        f16=parts("", requester),
        f24=_SECTION,
        f27=f"^^^^^{priority}",
        f31=parts("", reason),
    )
    return (common, request)
