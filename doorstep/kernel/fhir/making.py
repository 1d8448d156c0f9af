"""Tables that are made from the official definitions once per installation, and anew when their builder has changed."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(__file__).parent / "built"


def table(name: str, sources: Sequence[str], build: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """The table of a builder, made first where there is none of this builder's yet; RuntimeError without the definitions."""
    # What the builder looks like: another builder makes another file.
    text = b"".join((Path(__file__).parent / source).read_bytes() for source in sources)
    file = BUILT / f"{name}-{hashlib.sha256(text).hexdigest()[:16]}.json"
    if not file.exists():
        _make(file, name, build)
    found: dict[str, Any] = orjson.loads(file.read_bytes())
    return found


def _make(file: Path, name: str, build: Callable[[Path], dict[str, Any]]) -> None:
    """Write the table; processes that start together each write the same and the last one stays."""
    try:
        made = build(ROOT / "node_modules")
    except FileNotFoundError as error:
        raise RuntimeError("The FHIR definitions are missing: run bin/run or bin/_prepare once.") from error
    BUILT.mkdir(exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}.new")
    draft.write_bytes(orjson.dumps(made))
    draft.replace(file)
    for old in BUILT.glob(f"{name}-*.json"):
        if old != file:
            old.unlink(missing_ok=True)
