"""What the CapabilityStatement says of searching a type: from the same table that searches go by."""

from typing import Any

from doorstep.kernel.fhir.parameters import Parameter, parameters, types


def searching(type: str) -> dict[str, Any]:
    """`searchParam`, `searchInclude` and `searchRevInclude` of a type."""
    known = parameters(type)
    includes = [f"{type}:{code}" for code, one in known.items() if one.kind == "reference"]
    found: dict[str, Any] = {"searchParam": [_described(one) for one in known.values()]}
    if type == "AuditEvent":
        # Of the trail's references those that lead into the record (site/auditing/fhir_chains.py); nothing leads into the trail.
        return found | {"searchInclude": ["*", *(f"{type}:{code}" for code in ("agent", "entity", "patient"))]}
    if includes:
        found["searchInclude"] = ["*", *includes]
    reverse = [
        f"{other}:{code}"
        for other in types()
        if other != "AuditEvent"
        for code, one in parameters(other).items()
        if type in one.targets
    ]
    if reverse:
        found["searchRevInclude"] = reverse
    return found


def _described(one: Parameter) -> dict[str, str]:
    return {"name": one.code, "definition": one.url, "type": one.kind}
