"""The functions of FHIRPath that R4's invariants and patches call; each maker turns arguments into a step."""

import operator as operators
import re
from collections.abc import Callable, Iterable
from typing import Any

from doorstep.kernel.fhir.decimals import Exact
from doorstep.kernel.fhir.fhirpath.comparing import equal
from doorstep.kernel.fhir.fhirpath.nodes import Collection, Node, children, descendants

# A step's second argument is the context; it is only handed on here.
Step = Callable[[Collection, Any], Collection]
Maker = Callable[[list[Step]], Step]
_URIS = {"uri", "url", "canonical", "oid", "uuid"}
LOGIC: dict[str, Callable[[bool | None, bool | None], bool | None]] = {
    "and": lambda first, second: False if second is False else (None if first is None or second is None else True),
    "or": lambda first, second: True if second is True else (None if first is None or second is None else False),
    "xor": lambda first, second: None if first is None or second is None else first is not second,
    "implies": lambda first, second: True if second is True else (None if first is None else second),
}


def is_type(node: Node, name: str) -> bool:
    """Whether a node is of a type; the JSON of a text does not tell a uri from a string, so there a text is either."""
    kind = node.kind()
    wanted = name if name[:1].islower() or isinstance(node.value, dict) else name[0].lower() + name[1:]
    if kind == wanted:
        return True
    return kind == "string" and not node.type and wanted in _URIS


def distinct(found: Collection) -> Collection:
    """Each value once, in the order of its first coming."""
    seen: dict[Any, Node] = {}
    others: Collection = []
    for one in found:
        if isinstance(one.value, dict | list):
            if not any(equal(one, other) for other in others):
                others.append(one)
        else:
            seen.setdefault((type(one.value) is bool, one.value), one)
    return [*seen.values(), *others]


def calculated(operator: str, first: Any, second: Any) -> Any:
    """A sum, difference, product or quotient; None when there is none."""
    if operator == "+" and isinstance(first, str) and isinstance(second, str):
        return first + second
    if not isinstance(first, int | float) or not isinstance(second, int | float):
        return None
    if operator in ("/", "div", "mod") and second == 0:
        return None
    return _ARITHMETIC[operator](first, second)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": operators.truediv,
    "div": operators.floordiv,
    "mod": operators.mod,
}


def _truth(value: bool) -> Collection:
    return [Node(value)]


def _holds(found: Collection) -> bool:
    return bool(found) and (found[0].value is not False or len(found) > 1)


def _filtering(keep: Callable[[Collection, list[Node]], Collection]) -> Maker:
    """A maker for functions whose one argument is asked of each item."""

    def maker(steps: list[Step]) -> Step:
        (criterion,) = steps
        return lambda source, context: keep(source, [one for one in source if _holds(criterion([one], context))])

    return maker


def _plain(run: Callable[[Collection], Collection]) -> Maker:
    """A maker for functions without arguments, or whose argument only names a trace."""
    return lambda steps: lambda source, context: run(source)


def _exists(steps: list[Step]) -> Step:
    if not steps:
        return lambda source, context: _truth(bool(source))
    return lambda source, context: _truth(any(_holds(steps[0]([one], context)) for one in source))


def _select(steps: list[Step]) -> Step:
    return lambda source, context: [child for one in source for child in steps[0]([one], context)]


def _iif(steps: list[Step]) -> Step:
    def step(source: Collection, context: Any) -> Collection:
        chosen = steps[1] if _holds(steps[0](source, context)) else (steps[2] if len(steps) > 2 else None)
        return chosen(source, context) if chosen else []

    return step


def _with_other(run: Callable[[Collection, Collection], Collection]) -> Maker:
    """A maker for functions whose argument is a collection of its own, seen from $this."""

    def maker(steps: list[Step]) -> Step:
        return lambda source, context: run(source, steps[0]([context.this], context))

    return maker


