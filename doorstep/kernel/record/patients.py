"""Whom a resource concerns: the resident behind its subject, as the sender may see them."""

from collections.abc import Callable
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
_finder: list[PatientFinder] = []


def install(finder: PatientFinder) -> None:
    """Wire the resident index; the last one counts."""
    _finder[:] = [finder]


class Patients:
    """The residents of one request: each reference is looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, Patient | None] = {}

    def behind(self, question: str) -> Patient | None:
        """The resident behind "Patient/<key>" or "system|value"; None when not there or not the sender's."""
        if question not in self._known:
            self._known[question] = _finder[0](question) if _finder else None
        return self._known[question]

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
        if kind == "Patient" and rest:
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
