"""Looking codes up, by what a doctor types: code, Chinese words, English words or pinyin initials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Case, IntegerField, Q, Value, When

from doorstep.kernel.terminology.models import CodeSystem, Concept


@dataclass(frozen=True, slots=True)
class Code:
    """One code with its words."""

    system: str
    code: str
    zh: str
    en: str
    verified: bool
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)


def find(*, system: str, text: str, limit: int = 20) -> list[Code]:
    """Codes of the current version that fit the text, those that begin with it first."""
    text = text.strip()
    if not text:
        return []
    found = (
        Concept.objects.filter(system__uri=system, system__is_current=True)
        .filter(
            Q(code__istartswith=text)
            | Q(display_zh__contains=text)
            | Q(display_en__icontains=text)
            | Q(initials__startswith=text.lower())
        )
        .select_related("system")
        .annotate(
            rank=Case(
                When(code__istartswith=text, then=Value(0)),
                When(display_zh__startswith=text, then=Value(1)),
                When(initials__startswith=text.lower(), then=Value(2)),
                default=Value(3),
                output_field=IntegerField(),
            )
        )
        .order_by("rank", "code")[:limit]
    )
    return [_code(concept) for concept in found]


def every(*, system: str) -> list[Code]:
    """Every code of the current version in the order of its table: for a value set that a page offers whole."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True).select_related("system").order_by("id")
    return [_code(concept) for concept in found]


def lookup(*, system: str, codes: list[str]) -> dict[str, Code]:
    """The words of several codes of the current version, in one query; unknown codes are left out."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True, code__in=codes).select_related("system")
    return {concept.code: _code(concept) for concept in found}


def properties(*, system: str, name: str) -> dict[str, str]:
    """One property of every code of the current version ("group" of the medicines), for the codes that have it."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True, extra__has_key=name)
    return {code: str(extra[name]) for code, extra in found.values_list("code", "extra")}


def property_of(*, system: str, code: str) -> dict[str, str]:
    """Every property of one code of the current version; empty for an unknown code."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True, code=code)
    return {name: str(value) for name, value in (found.values_list("extra", flat=True).first() or {}).items()}


def _code(concept: Concept) -> Code:
    return Code(
        system=concept.system.uri,
        code=concept.code,
        zh=concept.display_zh,
        en=concept.display_en,
        verified=concept.system.verified,
        extra=concept.extra,
    )


_DESCENDANTS = """
WITH RECURSIVE below AS (
  SELECT c.code, c.system_id FROM terminology_concept c JOIN terminology_codesystem s ON s.id = c.system_id
   WHERE s.uri = %(system)s AND s.is_current AND c.parent = %(code)s
  UNION SELECT c.code, c.system_id FROM terminology_concept c JOIN below b ON c.system_id = b.system_id AND c.parent = b.code)
SELECT code FROM below ORDER BY code
"""
_ANCESTORS = """
WITH RECURSIVE above AS (
  SELECT c.parent, c.system_id FROM terminology_concept c JOIN terminology_codesystem s ON s.id = c.system_id
   WHERE s.uri = %(system)s AND s.is_current AND c.code = %(code)s
  UNION SELECT c.parent, c.system_id FROM terminology_concept c JOIN above a ON c.system_id = a.system_id AND c.code = a.parent)
SELECT parent FROM above WHERE parent <> '' ORDER BY parent
"""


def descendants(*, system: str, code: str) -> list[str]:
    """The codes below a code in the current version of a system, without itself."""
    return _codes(_DESCENDANTS, system, code)


def ancestors(*, system: str, code: str) -> list[str]:
    """The codes above a code in the current version of a system, without itself."""
    return _codes(_ANCESTORS, system, code)


def _codes(statement: str, system: str, code: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"system": system, "code": code})
        return [str(row[0]) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a code system is called: its current version, and whether its table was compared with the official one."""

    uri: str
    name: str
    version: str
    verified: bool


def facts(*, system: str) -> Facts | None:
    """The current version of a code system; None for one that was not imported."""
    found = CodeSystem.objects.filter(uri=system, is_current=True).first()
    return None if found is None else Facts(found.uri, found.title_zh, found.version, found.verified)


def parents(*, system: str) -> dict[str, str]:
    """The code above each code of the current version, for the codes that have one."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True).exclude(parent="")
    return dict(found.values_list("code", "parent"))


def parent(*, system: str, code: str) -> str:
    """The code above one code of the current version; "" for none."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True, code=code)
    return found.values_list("parent", flat=True).first() or ""


def children(*, system: str, code: str) -> list[str]:
    """The codes directly below one code of the current version."""
    found = Concept.objects.filter(system__uri=system, system__is_current=True, parent=code)
    return list(found.order_by("id").values_list("code", flat=True))
