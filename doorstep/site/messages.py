"""English messages: every app keeps its pairs in i18n_en.tsv; this merges them into the catalogue that Django reads.

python -m doorstep.site.messages merge    writes doorstep/locale/en/LC_MESSAGES/django.po and .mo
python -m doorstep.site.messages missing  lists the Chinese messages that have no English, and fails if there are any
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

PACKAGE = Path(__file__).resolve().parents[1]
TARGET = PACKAGE / "locale/en/LC_MESSAGES"
METHODS = [
    ("**/tests/**", "ignore"),
    ("**/migrations/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**", "jinja2"),
]
OPTIONS = {"**/templates/**": {"encoding": "utf-8", "extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true"}}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "ngettext_lazy": (1, 2),
    "gettext_noop": None,
}


class MessageError(ValueError):
    """A line of a message file cannot be used; the text names file, line and cure."""


def pairs(package: Path = PACKAGE) -> dict[str, str]:
    """Chinese to English of all apps; one Chinese text has one English text in the whole house.

    Raises MessageError for a line without a tab, an empty side, or two different translations.
    """
    merged: dict[str, str] = {}
    for file in sorted(package.rglob("i18n_en.tsv")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            where = f"{file.relative_to(package.parent)} line {number}"
            chinese, tab, english = (part.replace("\\n", "\n") for part in line.partition("\t"))
            if not (tab and chinese.strip() and english.strip()):
                raise MessageError(f"{where}: write the Chinese text, one tab and the English text.")
            if merged.setdefault(chinese, english) != english:
                raise MessageError(f"{where}: {chinese!r} is already translated as {merged[chinese]!r}; use one.")
    return merged


def used(package: Path = PACKAGE) -> dict[str, str]:
    """Every message in code and templates, with the place of its first use."""
    found: dict[str, str] = {}
    for file, line, message, _comments, _context in extract_from_dir(
        package, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        for text in _texts(message):
            found.setdefault(text, f"{package.name}/{file}:{line}")
    return found


def missing(package: Path = PACKAGE) -> dict[str, str]:
    """The messages without English, with the place of their first use."""
    known = pairs(package)
    return {text: place for text, place in used(package).items() if text not in known}


def merge() -> Path:
    """Write the English catalogue, as text for people and compiled for Django, and return the folder."""
    catalog = Catalog(locale="en", project="doorstep", charset="utf-8", fuzzy=False)
    for chinese, english in sorted(pairs().items()):
        catalog.add(chinese, english)
    TARGET.mkdir(parents=True, exist_ok=True)
    with (TARGET / "django.po").open("wb") as text:
        write_po(text, catalog, omit_header=False)
    with (TARGET / "django.mo").open("wb") as compiled:
        write_mo(compiled, catalog)
    return TARGET


def main(arguments: list[str]) -> int:
    """Run merge or missing from the command line."""
    if arguments == ["merge"]:
        print(merge())
        return 0
    lost = missing()
    for text, place in lost.items():
        print(f"{place}\t{text}")
    return 1 if lost else 0


def _texts(message: str | tuple[str, ...]) -> Iterator[str]:
    """Only texts with a Chinese character: a format or a name alone is the same in both languages."""
    for text in (message,) if isinstance(message, str) else message:
        if text and any("\u4e00" <= character <= "\u9fff" for character in text):
            yield text


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MessageError as error:
        sys.exit(str(error))
