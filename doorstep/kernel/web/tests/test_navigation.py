"""Which line of the navigation is lit: the one that the page belongs to, wherever its path lies."""

from collections.abc import Iterator
from copy import copy

import pytest
from django.test import RequestFactory

from doorstep.kernel.web import navigation
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.navigation import Entry


class Anybody:
    """A person who may open everything."""

    display_name = organization_name = role_label = "李长河"

    def may(self, permission: str) -> bool:
        """Always."""
        return bool(permission)


@pytest.fixture(autouse=True)
def entries() -> Iterator[None]:
    """Four pages of the product, and the installed ones back afterwards."""
    before = copy(navigation._entries)
    tabs = copy(navigation._tabs)
    navigation.install(
        [
            Entry(label="我的待办", icon="checks", url_name="home"),
            Entry(label="查找居民", icon="search", url_name="residents:find", also=("/allergies/",)),
            Entry(label="转出", icon="arrow", url_name="referrals:list"),
            Entry(label="下转建议", icon="home", url_name="referrals:proposals", also=("/referrals/service/",)),
        ],
        resident_tabs=tabs,
    )
    yield
    navigation.install(before, resident_tabs=tabs)


@pytest.mark.parametrize(
    ("path", "lit"),
    [
        ("/", ["我的待办"]),
        ("/notices/", []),
        ("/residents/", ["查找居民"]),
        ("/allergies/7a/", ["查找居民"]),
        ("/referrals/7a/", ["转出"]),
        ("/referrals/proposals/7a/", ["下转建议"]),
        ("/referrals/service/", ["下转建议"]),
    ],
)
def test_the_page_lights_its_line(path: str, lit: list[str]) -> None:
    assert url_if_known("referrals:proposals") == "/referrals/proposals/"
    links = navigation.links_for(RequestFactory().get(path), Anybody())
    assert [link.label for link in links if link.active] == lit
