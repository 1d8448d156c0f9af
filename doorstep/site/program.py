"""The digest of the program: what decides whether a start has anything to bring up to date."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COUNTED = {".py", ".sql", ".csv", ".toml", ".lock", ".json", ".js", ".css"}


def digest() -> str:
    """SHA-256 over every file of the package, its built assets and the locked dependencies, by name and content."""
    found = hashlib.sha256()
    package = sorted(path for path in (ROOT / "doorstep").rglob("*") if path.suffix in _COUNTED and path.is_file())
    for path in [*package, ROOT / "requirements.lock"]:
        found.update(str(path.relative_to(ROOT)).encode() + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
