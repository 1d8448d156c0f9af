"""Addresses of OAuth 2: the toolkit's own views."""

from django.urls import path
from oauth2_provider.views import RevokeTokenView, UserInfoView

from doorstep.site.oauth.views import AuthorizePage, Introspection, form_only, token

app_name = "oauth"

urlpatterns = [
    path("authorize", AuthorizePage.as_view(), name="authorize"),
    path("token", form_only(token), name="token"),
    path("userinfo", form_only(UserInfoView.as_view()), name="userinfo"),
    path("introspect", form_only(Introspection.as_view()), name="introspect"),
    path("revoke", form_only(RevokeTokenView.as_view()), name="revoke-token"),
]
