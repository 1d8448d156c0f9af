"""The part of FHIRPath that R4 search parameters are written in (hl7.org/fhir/R4/searchparameter-registry.html)."""

import re
from dataclasses import dataclass

_STEP = re.compile(
    r"""\.?(?:
      as\((?P<as>\w+)\)
    | where\(resolve\(\)\s+is\s+(?P<is>\w+)\)
    | where\((?P<where>\w+\s*=\s*'[^']*')\)
    | \[(?P<index>\d+)\]
    | (?P<name>\w+)
    )""",
    re.VERBOSE,
)
_SPELLED = {"DateTime": "dateTime", "String": "string", "Boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: "name", "as", "is" (a resolved reference), "where" (name=value) or "index"."""

    kind: str
    text: str


def union(expression: str) -> list[str]:
    """The parts of a union, taken apart at the bars outside brackets."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(expression):
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == "|" and depth == 0:
            parts.append(expression[start:position])
            start = position + 1
    parts.append(expression[start:])
    return [part.strip() for part in parts if part.strip()]


def parse(text: str, *, relative: bool = False) -> tuple[str, list[Step]]:
    """The type that a part begins with ("" when relative) and its steps; ValueError when it is written otherwise."""
    text = text.strip()
    # "x.exists() and x != false": the walker decides by the value itself.
    text = re.sub(r"^(\S+)\.exists\(\) and \1 != false$", r"\1", text)
    cast = re.fullmatch(r"\(?\s*([\w.]+)\s+as\s+(\w+)\s*\)?(.*)", text)
    if cast:
        text = f"{cast[1]}.as({cast[2]}){cast[3]}"
    steps, position = [], 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise ValueError(f"an expression that is not understood: {text}")
        kind = str(found.lastgroup)
        word = found[kind]
        if kind == "where":
            word = re.sub(r"\s*=\s*'([^']*)'", r"=\1", word)
        steps.append(Step(kind, _SPELLED.get(word, word) if kind == "as" else word))
        position = found.end()
    if relative:
        return "", steps
    return steps[0].text, steps[1:]
