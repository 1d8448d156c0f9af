"""What every page of referrals shares: who asks, and the page of work with its list."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from doorstep.care.referrals.list_queries import Page
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.navigation import belong_to
from doorstep.kernel.web.pages import page_or_part

# The characters of a national id; whatever is longer was scanned.
_NUMBER = 18


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware bound to this request."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def work(
    request: HttpRequest,
    *,
    title: str,
    page: Page,
    address: str,
    chosen: Any = None,
    refusal: presenters.Refusal | None = None,
    refused_code: tuple[str, str] = ("", ""),
    on_the_way: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """A list of referrals, and the chosen one beside it; one that has left the list stands on top of it.

    `refused_code` is what was scanned for the check-in or for taking over, and why it was not taken; `on_the_way` how many are (None: not asked).
    """
    belong_to(request, address)
    actor, rows = actor_of(request), page.rows
    if chosen is not None and all(row.pk != chosen.pk for row in rows):
        rows = [chosen, *rows]
    lines = presenters.lines_of(rows, chosen=chosen)
    own = next((line for line in lines if line.active), None)
    context = {
        "heading": title,
        "lines": lines,
        "list_address": address,
        "here": _at(address, request.GET.get("after", "")) if chosen is None else address,
        "next": _at(address, page.next) if page.next else "",
        "paged": bool(request.GET.get("after")) and chosen is None,
        "chosen": chosen is not None,
        "thing": presenters.thing_of(chosen, actor=actor, line=own, refusal=refusal) if chosen is not None else None,
        "office": actor.may("REFERRAL_ACCEPT"),
        "takes_over": address == reverse("referrals:returning") and actor.may("REFERRAL_RECEIVE_BACK"),
        # A scanner types behind what stands in the box: a code goes, a number that was typed stays to be mended.
        "refused_code": (refused_code[0] if len(refused_code[0]) <= _NUMBER else "", refused_code[1]),
        "on_the_way": on_the_way,
    }
    part = "list" if chosen is None else "thing"
    return page_or_part(request, "referrals/work.html", part, context, status=status)


def _at(address: str, after: str) -> str:
    """A list's address from a place on; the list itself without one."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'after': after})}" if after else address
