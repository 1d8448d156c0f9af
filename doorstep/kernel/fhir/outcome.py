"""OperationOutcomes and the form of every answer of the machine interface."""

from typing import Any

import orjson
from django.http import HttpResponse

CONTENT_TYPE = "application/fhir+json; fhirVersion=4.0"


class FhirRefused(Exception):
    """A request of a machine that is refused: status, issue code, sentence, and the place in the resource."""

    def __init__(self, status: int, code: str, sentence: str, expression: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.expression = expression


def outcome(code: str, sentence: str, *, severity: str = "error", expression: str = "") -> dict[str, Any]:
    """An OperationOutcome of one issue."""
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": sentence}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def answer(
    body: dict[str, Any] | str | bytes, *, status: int = 200, headers: dict[str, str] | None = None
) -> HttpResponse:
    """A FHIR JSON answer; a text is passed on as it came from the database."""
    content = orjson.dumps(body) if isinstance(body, dict) else body
    return HttpResponse(content, status=status, content_type=CONTENT_TYPE, headers=headers)


def refusal(error: FhirRefused) -> HttpResponse:
    """The answer to a refused request."""
    headers = {"WWW-Authenticate": 'Bearer realm="doorstep"'} if error.status == 401 else None
    return answer(
        outcome(error.code, error.sentence, expression=error.expression), status=error.status, headers=headers
    )
