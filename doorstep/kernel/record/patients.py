"""Whom a resource concerns: the resident behind its subject, as the sender may see them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record.kinds import SUBJECTS


@dataclass(frozen=True, slots=True)
class Patient:
    """The resident behind a reference, as the sender may see them."""

    resident_id: int
    fhir_id: str


# (reference or "system|value" of an identifier) -> the patient, None when not there or not the sender's
PatientFinder = Callable[[str], Patient | None]
# Several references at once; what is left out is asked for by itself.
PatientsFinder = Callable[[Iterable[str]], Mapping[str, Patient]]
_finder: list[PatientFinder] = []
_finder_of_many: list[PatientsFinder] = []


def install(finder: PatientFinder, *, many: PatientsFinder) -> None:
    """Wire the resident index; the last ones count."""
    _finder[:] = [finder]
    _finder_of_many[:] = [many]


class Patients:
    """The residents of one request: each reference is looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, Patient | None] = {}

    def behind(self, question: str) -> Patient | None:
        """The resident behind "Patient/<key>" or "system|value"; None when not there or not the sender's."""
        if question not in self._known:
            self._known[question] = _finder[0](question) if _finder else None
        return self._known[question]

    def meet(self, resources: Iterable[dict[str, Any]]) -> None:
        """Look the residents of many resources up in one go, before they are asked for one by one."""
        named = (resource.get(name) for resource in resources for name in SUBJECTS)
        subjects = (one for given in named for one in (given if isinstance(given, list) else [given]))
        wanted = {question for one in subjects if (question := _question(one)) is not None}
        if wanted and _finder_of_many:
            self._known.update(_finder_of_many[0](wanted - self._known.keys()))

    def of(self, resource: dict[str, Any], place: str) -> Patient | None:
        """The resident that a resource concerns, its reference made literal; None when it concerns none.

        Raises FhirRefused when it names somebody who is not there or not the sender's: one answer for both.
        """
        for name in SUBJECTS:
            subjects = resource.get(name)
            for subject in subjects if isinstance(subjects, list) else [subjects]:
                question = _question(subject)
                if question is not None and isinstance(subject, dict):
                    found = self.behind(question)
                    if found is None:
                        raise _unknown(f"{place}.{name}")
                    subject["reference"] = f"Patient/{found.fhir_id}"
                    return found
        return None


def _question(subject: Any) -> str | None:
    if not isinstance(subject, dict):
        return None
    reference = subject.get("reference")
    if isinstance(reference, str):
        kind, _, rest = reference.partition("?identifier=")
        if kind == "Patient" and "|" in rest.replace("%7C", "|"):
            return rest.replace("%7C", "|")
        return reference if reference.startswith("Patient/") else None
    identifier = subject.get("identifier")
    if isinstance(identifier, dict) and subject.get("type", "Patient") == "Patient":
        return f"{identifier.get('system', '')}|{identifier.get('value', '')}"
    return None


def _unknown(place: str) -> FhirRefused:
    return FhirRefused(
        422,
        "not-found",
        "没有这位居民，或贵院与其没有诊疗关系；请先在系统内挂号、接诊或接收转诊"
        " / no such resident, or no care relationship with your hospital",
        place,
    )
