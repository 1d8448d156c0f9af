"""Every address × role × {own, parent, sister, foreign}: who may open it, and who does not even learn that it is there."""

import logging
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker

from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.roles import ROLES
from tests.access.pages import ACCOUNT, MACHINE, OPEN, PAGES, RESIDENT, STAFF, Page
from tests.access.scene import Scene, kept_scene

# What the address names is open to all who may see the page at all, or is not there for anybody.
UNOWNED = {"", "public", "stage"}
ABSENT = {"nobody", "nothing", "batch", "colleague", "proof", "slot_and_resident", "department_and_resident"}
# Seen only through a care relationship; the rest are rows of work that carry their own organisations.
BY_RELATIONSHIP = {"resident", "entry"}
NAME = "周桂兰"
QUARTERS = 4
STRANGERS = {"village_doctor", "specialist", "clinic_desk", "supervisor"}


def _addresses(patterns: list[URLPattern | URLResolver], spaces: tuple[str, ...] = ()) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, (*spaces, pattern.namespace) if pattern.namespace else spaces)
        else:
            yield ":".join((*spaces, pattern.name or str(pattern.pattern)))


def test_every_address_has_its_line() -> None:
    known = {name for name in _addresses(get_resolver().url_patterns) if not name.startswith(("account_", "mfa_"))}
    assert known == set(PAGES)
    assert set(ROLES) >= STRANGERS


def _open(client: Client, scene: Scene, name: str, page: Page) -> HttpResponse:
    keywords = {**scene.keywords.get(page.subject, {}), **dict(page.keywords)}
    try:
        address = reverse(name, kwargs=keywords)
    except NoReverseMatch:
        # Addresses under a resident call the key resident_key.
        address = reverse(name, kwargs={f"{page.subject}_key": keywords["key"]})
    return client.post(address) if page.post else client.get(address)  # type: ignore[return-value]


def _may(role: str, page: Page) -> bool:
    return not page.permissions or bool(page.permissions & ROLES[role].permissions)


def _sees(role: str, place: str, page: Page) -> bool:
    reached = place == "own" or (place == "parent" and ROLES[role].cascades)
    if page.subject in BY_RELATIONSHIP:
        return reached and ROLES[role].sees_records
    return reached


def _judge(answer: HttpResponse, role: str, place: str, page: Page) -> str:
    """What is wrong with an answer; empty when it is right.

    An act is tried with an empty form: where the thing is in sight it may be refused in any way, elsewhere it is not there.
    """
    status = answer.status_code
    if status >= 500:
        return f"{status}"
    seen = page.subject in UNOWNED or (page.subject not in ABSENT and _sees(role, place, page))
    if seen and _may(role, page):
        # 409: a printed form that there is only once the referral was accepted.
        return f"{status}, but this role may" if not page.post and status not in (200, 302, 409) else ""
    if not seen and page.subject and NAME in answer.content.decode(errors="replace"):
        return "names the resident"
    refused = {302, 403, 404} | ({405, 409, 422} if seen and page.post else set())
    if not seen and page.post and not _may(role, page):
        refused |= {405}
    return "" if status in refused else f"{status}, but this role may not"


def _worth_asking(role: str, place: str, page: Page) -> bool:
    """Whether a place can say more than the role's own one.

    What a role may not do is refused where everything is in its sight, so the rank of other places adds nothing; that strangers
    without the right read no name in the refusal is asked of some roles only.
    """
    if page.subject in UNOWNED:
        return place == "own"
    return place == "own" or _may(role, page) or (place == "foreign" and role in STRANGERS)


def _faults(client: Client, scene: Scene, role: str) -> list[str]:
    """What is wrong with the answers to a role at its four places; nothing of it stays."""
    wrong = []
    with transaction.atomic():
        for place in ("own", "parent", "sister", "foreign"):
            client.force_login(make_staff(name="甲", organization_id=scene.place(place), role=role))
            for name, page in PAGES.items():
                if page.door != STAFF or not _worth_asking(role, place, page):
                    continue
                found = _judge(_open(client, scene, name, page), role, place, page)
                if found:
                    wrong.append(f"{role} {place} {name}: {found}")
        transaction.set_rollback(True)
    return wrong


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    with kept_scene(django_db_blocker) as made:
        yield made


@pytest.mark.django_db
@pytest.mark.parametrize("first", range(QUARTERS))
def test_roles_at_each_place(client: Client, scene: Scene, first: int, caplog: pytest.LogCaptureFixture) -> None:
    """A quarter of the roles in each test, so that several workers have their share."""
    # Ten thousand refusals are what is asked for: nobody reads a line about each.
    caplog.set_level(logging.ERROR, logger="django.request")
    wrong = [fault for role in sorted(ROLES)[first::QUARTERS] for fault in _faults(client, scene, role)]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.django_db
def test_nobody_signed_in_is_sent_to_the_login(client: Client, scene: Scene) -> None:
    for name, page in PAGES.items():
        if page.door in (STAFF, RESIDENT):
            answer = _open(client, scene, name, page)
            assert answer.status_code in (302, 403, 404), name
            assert NAME not in answer.content.decode(errors="replace"), name
        elif page.door == MACHINE:
            assert _open(client, scene, name, page).status_code == 401, name
        elif page.door == OPEN:
            assert _open(client, scene, name, page).status_code < 500, name
        else:
            assert page.door == ACCOUNT
