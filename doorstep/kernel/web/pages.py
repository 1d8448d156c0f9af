"""Answers of views: a whole page, a named part of it for htmx, a redirect that both understand."""

import json
from collections.abc import Mapping
from typing import Any, cast

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from jinja2 import Environment
from jinja2_fragments import render_block

from doorstep.kernel.web.speaking import one_day


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Return the whole page."""
    with one_day():
        text = environment().get_template(template).render({"request": request, **(context or {})})
    return HttpResponse(text, status=status)


def render_part(
    request: HttpRequest, template: str, block: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Return one block of the page; waiting messages travel in a header and app.ts shows them as toasts."""
    with one_day():
        text = render_block(environment(), template, block, {"request": request, **(context or {})})
    response = HttpResponse(text, status=status)
    _send_messages(request, response)
    return response


def page_or_part(
    request: HttpRequest, template: str, block: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Return the block when htmx asks for it, otherwise the page: one URL, one view, one template."""
    response = (
        render_part(request, template, block, context, status)
        if wants_part(request)
        else render(request, template, context, status)
    )
    # A shared address has two bodies: keep a cached part from being shown as the page.
    response.headers["Vary"] = "HX-Request"
    return response


def redirect(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser on: 302 for a page, HX-Redirect for htmx, which would otherwise swap the next page in."""
    if not wants_part(request):
        return HttpResponseRedirect(address)
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asked for a part; a boosted link or a restored history entry asks for the page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def _send_messages(request: HttpRequest, response: HttpResponse) -> None:
    waiting = [{"text": str(message), "level": message.level_tag} for message in get_messages(request)]
    if waiting:
        # Header values are ASCII; json escapes the Chinese.
        response.headers["HX-Trigger"] = json.dumps({"doorstep:toasts": {"items": waiting}})


def environment() -> Environment:
    """Return the environment of the pages, as Django built it from the settings."""
    return cast("Jinja2", engines["jinja2"]).env
