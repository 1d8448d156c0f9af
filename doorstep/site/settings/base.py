"""What every mode shares. The mode is chosen by DJANGO_SETTINGS_MODULE; values come from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from doorstep.site.settings import environment

ROOT = Path(__file__).resolve().parents[3]
DATA = environment.data_directory()
SECRETS = environment.secrets(DATA)

SECRET_KEY = SECRETS["secret_key"]
# Fields that identify a person are sealed with this key; the second one keys the blind index of exact search.
FIELD_KEY = SECRETS["field_key"]
FIELD_CIPHER = environment.text("DOORSTEP_FIELD_CIPHER", "AES-256-GCM")
BLIND_INDEX_KEY = SECRETS["blind_index_key"]
AUDIT_KEY = SECRETS["audit_key"]
# Keys that signed before, each a PEM file: apps go on checking by them while the last tokens live (docs/fhir/oauth.md).
FORMER_IDENTITY_KEYS = [
    Path(one).read_text(encoding="ascii")
    for one in environment.text("DOORSTEP_FORMER_IDENTITY_KEYS", "").split(",")
    if one
]

DEBUG = False
ALLOWED_HOSTS = environment.text("DOORSTEP_HOSTS", "127.0.0.1,localhost").split(",")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "oauth2_provider",
    "procrastinate.contrib.django",
    "django_htmx",
    "doorstep.kernel.database",
    "doorstep.kernel.access",
    "doorstep.kernel.audit",
    "doorstep.kernel.events",
    "doorstep.kernel.record",
    "doorstep.kernel.worklist",
    "doorstep.kernel.workflow",
    "doorstep.kernel.jobs",
    "doorstep.kernel.files",
    "doorstep.kernel.terminology",
    "doorstep.kernel.fhir",
    "doorstep.kernel.web",
    "doorstep.kernel.exchange",
    "doorstep.kernel.subscriptions",
    "doorstep.people.organizations",
    "doorstep.people.workforce",
    "doorstep.people.residents",
    "doorstep.people.identity",
    "doorstep.coordination.scheduling",
    "doorstep.coordination.beds",
    "doorstep.coordination.notices",
    "doorstep.coordination.visits",
    "doorstep.coordination.allergies",
    "doorstep.coordination.recognition",
    "doorstep.coordination.hospital_systems",
    "doorstep.care.contracts",
    "doorstep.care.diagnosis",
    "doorstep.care.referrals",
    "doorstep.steering.indicators",
    "doorstep.demo",
    "doorstep.site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "doorstep.kernel.web.middleware.SecurityHeadersMiddleware",
    "doorstep.kernel.web.middleware.LanguageMiddleware",
    "doorstep.site.middleware.MachineMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "doorstep.site.middleware.ActorMiddleware",
    "doorstep.site.accounts.RequireOwnPasswordMiddleware",
    "doorstep.site.accounts.RequireMfaMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "doorstep.site.urls"
WSGI_APPLICATION = "doorstep.site.wsgi.application"
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "doorstep.site.accounts.AuthenticationBackend",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The role "app" cannot bypass row-level security; only migrations and bulk loads run as "owner".
DATABASE_ROLE = environment.text("DOORSTEP_DATABASE_ROLE", "app")
DATABASES: dict[str, dict[str, Any]] = {"default": environment.database(SECRETS, role=DATABASE_ROLE)}

# Controls of forms by compiled templates: a page of work with its dialogs has dozens, each several templates.
FORM_RENDERER = "django.forms.renderers.Jinja2"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": False,
        "DIRS": [],
        "OPTIONS": {"environment": "doorstep.kernel.web.templating.environment"},
    },
    {
        # allauth's own pages are Django templates; kernel/web/templates/account and …/mfa take their place.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [ROOT / "doorstep/locale"]
USE_I18N = True
USE_TZ = True
# Instants are stored in UTC; people see China time.
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path] = []
STATIC_ROOT = ROOT / "build/static"

SESSION_ENGINE = "doorstep.kernel.web.sessions"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "doorstep.kernel.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["doorstep.kernel.web.uploads.BoundedFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "doorstep.site.accounts.AccountAdapter"
MFA_ADAPTER = "doorstep.site.accounts.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Staff without a second factor are sent to set one up before anything else.
STAFF_NEED_MFA = True
# Wrong passwords are counted by axes, per person and address in the database, so that its page with the minutes that
# remain is what people see. allauth counts wrong one-time codes; a whole hospital may log in from one address at eight.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "10/15m/key"}
# What allauth counts and which codes are used up: in files, so that every process knows it and a restart forgets nothing. Not in the
# database: a count there ends with the request's transaction, and all who log in from one address would wait for one row.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA / "limits",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "doorstep.site.accounts.locked_out"

# Server push: "" means that the live process answers on the pages' own address under /live/; ":8001" means that port
# of the host name in the browser's address line, because cookies are bound to the name.
LIVE_URL = environment.text("DOORSTEP_LIVE_URL", "")
# Origins of pages that may listen besides the live process's own host.
LIVE_PAGE_ORIGINS = [one for one in environment.text("DOORSTEP_PAGE_ORIGINS", "").split(",") if one]
DEMO = False

# OAuth 2 for machines and apps (doorstep/site/oauth): SMART scopes, codes only with PKCE, refresh tokens used once.
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "doorstep.site.oauth.validator.Validator",
    "SCOPES_BACKEND_CLASS": "doorstep.site.oauth.scopes.SmartScopes",
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(timedelta(days=30).total_seconds()),
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
    # Who signed in, for apps: OpenID Connect with the house's own key.
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": SECRETS["identity_key"],
    "OIDC_RSA_PRIVATE_KEYS_INACTIVE": FORMER_IDENTITY_KEYS,
    "ID_TOKEN_EXPIRE_SECONDS": 300,
    # RFC 9700: tokens are kept as hashes, and the ways to a token that it warns of are shut.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
}
# Hosts of internal networks (host or host:port) at which systems may publish their keys; hosts of the public internet need no mention.
KEY_HOSTS = [one.strip() for one in environment.text("DOORSTEP_KEY_HOSTS", "").split(",") if one.strip()]
# Where the requests of clients are counted: one file for all processes of this machine (kernel/fhir/limits.py).
FHIR_LIMITS = DATA / "fhir-limits"
# Requests of one client a minute; the next ones are told when to come again.
FHIR_REQUESTS_A_MINUTE = int(environment.text("DOORSTEP_FHIR_REQUESTS_A_MINUTE", "200000"))

# How long the files of a bulk export are kept after it is finished; the manifest's `Expires` says the same.
EXPORT_KEPT_HOURS = int(environment.text("DOORSTEP_EXPORT_KEPT_HOURS", "168"))
# How long an import of NDJSON that ended answers for itself, with the lines that were refused.
IMPORT_KEPT_DAYS = int(environment.text("DOORSTEP_IMPORT_KEPT_DAYS", "90"))

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
