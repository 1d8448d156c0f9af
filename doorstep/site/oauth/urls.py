"""Addresses of OAuth 2: the toolkit's own views."""

from django.urls import path
from oauth2_provider.views import IntrospectTokenView, RevokeTokenView, TokenView

from doorstep.site.oauth.views import AuthorizePage

app_name = "oauth"

urlpatterns = [
    path("authorize", AuthorizePage.as_view(), name="authorize"),
    path("token", TokenView.as_view(), name="token"),
    path("introspect", IntrospectTokenView.as_view(), name="introspect"),
    path("revoke", RevokeTokenView.as_view(), name="revoke-token"),
]