def _text(run: Callable[..., Any]) -> Maker:
    """A maker for functions of one text and the values of their arguments."""

    def maker(steps: list[Step]) -> Step:
        def step(source: Collection, context: Any) -> Collection:
            if len(source) != 1 or not isinstance(source[0].value, str):
                return []
            given = [step([context.this], context) for step in steps]
            if any(len(one) != 1 for one in given):
                return []
            result = run(source[0].value, *(one[0].value for one in given))
            return [] if result is None else [Node(result)]

        return step

    return maker


def _of_type(steps: list[Step]) -> Step:
    def step(source: Collection, context: Any) -> Collection:
        name = str(steps[0](source, context)[0].value)
        return [one for one in source if is_type(one, name)]

    return step


def _is(steps: list[Step]) -> Step:
    def step(source: Collection, context: Any) -> Collection:
        name = str(steps[0](source, context)[0].value)
        return [Node(is_type(one, name)) for one in source[:1]]

    return step


def _to_integer(source: Collection) -> Collection:
    value = source[0].value if len(source) == 1 else None
    if isinstance(value, bool | int):
        return [Node(int(value))]
    return [Node(int(value))] if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value) else []


def _to_string(source: Collection) -> Collection:
    value = source[0].value if len(source) == 1 else None
    if isinstance(value, bool):
        return [Node(str(value).lower())]
    if isinstance(value, Exact):
        return [Node(value.text)]
    return [] if value is None or isinstance(value, dict) else [Node(str(value))]


def _all(steps: list[Step]) -> Step:
    return lambda source, context: _truth(all(_holds(steps[0]([one], context)) for one in source))


def _children_of(run: Callable[[Node], Iterable[Node]]) -> Maker:
    return _plain(lambda source: [child for one in source for child in run(one)])


def _matches(text: str, pattern: Any) -> bool | None:
    try:
        return re.search(str(pattern), text[:10_000]) is not None
    except re.error:
        return None


MAKERS: dict[str, Maker] = {
    "exists": _exists,
    "empty": _plain(lambda source: _truth(not source)),
    "not": _plain(lambda source: [Node(not _holds(source))] if source else []),
    "count": _plain(lambda source: [Node(len(source))]),
    "hasValue": _plain(lambda source: _truth(len(source) == 1 and not isinstance(source[0].value, dict | list))),
    "first": _plain(lambda source: source[:1]),
    "last": _plain(lambda source: source[-1:]),
    "tail": _plain(lambda source: source[1:]),
    "distinct": _plain(distinct),
    "isDistinct": _plain(lambda source: _truth(len(distinct(source)) == len(source))),
    "allTrue": _plain(lambda source: _truth(all(one.value is True for one in source))),
    "allFalse": _plain(lambda source: _truth(all(one.value is False for one in source))),
    "trace": _plain(lambda source: source),
    "children": _children_of(children),
    "descendants": _children_of(descendants),
    "toInteger": _plain(_to_integer),
    "toString": _plain(_to_string),
    "where": _filtering(lambda source, kept: kept),
    "all": _all,
    "select": _select,
    "iif": _iif,
    "is": _is,
    "as": _of_type,
    "ofType": _of_type,
    "combine": _with_other(lambda source, other: [*source, *other]),
    "union": _with_other(lambda source, other: distinct([*source, *other])),
    "intersect": _with_other(
        lambda source, other: distinct([one for one in source if any(equal(one, found) for found in other)])
    ),
    "exclude": _with_other(
        lambda source, other: [one for one in source if not any(equal(one, found) for found in other)]
    ),
    "startsWith": _text(lambda text, part: text.startswith(str(part))),
    "endsWith": _text(lambda text, part: text.endswith(str(part))),
    "contains": _text(lambda text, part: str(part) in text),
    "matches": _text(_matches),
    "replaceMatches": _text(lambda text, pattern, new: re.sub(str(pattern), str(new), text)),
    "length": _text(len),
    "lower": _text(str.lower),
    "upper": _text(str.upper),
    "substring": _text(
        lambda text, start, size=None: (
            (text[start:] if size is None else text[start : start + size])
            if isinstance(start, int) and 0 <= start < len(text)
            else None
        )
    ),
    "indexOf": _text(lambda text, part: text.find(str(part))),
}
