"""Units as laboratories write them: which are UCUM as they stand (ucum.org), and need no decision of an engineer."""

import re

from doorstep.kernel.fhir.units import canonical

# The atoms that a laboratory means when it writes them. Others are UCUM as well and mean something else there: "G/L" are gauss a
# litre, "u/L" atomic masses, "b/min" barns, "pH" picohenries, "AU/mL" astronomical units. They wait for the engineer.
_MEANT = frozenset(
    ("m", "g", "l", "L", "mol", "osm", "eq", "U", "kat", "Pa", "bar", "m[Hg]", "J", "Cel", "%", "s", "min", "h", "d", "wk", "mo", "a")
)  # fmt: skip
_PREFIXES = frozenset(("k", "h", "d", "c", "m", "u", "n", "p", "f"))
_PREFIXED = frozenset(("m", "g", "l", "L", "mol", "osm", "eq", "U", "kat", "Pa", "m[Hg]", "J", "s"))
_ANNOTATION = re.compile(r"\{[^{}]*\}")
# A power of ten or a number.
_PLAIN = re.compile(r"10[*^][+-]?\d+|\d+")
_ATOM = re.compile(r"((?:[^\W\d]|%)*(?:\[[^\]]+\])?)([+-]?\d+)?")
# UCUM's own letter for the print sign of micro, which is two characters in Unicode.
_PRINTED = str.maketrans({"µ": "u", "μ": "u"})


def as_it_stands(text: str) -> str | None:
    """The UCUM code that a written unit is; None for one that is none, or that a laboratory may mean otherwise. Pure."""
    code = text.strip().translate(_PRINTED)
    parts = [part for part in re.split(r"[./()]", _ANNOTATION.sub("", code)) if part]
    return code if code.strip("/().") and canonical(code) is not None and all(map(_meant, parts)) else None


def _meant(part: str) -> bool:
    if _PLAIN.fullmatch(part):
        return True
    found = _ATOM.fullmatch(part)
    if found is None:
        return False
    atom = found[1]
    # A unit of the brackets ("[IU]") nobody writes by chance.
    return atom in _MEANT or atom.startswith("[") or (atom[:1] in _PREFIXES and _is_prefixed(atom[1:]))


def _is_prefixed(rest: str) -> bool:
    return rest in _PREFIXED or rest in ("[IU]", "[iU]")
