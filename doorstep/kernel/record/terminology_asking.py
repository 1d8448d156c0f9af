"""How the terminology operations are asked and answer (hl7.org/fhir/R4/terminology-service.html): parameters, codings, words."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.vocabulary import Term

Json = dict[str, Any]
Coding = tuple[str, str, str]
_ALWAYS = frozenset({"_format", "_pretty"})
_HARMLESS = frozenset({"date", "excludeNested", "excludeNotForUI", "excludePostCoordinated"})


def given(request: HttpRequest, *names: str) -> Json:
    """The operation's parameters, of the address or of a Parameters body; raises FhirRefused (400) for one that it does not know."""
    found: Json = {name: request.GET[name] for name in request.GET}
    if request.method == "POST" and request.body:
        body = negotiation.body_of(request)
        parts = body.get("parameter", []) if isinstance(body, dict) else None
        if not isinstance(parts, list) or body.get("resourceType") != "Parameters":
            raise FhirRefused(400, "structure", "请发送 Parameters / send Parameters", "Parameters")
        for part in parts:
            if not isinstance(part, dict) or not isinstance(part.get("name"), str):
                raise FhirRefused(400, "structure", "参数缺少名称 / a parameter without a name", "Parameters.parameter")
            value = next((value for key, value in part.items() if key.startswith("value")), part.get("resource"))
            found[part["name"]] = value
    known = {*names, *_ALWAYS, *_HARMLESS}
    unknown = next((name for name in found if name not in known), None)
    if unknown is not None:
        raise FhirRefused(400, "invalid", f"不支持参数 {unknown[:40]} / there is no such parameter here")
    return found


def codings(asked: Json, *, system: str = "") -> list[Coding]:
    """What is asked about as (system, code, display): by `code`, `coding` or `codeableConcept`; raises FhirRefused (400)."""
    concept = asked.get("codeableConcept")
    if isinstance(concept, dict):
        listed = concept.get("coding")
    elif "coding" in asked:
        listed = [asked["coding"]]
    else:
        listed = [{"system": asked.get("system") or system, **{name: asked.get(name) for name in ("code", "display")}}]
    found = [_coding(one, system) for one in (listed if isinstance(listed, list) else [])]
    if not found:
        raise FhirRefused(400, "required", "需要 code、coding 或 codeableConcept / one of them is needed")
    return found


def _coding(one: Any, system: str) -> Coding:
    parts = [one.get(name) or "" for name in ("system", "code", "display")] if isinstance(one, dict) else []
    if not parts or not all(isinstance(part, str) for part in parts) or not parts[1]:
        raise FhirRefused(400, "required", "需要 system 和 code / system and code are needed")
    return parts[0] or system, parts[1], parts[2]


def text(asked: Json, name: str) -> str:
    """A parameter that is a text; "" when it is not there; raises FhirRefused (400) for anything else."""
    value = asked.get(name) or ""
    if not isinstance(value, str):
        raise FhirRefused(400, "value", f"{name} 应为文字 / must be a text")
    return value


def whole(asked: Json, name: str, custom: int) -> int:
    """A parameter that is a whole number; raises FhirRefused (400)."""
    value = str(asked.get(name, custom))
    if not value.isdecimal() or len(value) > 9:
        raise FhirRefused(400, "value", f"{name} 应为整数 / must be a whole number")
    return int(value)


def truth(asked: Json, name: str) -> bool:
    """A parameter that is true or false; false when it is not there; raises FhirRefused (400)."""
    value = str(asked.get(name, "false")).lower()
    if value not in ("true", "false"):
        raise FhirRefused(400, "value", f"{name} 应为 true 或 false / must be true or false")
    return value == "true"


def worded(term: Term, language: str) -> str:
    """The words of a code in a language ("en", "zh-CN"); without any in that language its display."""
    wanted = language.partition(",")[0].partition("-")[0].lower()
    fitting = (words for name, words in term.words.items() if wanted and name.partition("-")[0].lower() == wanted)
    return next(fitting, term.display)


def is_called(term: Term, display: str) -> bool:
    """Whether these are words of the code, in any of its languages, without regard to case and spaces."""
    return _plain(display) in {_plain(one) for one in (term.display, *term.words.values())}


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()


def parameters(parts: Iterable[tuple[str, str, Any]]) -> Json:
    """A Parameters resource of (name, type of the value, value); what has no value is left out."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, f"value{kind}": value} for name, kind, value in parts if value not in ("", None)],
    }
