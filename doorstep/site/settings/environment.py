"""Typed values from the environment; a missing one stops the start with a sentence."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from doorstep.kernel.database.pooled import PooledConnection


def text(name: str, default: str | None = None) -> str:
    """Return the variable's text; without a default a missing one raises ImproperlyConfigured."""
    value = os.environ.get(name, default)
    if value is None or value == "":
        if default == "":
            return ""
        raise ImproperlyConfigured(f"Set the environment variable {name}: see docs/operate.md.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return True for 1, true, yes or on, in any case."""
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def data_directory() -> Path:
    """The directory that holds the database, the secrets and the backups of this installation."""
    return Path(text("DOORSTEP_DATA", str(Path(__file__).resolve().parents[3] / ".doorstep"))).resolve()


def secrets(directory: Path) -> dict[str, str]:
    """Read the installation's own secrets, written once with mode 600 when its data directory was made."""
    path = directory / "secrets.json"
    if not path.exists():
        raise ImproperlyConfigured(
            f"{path} is missing: start once with bin/run, or run bin/doorstep initialize --data {directory}."
        )
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def database(secrets: dict[str, str], *, role: str) -> dict[str, Any]:
    """Django's form of the database of a role, app or owner.

    The address is DATABASE_URL (DATABASE_URL_OWNER for the owner), else the embedded one in the secrets, written as
    postgresql://user:password@host:port/name?host=/socket. The application has a pool and hurries; the owner's
    migrations and bulk loads have one connection and all the time they need.
    """
    variable = "DATABASE_URL" if role == "app" else f"DATABASE_URL_{role.upper()}"
    parts = urlsplit(text(variable, secrets.get(f"database_url_{role}")))
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    session = "-c timezone=UTC -c lock_timeout=5000 -c statement_timeout=30000" if role == "app" else "-c timezone=UTC"
    options: dict[str, Any] = {"options": session}
    if role == "app":
        # A pool that lost its server waits longer and longer between its tries; from ten seconds on every request tries anew.
        pool = {"min_size": 1, "max_size": 16, "timeout": 10, "reconnect_timeout": 10}
        options["pool"] = {**pool, "connection_class": PooledConnection}
        # Only what is declared as remembered is sent in a form that can be planned once (kernel/database/remembered.py).
        options["prepare_threshold"] = 3
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or query.get("port", "5432")),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
