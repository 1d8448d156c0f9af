"""Reading a table of codes: CSV with the columns code, display_zh, display_en, parent, extra. No database."""

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doorstep.kernel.fhir import spelling

DATA = Path(__file__).parent / "data"
COLUMNS = ("code", "display_zh", "display_en", "parent", "extra")


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """One code system of the manifest."""

    file: str
    system: str
    version: str
    title_zh: str
    title_en: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One code."""

    code: str
    display_zh: str
    display_en: str
    parent: str
    extra: dict[str, str]
    initials: str


class TableRefused(Exception):
    """A table that cannot be taken; the text names file, line, column and cure."""


def manifest(folder: Path = DATA) -> list[SystemFacts]:
    """The code systems that a folder's manifest.toml lists."""
    listed = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))["system"]
    return [
        SystemFacts(
            **{
                name: entry[name]
                for name in ("file", "system", "version", "title_zh", "title_en", "source", "verified")
            }
        )
        for entry in listed
    ]


def rows(path: Path) -> Iterator[Row]:
    """The codes of a table; raises TableRefused at the first line that is wrong."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise TableRefused(f"{path.name}: 第 1 行应为 {','.join(COLUMNS)} / the first line must name these columns")
        for number, line in enumerate(reader, start=2):
            code = (line["code"] or "").strip()
            if not code or not line["display_zh"]:
                raise TableRefused(
                    f"{path.name}: 第 {number} 行缺少代码或中文名称 / line {number} lacks code or Chinese name"
                )
            if code in seen:
                raise TableRefused(
                    f"{path.name}: 第 {number} 行代码 {code} 重复，请删去一行 / line {number}: {code} is there twice"
                )
            seen.add(code)
            yield Row(
                code=code,
                display_zh=line["display_zh"],
                display_en=line["display_en"] or "",
                parent=line["parent"] or "",
                extra=_extra(line["extra"] or ""),
                initials="".join(spelling.initials(line["display_zh"]))[:120].lower(),
            )


def _extra(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip(): value.strip() or "yes" for name, _, value in pairs}
