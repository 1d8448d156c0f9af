"""References of what is sent: found, rewritten within a Bundle, and looked up; not there and not yours answer alike."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from doorstep.kernel.fhir.fhirpath.nodes import CHOICES
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import doors, stored
from doorstep.kernel.record.patients import Patients

_LITERAL = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_QUESTION = re.compile(r"^([A-Z][A-Za-z]+)\?(\S+)$")

Found = tuple[dict[str, Any], str]
# type and parameters -> the ids that match, at most two
Finder = Callable[[str, list[tuple[str, str]]], list[str]]


def references_of(node: Any, path: str) -> Iterator[Found]:
    """Every Reference element with its place."""
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node, path
        for name, value in node.items():
            if isinstance(value, dict):
                yield from references_of(value, f"{path}.{_path_name(name)}")
            elif isinstance(value, list):
                for number, part in enumerate(value):
                    yield from references_of(part, f"{path}.{name}[{number}]")


def rewritten(node: Any, given: dict[str, str]) -> Any:
    """The same with every text that is an address of this Bundle replaced by the address that was given."""
    if isinstance(node, str):
        return given.get(node, node)
    if isinstance(node, dict):
        return {name: rewritten(value, given) for name, value in node.items()}
    if isinstance(node, list):
        return [rewritten(part, given) for part in node]
    return node


def key_of(reference: str, base: str = "") -> tuple[str, str] | None:
    """(type, id) of a literal reference to this server; None for everything else."""
    found = _LITERAL.match(reference.removeprefix(base) if base else reference)
    return None if found is None else (found[1], found[2])


def question_of(reference: str) -> tuple[str, list[tuple[str, str]]] | None:
    """Type and parameters of a conditional reference; None for everything else."""
    found = _QUESTION.match(reference)
    return None if found is None else (found[1], parse_qsl(found[2], keep_blank_values=True))


def settle(found: list[Found], *, base: str, known: set[tuple[str, str]], find: Finder, patients: Patients) -> None:
    """Make every reference literal and see that what it names is there; raises FhirRefused at the first that is not.

    `known` is what this very request writes. Addresses of other servers are theirs.
    """
    wanted = literal(found, base=base, find=find, answers={})
    missing = absent({key for key in wanted if key not in known}, patients=patients)
    if missing:
        raise refusal(wanted, missing)


def literal(found: list[Found], *, base: str, find: Finder, answers: dict[str, str]) -> dict[tuple[str, str], str]:
    """Make every reference literal; returns what they name here, each with the first place that names it.

    `answers` keeps what conditional references were found to mean. Raises FhirRefused.
    """
    wanted: dict[tuple[str, str], str] = {}
    for node, path in found:
        text = node["reference"]
        question = question_of(text)
        if question is not None:
            if text not in answers:
                answers[text] = _only(question, path, find)
            node["reference"] = answers[text]
            continue
        if base and text.startswith(base):
            node["reference"] = text = text.removeprefix(base)
        key = key_of(text)
        if key is not None:
            wanted.setdefault(key, path)
        elif text.startswith("urn:uuid:"):
            raise FhirRefused(422, "not-found", f"Bundle 中没有 {text} / the Bundle has no {text}", path)
    return wanted


def absent(keys: set[tuple[str, str]], *, patients: Patients) -> set[tuple[str, str]]:
    """Those of the (type, id) pairs that are not there for the actor."""
    missing = keys - stored.there(keys)
    missing -= doors.in_directory(missing)
    return missing - {
        key for key in missing if key[0] == "Patient" and patients.behind(f"Patient/{key[1]}") is not None
    }


def refusal(wanted: dict[tuple[str, str], str], missing: set[tuple[str, str]]) -> FhirRefused:
    """The refusal of a resource that names what is missing, with the places."""
    first, *others = [(wanted[key], key) for key in wanted if key in missing]
    return FhirRefused(
        422,
        "not-found",
        _absent(first[1]),
        first[0],
        more=[("not-found", _absent(key), path) for path, key in others[:20]],
    )


def _path_name(name: str) -> str:
    stem = name.removesuffix("Reference")
    return stem if stem in CHOICES else name


def _only(question: tuple[str, list[tuple[str, str]]], path: str, find: Finder) -> str:
    kind, pairs = question
    ids = find(kind, pairs)
    if len(ids) == 1:
        return f"{kind}/{ids[0]}"
    if ids:
        raise FhirRefused(412, "multiple-matches", f"条件引用 {kind} 有多个结果 / more than one {kind} matches", path)
    raise FhirRefused(
        422, "not-found", f"条件引用没有找到 {kind}，或不在贵院可读范围 / no {kind} matches, or not yours to read", path
    )


def _absent(key: tuple[str, str]) -> str:
    return f"引用的 {key[0]}/{key[1]} 不存在，或不在贵院可读范围 / no such {key[0]}, or not yours to read"
