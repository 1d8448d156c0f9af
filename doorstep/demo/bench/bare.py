"""The yardstick of pages: settings, one view with one SELECT by key, and its WSGI application, without anything else."""

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

_secrets = json.loads((Path(os.environ["DOORSTEP_DATA"]) / "secrets.json").read_text(encoding="utf-8"))
_parts = urlsplit(_secrets["database_url_owner"])
_query = dict(pair.split("=", 1) for pair in _parts.query.split("&"))

SECRET_KEY = "bare"  # signs nothing
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "doorstep.demo.bench.bare"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _parts.path.lstrip("/"),
        "USER": unquote(_parts.username or ""),
        "PASSWORD": unquote(_parts.password or ""),
        "HOST": unquote(_query["host"]),
        "PORT": _query["port"],
        # The pool of the product: a bare view without it would measure the making of connections.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 10}},
    }
}


def one(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with a resident's initials."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name_initials FROM residents_resident WHERE id = %s", [number])
        row = cursor.fetchone()
    return HttpResponse(row[0] if row else "", content_type="text/plain")


urlpatterns = [path("<int:number>", one)]
application = get_wsgi_application()
