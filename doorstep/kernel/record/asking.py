"""Requests of machines that one function of the database answers, with the look at each resident in the audit trail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import Call, as_json
from doorstep.kernel.database.remembered import ask as ask_database
from doorstep.kernel.database.remembered import ask_alone
from doorstep.kernel.fhir.outcome import FhirRefused

Row = tuple[Any, ...]
# None when the answer lies elsewhere, and the request must take another way.
Answer = Callable[[HttpRequest, Row | None], HttpResponse | None]


@dataclass(frozen=True, slots=True)
class Question:
    """A function of the database that answers a request.

    It is STRICT, takes who asks (as audit_record does) after the arguments of `call`, and the first column of its row is never
    NULL. `answer` makes the response of the row, of None when there is none; `refusal` says what an error of the database means.
    """

    call: Call
    answer: Answer
    refusal: Callable[[DatabaseError], FhirRefused | None] = lambda error: None


def ask(question: Question, request: HttpRequest, *, entering: Call | None = None) -> HttpResponse | None:
    """Answer a question as the request's actor, bound already or by `entering` in the same statement.

    None when that is false, or when the question's answer is none.
    """
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        entered, row = row_of(question.call, actor, entering=entering)
    except DatabaseError as error:
        refused = question.refusal(error)
        if refused is None:
            raise
        raise refused from error
    return question.answer(request, row) if entered else None


def row_of(call: Call, actor: Actor, *, entering: Call | None) -> tuple[bool, Row | None]:
    """Whether the actor entered, and the row that the function answers, None when there is none.

    With `entering` the statement is a transaction of its own.
    """
    who = as_json(audit.who(actor))
    enter, values = ("true", ()) if entering is None else (entering.text, entering.arguments)
    places = ", ".join(["%s"] * len(call.arguments))
    # Without an actor the function, being strict, is not called; OFFSET keeps the two in this order.
    statement = (
        f"SELECT w.actor IS NOT NULL, a.* FROM (SELECT CASE WHEN {enter} THEN %s::jsonb END AS actor OFFSET 0) w"
        f" LEFT JOIN LATERAL {call.function}({places}, w.actor) a ON true"
    )
    send = ask_database if entering is None else ask_alone
    entered, *row = send(statement, [*values, who, *call.arguments])[0]
    return entered, None if row[0] is None else tuple(row)


def asked(question: Question, request: HttpRequest) -> HttpResponse:
    """Answer a question as the request's actor, who was bound already."""
    response = ask(question, request)
    if response is None:
        raise RuntimeError("Nobody entered, and nobody was asked to.")
    return response
