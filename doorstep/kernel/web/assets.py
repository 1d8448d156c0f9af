"""Finds what the asset build wrote: scripts, styles and the icon sprite."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from markupsafe import Markup, escape

BUILT = Path(__file__).resolve().parent / "static/built"
_MANIFESTS = (BUILT / "manifest.json", BUILT / ".vite/manifest.json")
ICON_NAMES = Path(__file__).resolve().parents[3] / "frontend/icons.json"


class UnknownIcon(LookupError):
    """The icon is not in frontend/icons.json: add a line there and build the assets again."""


def built() -> bool:
    """Whether the assets have been built; pages say so at the top when they have not."""
    return _manifest_path() is not None


def asset(entry: str) -> Markup:
    """Return the link and script elements of frontend/entries/<entry>.ts; nothing before the first build."""
    path = _manifest_path()
    if path is None:
        return Markup("")
    return _elements(path, path.stat().st_mtime_ns, entry)


@lru_cache(maxsize=512)
def icon(name: str, css: str = "") -> Markup:
    """Return an icon of the sprite, hidden from screen readers; raises UnknownIcon for a name that is not listed."""
    if name not in _icon_names():
        raise UnknownIcon(f"Icon {name!r} is not in frontend/icons.json: add it there.")
    return Markup('<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        css, escape(static("built/icons.svg")), name
    )


def _manifest_path() -> Path | None:
    return next((path for path in _MANIFESTS if path.exists()), None)


@lru_cache(maxsize=64)
def _elements(path: Path, changed: int, entry: str) -> Markup:
    manifest = _manifest(path, changed)
    key = f"frontend/entries/{entry}.ts"
    if key not in manifest:
        raise LookupError(f"frontend/entries/{entry}.ts is not in {path.name}: build the assets again.")
    styles = dict.fromkeys(_styles(manifest, key, set()))
    links = [Markup('<link rel="stylesheet" href="{}">').format(_address(name)) for name in styles]
    script = Markup('<script type="module" src="{}"></script>').format(_address(manifest[key]["file"]))
    return Markup("\n").join([*links, script])


@lru_cache(maxsize=2)
def _manifest(path: Path, changed: int) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _icon_names() -> frozenset[str]:
    names: dict[str, str] = json.loads(ICON_NAMES.read_text(encoding="utf-8"))
    return frozenset(names)


def _styles(manifest: dict[str, Any], key: str, seen: set[str]) -> list[str]:
    if key in seen:
        return []
    seen.add(key)
    found: list[str] = []
    for imported in manifest[key].get("imports", []):
        found += _styles(manifest, imported, seen)
    return found + list(manifest[key].get("css", []))


def _address(name: str) -> str:
    return static(f"built/{name}")
