"""The nodes that FHIRPath walks: a value with its type, as far as R4's JSON tells it, and its place."""

import re
from typing import Any

Collection = list["Node"]

# Elements that exist in several types: their JSON name carries the type (hl7.org/fhir/R4/formats.html#choice).
CHOICES = frozenset(
    [
        "abatement",
        "additive",
        "age",
        "allowed",
        "amount",
        "answer",
        "asNeeded",
        "author",
        "birthDate",
        "born",
        "bodySite",
        "chargeItem",
        "code",
        "collected",
        "completion",
        "content",
        "daysSupply",
        "dose",
        "deceased",
        "defaultValue",
        "definition",
        "detail",
        "diagnosis",
        "due",
        "effective",
        "entity",
        "event",
        "example",
        "exposure",
        "fixed",
        "gender",
        "identified",
        "indicates",
        "initial",
        "instantiatesType",
        "item",
        "legallyBinding",
        "location",
        "maxValue",
        "measure",
        "medication",
        "minValue",
        "minimumVolume",
        "multipleBirth",
        "name",
        "occurrence",
        "occurred",
        "offset",
        "onset",
        "param",
        "participant",
        "participantEffective",
        "pattern",
        "performed",
        "period",
        "planned",
        "policy",
        "probability",
        "procedure",
        "product",
        "quantity",
        "rate",
        "reason",
        "reported",
        "repeat",
        "schedule",
        "scheduled",
        "season",
        "serviced",
        "source",
        "start",
        "statusReason",
        "subject",
        "supportingInformation",
        "target",
        "time",
        "timing",
        "topic",
        "unit",
        "usage",
        "used",
        "value",
        "valueSet",
        "version",
        "when",
    ]
)
_MOMENT = re.compile(r"^\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$")


class Node:
    """A value, the container and key by which it hangs, and its type when its name carries one."""

    __slots__ = ("key", "parent", "type", "value")

    def __init__(self, value: Any, parent: Any = None, key: Any = None, type: str = "") -> None:
        self.value = value
        self.parent = parent
        self.key = key
        self.type = type

    def kind(self) -> str:
        """The name of the value's type, "" when it is not known."""
        if self.type:
            return self.type
        value = self.value
        if isinstance(value, dict):
            return str(value.get("resourceType", ""))
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int):
            return "integer"
        if isinstance(value, float):
            return "decimal"
        return "string" if isinstance(value, str) else ""

    def is_moment(self) -> bool:
        """Whether the value is written like a date or an instant."""
        return isinstance(self.value, str) and _MOMENT.match(self.value) is not None


def members(node: Node, name: str) -> Collection:
    """The children of a node by an element's name, in any type of a choice."""
    value = node.value
    if not isinstance(value, dict):
        return []
    if name in value:
        return spread(value[name], value, name)
    if name in CHOICES:
        length = len(name)
        for key in value:
            if key.startswith(name) and len(key) > length and key[length].isupper() and key[length:] != "Element":
                return spread(value[key], value, key, _typed(key[length:]))
    if f"_{name}" in value:
        # A primitive that has only extensions is there, without a value.
        return spread(value[f"_{name}"], value, f"_{name}", "primitive")
    return []


def children(node: Node) -> Collection:
    """Every child of a node."""
    value = node.value
    if not isinstance(value, dict):
        return []
    found: Collection = []
    for key, part in value.items():
        if key != "resourceType":
            found.extend(spread(part, value, key))
    return found


def descendants(node: Node) -> Collection:
    """Every node below a node."""
    found: Collection = []
    waiting = children(node)
    while waiting:
        found.extend(waiting)
        waiting = [child for one in waiting for child in children(one)]
    return found


def spread(value: Any, parent: Any, key: Any, type: str = "") -> Collection:
    """The nodes of an element: one, or one for each of its list."""
    if isinstance(value, list):
        return [Node(part, value, place, type) for place, part in enumerate(value) if part is not None]
    return [] if value is None else [Node(value, parent, key, type)]


def _typed(suffix: str) -> str:
    return suffix if suffix in _COMPLEX else suffix[0].lower() + suffix[1:]


_COMPLEX = frozenset(
    [
        "Address",
        "Age",
        "Annotation",
        "Attachment",
        "CodeableConcept",
        "Coding",
        "ContactDetail",
        "ContactPoint",
        "Contributor",
        "Count",
        "DataRequirement",
        "Distance",
        "Dosage",
        "Duration",
        "Expression",
        "HumanName",
        "Identifier",
        "Meta",
        "Money",
        "ParameterDefinition",
        "Period",
        "Quantity",
        "Range",
        "Ratio",
        "Reference",
        "RelatedArtifact",
        "SampledData",
        "Signature",
        "Timing",
        "TriggerDefinition",
        "UsageContext",
    ]
)
