"""The installation's own secrets, in DIRECTORY/secrets.json: made once, readable by their owner only.

Without field_key the sealed names, numbers and addresses cannot be read again, so a backup without this file is
half a backup (docs/operate.md).
"""

import base64
import json
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from doorstep.kernel.database.embedded import Server

OWNER_ROLE = "doorstep_owner"
APP_ROLE = "doorstep_app"
DATABASE = "doorstep"
KEYS = ("secret_key", "field_key", "blind_index_key", "audit_key")


def ensure(directory: Path, *, server: Server) -> dict[str, str]:
    """Return the secrets of this directory; make them when there are none.

    Keys and passwords never change. The two addresses follow the server: a moved directory has another socket.
    """
    path = directory / "secrets.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = {name: found.get(name) or base64.b64encode(os.urandom(32)).decode() for name in KEYS}
    wanted["identity_key"] = found.get("identity_key") or _signing_key()
    for role in (OWNER_ROLE, APP_ROLE):
        password = f"{role}_password"
        wanted[password] = found.get(password) or secrets.token_urlsafe(24)
        wanted[f"database_url_{role.removeprefix('doorstep_')}"] = address(
            server, role=role, password=wanted[password], database=DATABASE
        )
    if wanted != found:
        write(path, wanted)
    return wanted


def _signing_key() -> str:
    """A private RSA key (PEM) by which the house signs who somebody is, for apps (OpenID Connect, RS256)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def address(server: Server, *, role: str, password: str, database: str) -> str:
    """The address of a database as one URL: user and password in front, the socket's folder as a parameter."""
    where = f"host={server.socket_directory}&port={server.port}"
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?{where}"


def write(path: Path, content: dict[str, str]) -> None:
    """Write beside the place and rename: a killed start leaves the whole old file or the whole new one."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
