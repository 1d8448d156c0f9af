"""The Jinja2 environment of every page: loader, languages, filters and globals."""

import time
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.utils import translation
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from doorstep.kernel.web import assets, codes, formats
from doorstep.kernel.web.addressing import url, url_if_known
from doorstep.kernel.web.compiling import LeanEnvironment
from doorstep.kernel.web.components import Components
from doorstep.kernel.web.field_presenter import describe_field, sentences_of
from doorstep.kernel.web.shell import shell_of
from doorstep.kernel.web.speaking import gettext


def environment(**options: Any) -> LeanEnvironment:
    """Build the environment that settings.TEMPLATES names; a name that is not in the context raises an error."""
    options |= {
        "loader": FileSystemLoader(_template_directories()),
        "undefined": StrictUndefined,
        "autoescape": True,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n", "jinja2.ext.loopcontrols", "jinja2.ext.do"],
    }
    made = LeanEnvironment(**options)
    made.policies["ext.i18n.trimmed"] = True
    # The functions look the language up at each call, so one environment serves every language.
    cast("Any", made).install_gettext_callables(
        gettext=gettext, ngettext=translation.ngettext, newstyle=True, pgettext=translation.pgettext
    )
    made.filters.update(_filters())
    made.globals.update(_globals(), _=_spoken, ui=Components(made))
    return made


def _spoken(text: Any, /, **variables: Any) -> Any:
    """A text in the reader's language, for words of ours and for labels that rows bring along.

    Jinja's own function takes whatever it is given for markup and for a format: a title that somebody typed would
    become HTML, and a unit of "%" an error. Here a text stays text; only what is already markup may bring markup in.
    """
    said = gettext(text if type(text) is str else str(text))
    if not variables:
        return said
    return (escape(said) if any(hasattr(value, "__html__") for value in variables.values()) else said) % variables


def csrf_token(request: HttpRequest) -> str:
    """Return the token of this page: masked once, however many forms the page has."""
    made: str | None = getattr(request, "_doorstep_token", None)
    if made is None:
        made = request._doorstep_token = get_token(request)  # type: ignore[attr-defined]
    return made


def csrf_input(request: HttpRequest) -> Markup:
    """Return the hidden field that proves a form came from our own page."""
    return Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">').format(csrf_token(request))


def idempotency_input() -> Markup:
    """Return a hidden fresh key, so that a double click or a resend does its work once."""
    return Markup('<input type="hidden" name="idempotency_key" value="{}">').format(uuid.uuid4())


@lru_cache(maxsize=256)
def _static(path: str) -> str:
    return static(path)


def _now_seconds() -> int:
    return int(time.time())


def _template_directories() -> list[Path]:
    ours = [config for config in apps.get_app_configs() if config.name.startswith("doorstep.")]
    return [Path(config.path) / "templates" for config in ours]


def _filters() -> dict[str, Any]:
    return {
        "moment": formats.moment,
        "moment_short": formats.moment_short,
        "ago": formats.ago,
        "day": formats.day,
        "day_spoken": formats.day_spoken,
        "age": formats.age,
        "duration": formats.duration,
        "number": formats.number,
        "percent": formats.percent,
        "masked_id": formats.masked_id,
        "masked_phone": formats.masked_phone,
        "masked_name": formats.masked_name,
    }


def _globals() -> dict[str, Any]:
    return {
        "static": _static,
        "asset": assets.asset,
        "assets_built": assets.built,
        "icon": assets.icon,
        # The same under a name that a macro parameter named icon does not hide.
        "draw_icon": assets.icon,
        "qr_svg": codes.qr_svg,
        "describe_field": describe_field,
        "sentences_of": sentences_of,
        "url": url,
        "url_if_known": url_if_known,
        "csrf_input": csrf_input,
        # Django's own backend puts a lazy text named csrf_input in the context, which hides the function above.
        "csrf_field": csrf_input,
        "csrf_token_of": csrf_token,
        "idempotency_input": idempotency_input,
        "messages_of": get_messages,
        "shell_of": shell_of,
        "language": translation.get_language,
        "now_seconds": _now_seconds,
    }
