"""allauth's login views with what a demo shows beside them."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django.contrib.auth import REDIRECT_FIELD_NAME

from doorstep.demo.accounts import demo_code, listed


class DoorLoginView(LoginView):  # type: ignore[misc]
    """The login page; in a demo it offers the demo accounts."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the demo accounts."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"demo_accounts": listed(), "next_name": REDIRECT_FIELD_NAME}


class DoorAuthenticateView(AuthenticateView):  # type: ignore[misc]
    """The page of the second factor; for a demo account it shows the current code."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the code of a demo account, in a demo only."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"demo_code": demo_code(self.stage.login.user), "js_data": context.get("js_data")}
