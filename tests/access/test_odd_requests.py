"""Every page with what no browser sends: query strings and forms out of joint are answered with a page and never with a fault of ours.

DOORSTEP_FUZZ_SEEDS=20 walks so many seeds instead of one (CONTRIBUTING.md).
"""

import os
import random
import re
from datetime import date
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.roles import ROLES
from tests.access.pages import PAGES, RESIDENT, STAFF, Page
from tests.access.scene import Scene, make_scene

FIRST = 20_261_122
SEEDS = int(os.environ.get("DOORSTEP_FUZZ_SEEDS", "1"))
VALUES = (
    "", " ", "x", "-1", "0", "1", "9" * 30, "1.5", "1e400", "NaN", "中文", "\u202e", "𝌆", "\x00", "'--", "%", "<b>", "a" * 3_000, "true", "on",
    "2026-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "2026-11-22T25:00", "25:99", "2026-11-22T08:00,12", "1,x,,", "{}", "[[", "None",
    "00000000-0000-4000-8000-000000000001", "0-0-0", "../..", "http://[", "//x", "٣", "²", "2026-W60", "-9999999999999999999",
)  # fmt: skip
# What pages read from their addresses without showing a field for it.
NAMES = ("before", "after", "page", "q", "kind", "unit", "day", "from", "until", "state", "show", "sort", "disease", "span", "code", "slot", "next",
         "key", "id", "level", "month", "week", "team", "origin", "resident", "part", "cursor", "direction", "window")  # fmt: skip
_FIELD = re.compile(r'<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"')
_LINKED = re.compile(r"[?&](?:amp;)?([a-z_]+)=")
_KEPT = re.compile(r'name="(csrfmiddlewaretoken|idempotency_key)" value="([^"]*)"')


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_no_page_ever_fails(client: Client, seed: int) -> None:
    chance, scene = random.Random(seed), make_scene()
    users = {role: make_staff(name="甲", organization_id=scene.place("own"), role=role) for role in ROLES}
    own = _resident(scene)
    for name, page in PAGES.items():
        if page.door not in (STAFF, RESIDENT):
            continue
        user = own if page.door == RESIDENT else users[_role(page)]
        client.force_login(user)
        address = _address(scene, name, page)
        query = "&".join(f"{chance.choice(NAMES)}={quote(chance.choice(VALUES))}" for _ in range(chance.randint(0, 3)))
        seen = client.get(f"{address}?{query}", headers={"hx-request": "true"} if chance.random() < 0.3 else {})
        assert seen.status_code < 500, (name, query)
        names = _names(seen)  # type: ignore[arg-type]
        form: dict[str, object] = {one: chance.choice(VALUES) for one in chance.sample(names, chance.randint(1, 12))}
        if chance.random() < 0.8:
            form |= dict(_KEPT.findall(seen.content.decode(errors="replace")))
        if chance.random() < 0.2:
            content = chance.choice((b"", b"\xff\xd8", b"PK\x03\x04junk", b"<x>"))
            form[chance.choice(names)] = SimpleUploadedFile("x\u202e.dcm", content)
        assert client.post(address, form).status_code < 500, (name, form)


def _resident(scene: Scene) -> User:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=scene.loop.resident, since=date(2024, 1, 1))
    return user


def _role(page: Page) -> str:
    """The first role that may open the page."""
    return next(role for role, facts in ROLES.items() if not page.permissions or page.permissions & facts.permissions)


def _address(scene: Scene, name: str, page: Page) -> str:
    keywords = {**scene.keywords.get(page.subject, {}), **dict(page.keywords)}
    try:
        return reverse(name, kwargs=keywords)
    except NoReverseMatch:
        return reverse(name, kwargs={f"{page.subject}_key": keywords["key"]})


def _names(seen: HttpResponse) -> list[str]:
    """The names that a page sends in its forms and its links, and those that pages read beside them."""
    text = seen.content.decode(errors="replace") if not seen.streaming else ""
    return sorted({*_FIELD.findall(text), *_LINKED.findall(text), *NAMES})
