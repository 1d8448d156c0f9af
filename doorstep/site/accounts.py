"""Login: closed sign-up, second factors for staff, the lock-out page. Sealed TOTP secrets."""

import base64
import math
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account import auth_backends
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.models import User
from doorstep.kernel.database.remembered import Remembered
from doorstep.kernel.web.pages import render
from doorstep.people.workforce.accounts import end_apps

# Pages that a member of staff without a second factor may open: setting one up, and leaving.
OPEN_WITHOUT_MFA = ("/accounts/", "/language/", "/static/", "/healthz", "/readyz")
NONCE_LENGTH = 12
MFA_SEEN = "mfa_seen"


class AuthenticationBackend(auth_backends.AuthenticationBackend):  # type: ignore[misc]
    """Passwords as allauth checks them; who a session belongs to is read at every page, by SQL that is written once."""

    def get_user(self, user_id: int) -> User | None:
        """The account of a session, None when it is closed."""
        user = _BY_ID.one(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


_BY_ID = Remembered(lambda user_id: User.objects.filter(id=user_id)[:1])


# What is wrong with a new password, by Django's codes.
_PASSWORD_FAULTS: dict[str, Any] = {
    "password_too_short": _("密码太短，请至少用 10 位。"),
    "password_too_common": _("这个密码太常见，请换一个别人想不到的。"),
    "password_entirely_numeric": _("密码不能全是数字，请加上字母或符号。"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by administrators; people write to nobody by e-mail."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("验证失败次数过多，请 15 分钟后再试。"),
        "username_password_mismatch": _("用户名或密码不正确，请核对后重新输入。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave counting of wrong passwords to axes: allauth's own counter would hide its page and its minutes."""

    def set_password(self, user: User, password: str) -> None:
        """Take an own password: what a manager has seen is over, and apps that were let in by the old one."""
        user.password_temporary_until = None
        end_apps(user)
        super().set_password(user, password)

    def clean_password(self, password: str, user: User | None = None) -> str:
        """Refuse the temporary password as the own one."""
        if user is not None and user.password_temporary_until is not None and user.check_password(password):
            raise ValidationError(_("新密码不能与临时密码相同，请另设一个。"))
        try:
            return str(super().clean_password(password, user))
        except ValidationError as error:
            raise ValidationError(
                [_PASSWORD_FAULTS.get(one.code or "", " ".join(one.messages)) for one in error.error_list]
            ) from error

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Lead on to the day's work."""
        return "/"


class RequireOwnPasswordMiddleware:
    """Sends a person with a temporary password to choose an own one before anything else; one that ran out ends the session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or redirect to the change of the password."""
        if request.path.startswith(OPEN_WITHOUT_MFA) or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        until = getattr(request.user, "password_temporary_until", None)
        if until is None:
            return self.get_response(request)
        if until > timezone.now():
            return HttpResponseRedirect(reverse("account_change_password"))
        logout(request)
        messages.error(request, _("临时密码已过期，请联系本单位管理者重新生成。"))
        return HttpResponseRedirect(reverse("account_login"))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: secrets sealed in the database, and the last one of a member of staff stays."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("验证码不正确或已过期，请输入验证器上最新的 6 位数字。"),
    }

    def get_totp_issuer(self) -> str:
        """Return the name that the authenticator app shows."""
        return "Doorstep"

    def encrypt(self, text: str) -> str:
        """Seal a secret with a key derived from the installation's field key."""
        nonce = os.urandom(NONCE_LENGTH)
        return base64.b64encode(nonce + AESGCM(_key()).encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret; raises InvalidTag when it was made with another key."""
        sealed = base64.b64decode(encrypted_text)
        return AESGCM(_key()).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], None).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse to remove the only second factor of a member of staff."""
        if authenticator.user.kind != User.Kind.STAFF:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=_FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())


_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class RequireMfaMiddleware:
    """Sends staff without a second factor to set one up before anything else; residents need none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or redirect to the activation."""
        if settings.STAFF_NEED_MFA and not request.path.startswith(OPEN_WITHOUT_MFA) and self._lacks_mfa(request):
            return HttpResponseRedirect(reverse("mfa_activate_totp"))
        return self.get_response(request)

    def _lacks_mfa(self, request: HttpRequest) -> bool:
        # Machines bring a token and no session.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return False
        user = request.user
        if not isinstance(user, User) or user.kind != User.Kind.STAFF or request.session.get(MFA_SEEN):
            return False
        if not Authenticator.objects.filter(user_id=user.pk, type__in=_FACTORS).exists():
            return True
        # Remembered for the session: the last factor cannot be removed (MfaAdapter), so the answer stays true.
        request.session[MFA_SEEN] = True
        return False


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: the page with the minutes that are left."""
    name = str((credentials or {}).get("username") or request.POST.get("login", ""))
    context = {"minutes": minutes_left(username=name, address=str(request.META.get("REMOTE_ADDR", "")))}
    return render(request, "account/locked.html", context, status=429)


def minutes_left(*, username: str, address: str) -> int:
    """Return the whole minutes until this person may try again from this address, at least 1."""
    attempt = AccessAttempt.objects.filter(username=username, ip_address=address).order_by("-attempt_time").first()
    if attempt is None:
        return math.ceil(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    left: timedelta = attempt.attempt_time + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, math.ceil(left.total_seconds() / 60))


def _key() -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"doorstep second factors")
    return derived.derive(str(settings.FIELD_KEY).encode())
