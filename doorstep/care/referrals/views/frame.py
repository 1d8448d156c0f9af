"""What every page of referrals shares: who asks, and the page of work with its list."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.care.referrals import presenters
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import page_or_part


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware bound to this request."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def work(
    request: HttpRequest, *, title: str, rows: list[Any], address: str, chosen: Any = None, hint: str = ""
) -> HttpResponse:
    """A list of referrals, and the chosen one beside it."""
    actor = actor_of(request)
    context = {
        "heading": title,
        "lines": presenters.lines_of(rows, chosen=chosen),
        "list_address": address,
        "chosen": chosen is not None,
        "thing": presenters.thing_of(chosen, actor=actor) if chosen is not None else None,
        "office": actor.may("REFERRAL_ACCEPT"),
        "hint": hint,
        "choices": presenters.choices_for(chosen, actor=actor) if chosen is not None else {},
    }
    return (
        page_or_part(request, "referrals/work.html", "list", context)
        if chosen is None
        else page_or_part(request, "referrals/work.html", "thing", context)
    )
