"""Login, lock-out and second factors, through the pages."""

import re
import subprocess
import sys
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from doorstep.demo import accounts as demo_accounts
from doorstep.demo.accounts import demo_code
from doorstep.kernel.access.models import User
from doorstep.site.accounts import minutes_left

pytestmark = pytest.mark.django_db
PASSWORD = "right-Horse-73-battery"
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def empty_counters() -> None:
    cache.clear()


def make_user(name: str, **fields: Any) -> User:
    user = User.objects.create(username=name, **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(client: Client, name: str, password: str = PASSWORD) -> HttpResponse:
    return client.post(LOGIN, {"login": name, "password": password})  # type: ignore[return-value]


def test_login_page_speaks_chinese_and_english(client: Client) -> None:
    assert "忘记密码请联系本单位的系统管理员" in client.get(LOGIN).content.decode()
    assert "Content-Security-Policy" in client.get(LOGIN).headers
    client.get("/language/?lang=en")
    assert 'lang="en"' in client.get(LOGIN).content.decode()


def test_login_five_wrong_passwords_lock_even_the_right_one(client: Client) -> None:
    make_user("wang")
    make_user("chen", kind=User.Kind.RESIDENT)
    answers = [log_in(client, "wang", "wrong").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    locked = log_in(client, "wang")
    assert locked.status_code == 429
    assert re.search(r"请 1[45] 分钟后再试", locked.content.decode())
    assert minutes_left(username="wang", address="127.0.0.1") == 15
    assert log_in(client, "chen").status_code == 302


def test_login_wrong_password_names_the_cure(client: Client) -> None:
    make_user("wang")
    assert "用户名或密码不正确" in log_in(client, "wang", "wrong").content.decode()


def test_signup_is_not_served(client: Client) -> None:
    assert client.get("/accounts/signup/").status_code == 404
    assert client.get("/accounts/email/").status_code == 404


def test_staff_without_second_factor_must_set_one_up(client: Client, settings: Any) -> None:
    settings.STAFF_NEED_MFA = True
    client.force_login(make_user("wang"))
    answer = client.get("/_components/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")


def test_resident_needs_no_second_factor(client: Client, settings: Any) -> None:
    settings.STAFF_NEED_MFA = True
    client.force_login(make_user("chen", kind=User.Kind.RESIDENT))
    assert client.get("/_components/").status_code == 200


def with_totp(user: User) -> str:
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def test_login_with_totp_of_a_demo_account(client: Client, settings: Any) -> None:
    settings.STAFF_NEED_MFA = True
    user = make_user("demo-village", is_demo=True)
    secret = with_totp(user)
    first = log_in(client, "demo-village")
    assert (first.status_code, first["Location"]) == (302, "/accounts/2fa/authenticate/")
    page = client.get("/accounts/2fa/authenticate/").content.decode()
    shown = re.search(r"data-demo-code>(\d{6})<", page)
    assert shown is not None
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": shown.group(1)}).status_code == 302
    assert client.get("/_components/").status_code == 200
    stored = Authenticator.objects.get(user=user).data["secret"]
    assert secret not in stored
    assert get_adapter().decrypt(stored) == secret


def test_a_used_code_is_known_to_every_process(client: Client, settings: Any) -> None:
    settings.STAFF_NEED_MFA = True
    user = make_user("demo-village", is_demo=True)
    with_totp(user)
    code = demo_code(user)
    log_in(client, "demo-village")
    assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    key = f"allauth.mfa.totp.used?user={user.pk}&code={code}"
    elsewhere = f"from django.core.cache import cache; print(cache.get({key!r}), end='')"
    asked = subprocess.run([sys.executable, "-c", elsewhere], capture_output=True, text=True, check=True)
    assert asked.stdout == "y"
    log_in(again := Client(), "demo-village")
    assert again.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_demo_code_is_hidden_outside_a_demo(settings: Any) -> None:
    user = make_user("demo-village", is_demo=True)
    ordinary = make_user("wang")
    with_totp(user)
    with_totp(ordinary)
    assert len(demo_code(user)) == 6
    assert demo_code(ordinary) == ""
    settings.DEMO = False
    assert demo_code(user) == ""


def test_last_second_factor_of_staff_stays() -> None:
    staff = make_user("wang")
    resident = make_user("chen", kind=User.Kind.RESIDENT)
    with_totp(staff)
    with_totp(resident)
    adapter = get_adapter()
    assert adapter.can_delete_authenticator(Authenticator.objects.get(user=staff)) is False
    assert adapter.can_delete_authenticator(Authenticator.objects.get(user=resident)) is True


def test_login_page_lists_demo_accounts(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path
    assert demo_accounts.listed() == []
    account = demo_accounts.DemoAccount(
        username="demo-village",
        password=PASSWORD,
        role_label="村医",
        display_name="周石生",
        organization_name="枫溪村卫生室",
    )
    demo_accounts.write([account])
    assert demo_accounts.listed() == [account]
    assert 'data-fill-login="demo-village"' in client.get(LOGIN).content.decode()
    settings.DEMO = False
    assert "demo-village" not in client.get(LOGIN).content.decode()


def test_mfa_pages_render(client: Client) -> None:
    make_user("wang")
    log_in(client, "wang")
    for path in ("2fa/", "2fa/totp/activate/", "2fa/webauthn/", "2fa/webauthn/add/", "password/change/", "logout/"):
        answer = client.get(f"/accounts/{path}", follow=True)
        assert answer.status_code == 200, path
        assert "ds-" in answer.content.decode(), path


def test_mfa_pages_render_with_a_factor(client: Client) -> None:
    user = make_user("wang")
    log_in(client, "wang")
    with_totp(user)
    for path in ("2fa/", "2fa/totp/deactivate/", "2fa/recovery-codes/generate/"):
        answer = client.get(f"/accounts/{path}", follow=True)
        assert answer.status_code == 200, path
