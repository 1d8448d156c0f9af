"""Pages, parts, redirects, languages, headers and error pages."""

import json
import logging
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from jinja2 import DictLoader, UndefinedError
from psycopg.errors import LockNotAvailable
from psycopg_pool import PoolTimeout

from doorstep.kernel.web import errors, pages
from doorstep.kernel.web.middleware import SecurityHeadersMiddleware
from doorstep.kernel.web.shell import live_origin

PART = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small templates in place of the real ones."""
    texts = {"t.html": "<p>{% block part %}{{ word }} {{ ui.tag('x') }}{% endblock %}</p>"}
    made = pages.environment().overlay(loader=ChoiceOf(texts))
    monkeypatch.setattr(pages, "environment", lambda: made)


class ChoiceOf(DictLoader):
    """The given texts."""


def request_of(**extra: Any) -> HttpRequest:
    request = RequestFactory().get("/somewhere", **extra)
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


def test_page_or_part_answers_page_or_block(templates: None) -> None:
    context = {"word": "<你好>"}
    page = pages.page_or_part(request_of(), "t.html", "part", context).content.decode()
    part = pages.page_or_part(request_of(**PART), "t.html", "part", context, 422)
    assert page.startswith("<p>&lt;你好&gt;")
    assert part.content.decode().startswith("&lt;你好&gt;")
    assert part.status_code == 422
    assert part.headers["Vary"] == "HX-Request"


def test_render_refuses_an_unknown_name(templates: None) -> None:
    with pytest.raises(UndefinedError):
        pages.render(request_of(), "t.html", {})


def test_part_carries_messages_in_a_header(templates: None) -> None:
    request = request_of(**PART)
    messages.success(request, "已保存")
    header = pages.render_part(request, "t.html", "part", {"word": ""}).headers["HX-Trigger"]
    assert header.isascii()
    assert json.loads(header)["doorstep:toasts"]["items"] == [{"text": "已保存", "level": "success"}]


def test_redirect_speaks_to_browser_and_htmx() -> None:
    assert pages.redirect(request_of(), "/next").status_code == 302
    answer = pages.redirect(request_of(**PART), "/next")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/next")
    restored = request_of(**PART, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert pages.redirect(restored, "/next").status_code == 302


@pytest.mark.django_db
def test_headers_allow_nothing_inline(client: Client) -> None:
    headers = client.get("/_components/").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_pages_hold_nothing_that_the_policy_refuses(client: Client) -> None:
    for path in ("/_components/", "/accounts/login/", "/nothing-here"):
        text = client.get(path).content.decode()
        assert " style=" not in text, path
        assert "<style" not in text, path
        assert " onclick=" not in text, path


def test_live_origin_follows_the_typed_host(settings: Any) -> None:
    request = RequestFactory().get("/", HTTP_HOST="localhost:8000")
    settings.LIVE_URL = ":8001"
    assert live_origin(request) == "http://localhost:8001"
    response = SecurityHeadersMiddleware(lambda given: HttpResponse())(request)
    assert "connect-src 'self' http://localhost:8001;" in response.headers["Content-Security-Policy"]
    settings.LIVE_URL = "https://live.example/"
    assert live_origin(request) == "https://live.example"


@pytest.mark.django_db
def test_language_switch_stays_and_leads_back(client: Client) -> None:
    assert 'lang="zh-Hans"' in client.get("/_components/").content.decode()
    answer = client.get("/language/?lang=en&next=/_components/")
    assert (answer.status_code, answer["Location"]) == (302, "/_components/")
    assert 'lang="en"' in client.get("/_components/").content.decode()
    assert client.get("/language/?lang=zh-hans&next=https://evil.example/")["Location"] == "/"
    assert 'lang="zh-Hans"' in client.get("/_components/", headers={"accept-language": "en"}).content.decode()


@pytest.mark.parametrize("status", sorted(errors.EXPLANATIONS))
def test_error_page_says_three_things(status: int) -> None:
    answer = errors.error_page(RequestFactory().get("/x"), status)
    text = answer.content.decode()
    assert answer.status_code == status
    for words in ("发生了什么", "保存了什么", "现在怎么做", str(errors.EXPLANATIONS[status].next)):
        assert words in text


def test_error_page_below_fhir_is_an_outcome() -> None:
    answer = errors.error_page(RequestFactory().get("/fhir/Patient/1"), 404)
    assert json.loads(answer.content)["issue"][0]["code"] == "not-found"
    assert answer.headers["Content-Type"] == "application/fhir+json"


def test_error_page_for_htmx_is_a_sentence() -> None:
    text = errors.error_page(
        RequestFactory().get("/x", headers={"HX-Request": "true"}), 409, happened="已由<何敏>接收"
    ).content.decode()
    assert "<html" not in text
    assert "已由&lt;何敏&gt;接收" in text


def test_server_error_reference_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="doorstep.web"):
        try:
            raise ValueError("broken")
        except ValueError:
            answer = errors.server_error(RequestFactory().get("/x"))
    reference = answer.content.decode().split("<code>")[1].split("</code>")[0]
    assert answer.status_code == 500
    assert f"reference {reference}" in caplog.text
    assert "broken" not in answer.content.decode()


def test_server_error_without_database_is_503() -> None:
    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = errors.server_error(RequestFactory().get("/x"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_database_is_away_knows_a_lock_from_a_lost_server() -> None:
    locked = OperationalError("lock")
    locked.__cause__ = LockNotAvailable()
    assert errors.database_is_away(locked) is False
    assert errors.database_is_away(PoolTimeout("none free")) is True
    assert errors.database_is_away(None) is False


def test_bad_request_over_the_limit_is_413() -> None:
    assert errors.bad_request(RequestFactory().post("/x"), RequestDataTooBig()).status_code == 413
    assert errors.bad_request(RequestFactory().post("/x"), ValueError()).status_code == 400


@pytest.mark.django_db
def test_csrf_failure_is_explained() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a"})
    assert answer.status_code == 403
    assert "页面已过期" in answer.content.decode()


@pytest.mark.django_db
def test_unknown_address_is_404_with_our_page(client: Client) -> None:
    answer = client.get("/nothing-here")
    assert answer.status_code == 404
    assert "找不到这个页面" in answer.content.decode()


def test_a_conflict_leads_back_to_the_page_it_came_from() -> None:
    def page(referer: str) -> str:
        request = RequestFactory().post("/referrals/1/act/accept/", headers={"Referer": referer})
        return errors.error_page(request, 409).content.decode()

    assert 'class="btn btn-primary" href="/referrals/1/?tab=2"' in page("http://testserver/referrals/1/?tab=2")
    for strange in ("", "https://elsewhere.example/referrals/1/", "javascript:alert(1)"):
        assert 'class="btn btn-primary" href="/"' in page(strange)
