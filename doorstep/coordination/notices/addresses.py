"""Where a notice leads: an address of its own, or the page of a thing such as "referral/<key>"."""

from collections.abc import Mapping

from django.urls import NoReverseMatch, reverse

_pages: dict[str, str] = {}


def install(pages: Mapping[str, str]) -> None:
    """Install the page of each machine's thing: {"referral": "referrals:detail"}; the site calls it once at start."""
    _pages.update(pages)


def address_of(link: str) -> str:
    """The address behind a link; "" when there is none or nobody serves it."""
    if not link or link.startswith("/"):
        return link
    kind, _slash, key = link.partition("/")
    if kind not in _pages:
        return ""
    try:
        return reverse(_pages[kind], args=[key])
    except NoReverseMatch:
        return ""
