"""allauth's login views with what a demo shows beside them."""

import time
from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME

from doorstep.kernel.access.models import User
from doorstep.site import demo_accounts

TOTP_SECONDS = 30


class DoorLoginView(LoginView):  # type: ignore[misc]
    """The login page; in a demo it offers the demo accounts."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the demo accounts."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"demo_accounts": demo_accounts.listed(), "next_name": REDIRECT_FIELD_NAME}


class DoorAuthenticateView(AuthenticateView):  # type: ignore[misc]
    """The page of the second factor; for a demo account it shows the current code."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the code of a demo account, in a demo only."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"demo_code": demo_code(self.stage.login.user), "js_data": context.get("js_data")}


def demo_code(user: User) -> str:
    """Return the one-time code of this moment for an account flagged as demo while DEMO is on, otherwise ""."""
    if not settings.DEMO or not user.is_demo:
        return ""
    authenticator = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()
    if authenticator is None:
        return ""
    counter = int(time.time()) // TOTP_SECONDS
    return str(format_hotp_value(hotp_value(decrypt(authenticator.data["secret"]), counter)))
