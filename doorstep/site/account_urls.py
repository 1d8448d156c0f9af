"""The part of allauth that we expose: log in, log out, change the password, second factors. No sign-up, no e-mail."""

from allauth.account import views as account
from django.urls import include, path

from doorstep.site import account_views

urlpatterns = [
    path("login/", account_views.DoorLoginView.as_view(), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("2fa/authenticate/", account_views.DoorAuthenticateView.as_view(), name="mfa_authenticate"),
    path("2fa/", include("allauth.mfa.urls")),
]
