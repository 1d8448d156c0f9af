"""Our extensions and profiles as StructureDefinitions (hl7.org/fhir/R4/structuredefinition.html): what docs/fhir/departures.md says in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from doorstep.coordination.beds.fhir import BED_HELD
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json, compact
from doorstep.site.fhir.schedules import PLACES

_R4 = "http://hl7.org/fhir/StructureDefinition/"
VERSION = "0.1.0"
# The day on which these definitions were last changed.
CHANGED = "2026-11-22"


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension: where it stands, and the type of its value; or its parts, each a name with a type."""

    url: str
    title: str
    description: str
    contexts: tuple[str, ...]
    value: str = ""
    target: str = ""
    parts: dict[str, tuple[str, str]] = field(default_factory=dict)


EXTENSIONS = (
    Extension(
        systems.BENEFIT_DECISION,
        "签约优惠判定",
        "What a benefit rule decided of a referral, with its reason. Repeats.",
        ("ServiceRequest",),
        "string",
    ),
    Extension(
        systems.REFERRAL_CONSENT,
        "转诊知情同意",
        "Who agreed to a referral that is sent, and as what.",
        ("ServiceRequest",),
        parts={
            "signer": ("string", "The name of who agreed."),
            "relation": ("code", "self, spouse, child, parent, guardian or other."),
        },
    ),
    Extension(
        systems.REFERRAL_SLOT,
        "转诊预约的号源",
        "The Slot to hold and book for a referral that is sent; without it a bed is asked for.",
        ("ServiceRequest",),
        "Reference",
        target="Slot",
    ),
    Extension(
        systems.REFERRAL_CONTACT,
        "转诊单联系信息",
        "What the form of a referral said of the patient when it was sent (双向转诊单).",
        ("ServiceRequest",),
        parts={
            "record-number": ("string", "档案编号: the number of the health record."),
            "phone": ("string", "联系电话: the telephone."),
            "address": ("string", "家庭住址: the home address."),
        },
    ),
    Extension(
        systems.CRITICAL_RESULT, "危急值", "The report holds a critical value.", ("DiagnosticReport",), "boolean"
    ),
    Extension(
        systems.PLAIN_WORDS, "通俗说明", "The report in words for the resident.", ("DiagnosticReport",), "string"
    ),
    Extension(
        systems.RECOGNISED_PERIOD,
        "病种认定有效期",
        "The span for which the fund has recognised the disease of this class (门诊慢特病).",
        ("Coverage.class",),
        "Period",
    ),
    Extension(
        systems.MOTHER_NUMBER,
        "母亲身份证号",
        "On a newborn without a number that is registered: the national id of the mother.",
        ("Patient",),
        "string",
    ),
    Extension(
        systems.PLACES_LEFT, "剩余号数", "How many places a slot has left, in an answer of $find.", ("Slot",), "integer"
    ),
    Extension(PLACES, "号数", "How many places a slot has that a hospital system opens.", ("Slot",), "integer"),
    Extension(BED_HELD, "床位已留", "The bed is kept for somebody: neither free nor taken.", ("Location",), "boolean"),
)


def structure_definitions() -> list[Json]:
    """Every extension and profile of ours."""
    return [*map(_extension, EXTENSIONS), _referral()]


def slug_of(url: str) -> str:
    """The id of a definition: the end of its address."""
    return url.rpartition("/")[2]


def head(type: str, url: str, *, title: str, description: str) -> Json:
    """What every definition of ours begins with."""
    slug = slug_of(url)
    return {
        "resourceType": type,
        "id": slug,
        "url": url,
        "version": VERSION,
        "name": "".join(part.capitalize() for part in slug.split("-")),
        "title": title,
        "status": "active",
        "date": CHANGED,
        "publisher": "Doorstep",
        "description": description,
    }


def _extension(one: Extension) -> Json:
    return {
        **head("StructureDefinition", one.url, title=one.title, description=one.description),
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": expression} for expression in one.contexts],
        "type": "Extension",
        "baseDefinition": f"{_R4}Extension",
        "derivation": "constraint",
        "differential": {"element": list(_elements(one))},
    }


def _elements(one: Extension) -> Iterator[Json]:
    yield {"id": "Extension", "path": "Extension", "short": one.title, "definition": one.description}
    for name, (kind, words) in one.parts.items():
        part = f"Extension.extension:{name}"
        yield {"id": part, "path": "Extension.extension", "sliceName": name, "short": words, "min": 0, "max": "1"}
        yield {"id": f"{part}.url", "path": "Extension.extension.url", "fixedUri": name}
        yield {"id": f"{part}.value[x]", "path": "Extension.extension.value[x]", "min": 1, "type": [{"code": kind}]}
    yield {"id": "Extension.url", "path": "Extension.url", "fixedUri": one.url}
    if one.parts:
        yield {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}
        return
    type = compact({"code": one.value, "targetProfile": [f"{_R4}{one.target}"] if one.target else []})
    yield {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}
    yield {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [type]}


def _referral() -> Json:
    described = (
        "A ServiceRequest of this profile is a referral: POST drafts it from the record, and status active submits it,"
        " by the actions of the pages."
    )
    elements: list[Json] = [
        {"id": "ServiceRequest", "path": "ServiceRequest", "short": "双向转诊", "definition": described}
    ]
    for url in (systems.REFERRAL_CONSENT, systems.REFERRAL_SLOT, systems.REFERRAL_CONTACT, systems.BENEFIT_DECISION):
        slug = slug_of(url)
        slice: Json = {
            "id": f"ServiceRequest.extension:{slug}",
            "path": "ServiceRequest.extension",
            "sliceName": slug,
            "min": 0,
            "max": "*" if url == systems.BENEFIT_DECISION else "1",
            "type": [{"code": "Extension", "profile": [url]}],
        }
        elements.append(slice)
    for name, targets in (("subject", ("Patient",)), ("requester", ("Practitioner",))):
        profiles = [f"{_R4}{target}" for target in targets]
        elements.append(
            {
                "id": f"ServiceRequest.{name}",
                "path": f"ServiceRequest.{name}",
                "min": 1,
                "type": [{"code": "Reference", "targetProfile": profiles}],
            }
        )
    return {
        **head("StructureDefinition", systems.REFERRAL_PROFILE, title="双向转诊", description=described),
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": "ServiceRequest",
        "baseDefinition": f"{_R4}ServiceRequest",
        "derivation": "constraint",
        "differential": {"element": elements},
    }
