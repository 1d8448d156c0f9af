"""OperationOutcomes and the form of every answer of the machine interface."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.http import HttpResponse

from doorstep.kernel.fhir.decimals import decimal_text

CONTENT_TYPE = "application/fhir+json; fhirVersion=4.0"


class FhirRefused(Exception):
    """A request of a machine that is refused: status, issue code, sentence, and the place in the resource.

    `more` holds further issues as (code, sentence, place); `headers` goes out with the answer. `count` notes a try that must stay
    counted although nothing of the act is kept: whoever rolls back runs it afterwards.
    """

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        expression: str = "",
        *,
        more: Sequence[tuple[str, str, str]] = (),
        headers: Mapping[str, str] | None = None,
        count: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.count = count
        self.more = tuple(more)
        self.headers = dict(headers or {})
        self.status = status
        self.code = code
        self.sentence = sentence
        self.expression = expression


def beyond(type: str, verb: str) -> FhirRefused:
    """The refusal of what a token's scopes do not cover (403)."""
    return beyond_each([(type, verb)])


def beyond_each(missing: Iterable[tuple[str, str]]) -> FhirRefused:
    """The same of several (type, verbs): an engineer is told of all that is missing at once."""
    named = " ".join(f"{type}.{verbs}" for type, verbs in missing)
    return FhirRefused(
        403,
        "forbidden",
        f"令牌的范围不含 {named} / the token's scopes do not cover {named}",
        headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
    )


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
    content = orjson.dumps(body, default=decimal_text) if isinstance(body, dict) else body
    return HttpResponse(content, status=status, content_type=CONTENT_TYPE, headers=headers)


def refusal(error: FhirRefused) -> HttpResponse:
    """The answer to a refused request."""
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="doorstep"'
    return answer(issues_of(error), status=error.status, headers=headers)


def issues_of(error: FhirRefused) -> dict[str, Any]:
    """The OperationOutcome of a refusal with all its issues."""
    found = outcome(error.code, error.sentence, expression=error.expression)
    for code, sentence, expression in error.more:
        found["issue"] += outcome(code, sentence, expression=expression)["issue"]
    return found
