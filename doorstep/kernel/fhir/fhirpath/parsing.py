"""The grammar of FHIRPath: a text becomes a tree of tuples."""

import re
from collections.abc import Callable
from typing import Any

Tree = tuple[Any, ...]

_TOKEN = re.compile(
    r"\s*(?:(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<moment>@T?[0-9][0-9T:.+\-Z]*)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`]*`)"
    r"|(?P<special>\$this|\$index|\$total)"
    r"|(?P<constant>%(?:[A-Za-z_][\w-]*|`[^`]*`|'[^']*'))"
    r"|(?P<mark><=|>=|!=|!~|[.,()\[\]{}+\-*/&|=~<>]))",
    re.S,
)
# From the loosest to the tightest (hl7.org/fhirpath/N1/#operator-precedence).
_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_DEEPEST = 60


class SyntaxFault(ValueError):
    """The text is not FHIRPath; the message says where."""


def parse(text: str) -> Tree:
    """The tree of an expression; raises SyntaxFault."""
    if len(text) > 20_000:
        raise SyntaxFault("the expression is too long")
    reader = _Reader(_tokens(text))
    tree = reader.expression(0, 0)
    if reader.kind != "end":
        raise SyntaxFault(f"unexpected {reader.value!r}")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise SyntaxFault(f"cannot read {text[place : place + 20]!r}")
        if match.lastgroup != "comment":
            found.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        place = match.end()
    found.append(("end", ""))
    return found


class _Reader:
    """Reads the tokens one after the other."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def kind(self) -> str:
        """The kind of the token that comes next."""
        return self._tokens[self._place][0]

    @property
    def value(self) -> str:
        """Its text."""
        return self._tokens[self._place][1]

    def take(self) -> str:
        """Its text, and go on."""
        self._place += 1
        return self._tokens[self._place - 1][1]

    def expect(self, mark: str) -> None:
        """Go past this mark; raises SyntaxFault when another stands there."""
        if self.value != mark:
            raise SyntaxFault(f"expected {mark!r}, found {self.value!r}")
        self.take()

    def expression(self, level: int, depth: int) -> Tree:
        """An expression of operators from this level on."""
        if depth > _DEEPEST:
            raise SyntaxFault("too many brackets")
        if level == len(_LEVELS):
            return self._signed(depth)
        tree = self.expression(level + 1, depth)
        while self.kind in ("name", "mark") and self.value in _LEVELS[level]:
            operator = self.take()
            if operator in ("is", "as"):
                tree = ("type", operator, tree, self._type())
            else:
                tree = ("operator", operator, tree, self.expression(level + 1, depth))
        return tree

    def _signed(self, depth: int) -> Tree:
        if self.kind == "mark" and self.value in "+-":
            sign = self.take()
            return ("sign", sign, self._signed(depth + 1))
        tree = self._term(depth)
        while self.kind == "mark" and self.value in (".", "["):
            if self.take() == "[":
                tree = ("index", tree, self.expression(0, depth + 1))
                self.expect("]")
            else:
                tree = self._invocation(tree, depth)
        return tree

    def _term(self, depth: int) -> Tree:
        simple = _SIMPLE.get(self.kind)
        if simple is not None:
            return simple(self.take())
        if self.kind == "name":
            if self.value in ("true", "false"):
                return ("boolean", self.take() == "true")
            return self._invocation(None, depth)
        if self.value == "{":
            self.take()
            self.expect("}")
            return ("empty",)
        self.expect("(")
        tree = self.expression(0, depth + 1)
        self.expect(")")
        return tree

    def _invocation(self, source: Tree | None, depth: int) -> Tree:
        if self.kind == "special":
            return ("special", self.take())
        if self.kind != "name":
            raise SyntaxFault(f"expected a name, found {self.value!r}")
        name = self.take().strip("`")
        if self.value != "(" or self.kind != "mark":
            return ("member", source, name)
        self.take()
        arguments: list[Tree] = []
        while self.value != ")":
            if self.kind == "end":
                raise SyntaxFault("a bracket is not closed")
            if name in ("is", "as", "ofType"):
                arguments.append(("text", self._type()))
            else:
                arguments.append(self.expression(0, depth + 1))
            if self.value == ",":
                self.take()
        self.take()
        return ("call", source, name, arguments)

    def _type(self) -> str:
        name = self.take().strip("`")
        while self.value == "." and self._tokens[self._place + 1][0] == "name":
            self.take()
            name = self.take().strip("`")
        return name


def _unescaped(text: str) -> str:
    return re.sub(
        r"\\(u[0-9a-fA-F]{4}|.)",
        lambda found: (
            chr(int(found[1][1:], 16)) if found[1][0] == "u" and len(found[1]) > 1 else _ESCAPES.get(found[1], found[1])
        ),
        text,
    )


_SIMPLE: dict[str, Callable[[str], Tree]] = {
    "number": lambda text: ("number", text),
    "text": lambda text: ("text", _unescaped(text[1:-1])),
    "moment": lambda text: ("text", text.lstrip("@")),
    "constant": lambda text: ("constant", text[1:].strip("`'")),
    "special": lambda text: ("special", text),
}
