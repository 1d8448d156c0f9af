"""The search keys of a resource: tokens, references and strings, as "parameter|value" texts that one index answers.

R4 search parameters of the resources that the house writes (hl7.org/fhir/R4/searchparameter-registry.html).
"""

from collections.abc import Iterable, Iterator
from typing import Any

_PATHS: dict[str, tuple[str, ...]] = {
    "identifier": ("identifier",),
    "code": ("code", "medicationCodeableConcept", "vaccineCode"),
    "category": ("category",),
    "status": ("status",),
    "intent": ("intent",),
    "priority": ("priority",),
    "type": ("type",),
    "class": ("class",),
    "gender": ("gender",),
    "clinical-status": ("clinicalStatus",),
    "active": ("active",),
    "subject": ("subject", "patient", "for", "beneficiary"),
    "patient": ("subject", "patient", "for", "beneficiary"),
    "encounter": ("encounter", "context"),
    "performer": ("performer",),
    "requester": ("requester",),
    "author": ("author",),
    "owner": ("owner",),
    "focus": ("focus",),
    "based-on": ("basedOn",),
    "part-of": ("partOf",),
    "organization": ("managingOrganization", "organization", "custodian", "serviceProvider"),
    "service-provider": ("serviceProvider",),
    "practitioner": ("practitioner",),
    "actor": ("participant", "actor"),
    "schedule": ("schedule",),
}


def tokens_of(resource: dict[str, Any]) -> list[str]:
    """The distinct search keys of a resource, sorted."""
    found: set[str] = set()
    for parameter, names in _PATHS.items():
        for name in names:
            if name in resource:
                found.update(f"{parameter}|{value}" for value in _values(resource[name]))
    found.update(f"name|{value}" for value in _names(resource.get("name")))
    return sorted(found)


def _values(element: Any) -> Iterator[str]:
    if isinstance(element, bool):
        yield str(element).lower()
    elif isinstance(element, str):
        yield element
    elif isinstance(element, list):
        for part in element:
            yield from _values(part)
    elif isinstance(element, dict):
        yield from _from_object(element)


def _from_object(element: dict[str, Any]) -> Iterator[str]:
    if "reference" in element:
        yield str(element["reference"])
    if "coding" in element:
        yield from _values(element["coding"])
    if "actor" in element:
        yield from _values(element["actor"])
    code = element.get("code") if isinstance(element.get("code"), str) else element.get("value")
    if isinstance(code, str):
        yield code
        if "system" in element:
            yield f"{element['system']}|{code}"


def _names(element: Any) -> Iterable[str]:
    parts = element if isinstance(element, list) else [element]
    for part in parts:
        if isinstance(part, str):
            yield part.lower()
        elif isinstance(part, dict):
            text = part.get("text")
            if isinstance(text, str):
                yield text.lower()
            if isinstance(part.get("family"), str):
                yield str(part["family"]).lower()
