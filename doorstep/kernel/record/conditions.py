"""Conditional interactions: what a search finds decides (hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1)."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from doorstep.kernel.fhir.outcome import FhirRefused, beyond
from doorstep.kernel.fhir.scopes import covers
from doorstep.kernel.record import search
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.references import Finder

# A conditional delete takes away no more than this at once.
MOST = 100


def matching(type: str, pairs: Sequence[tuple[str, str]], *, limit: int = 2) -> list[str]:
    """The ids of the resources that a search finds, at most `limit`; raises FhirRefused when nothing is asked.

    What a condition finds, and what it does not, would tell values: a token that may not search the type (403) only names a resource
    by the number that it knows it by.
    """
    if not any(value for _, value in pairs):
        raise FhirRefused(412, "required", "条件不能为空 / the condition is empty")
    if not covers(type, "s") and any(name != "identifier" for name, _ in pairs):
        raise beyond(type, "s")
    return search.matching(type, pairs, limit=limit)


def single(type: str, query: str) -> str | None:
    """The one id that a condition finds, None for none; raises FhirRefused (412) for several."""
    found = matching(type, pairs_of(query))
    if len(found) > 1:
        raise FhirRefused(
            412, "multiple-matches", f"条件找到不止一个 {type} / the condition matches more than one {type}"
        )
    return found[0] if found else None


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The parameters of a condition as it stands in an address, without those that only shape an answer."""
    return [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "_format"]


def finder(patients: Patients) -> Finder:
    """What answers conditional references: residents by the index, everything else by search."""

    def find(type: str, pairs: list[tuple[str, str]]) -> list[str]:
        if type == "Patient" and [name for name, _ in pairs] == ["identifier"]:
            patient = patients.behind(pairs[0][1])
            if patient is not None:
                return [patient.fhir_id]
        return matching(type, pairs)

    return find
