"""The labels of the printed forms have their English beside them, each of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from doorstep.care.referrals import papers
from doorstep.care.referrals.paper_words import ENGLISH, both

CHINESE = range(0x4E00, 0x9FFF)


def _labels(tree: ast.AST) -> Iterator[str]:
    """First parts of pairs, and what is asked of `both`: a label is followed by what stands behind it."""
    for node in ast.walk(tree):
        first: ast.AST | None = None
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            first = node.elts[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "both":
            first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and ord(first.value[:1] or "a") in CHINESE:
            yield first.value


def test_every_label_of_the_forms_has_its_english() -> None:
    found = set(_labels(ast.parse(Path(papers.__file__).read_text(encoding="utf-8"))))
    assert len(found) > 20, found
    assert found <= set(ENGLISH), found - set(ENGLISH)


def test_a_label_without_english_is_printed_as_it_is() -> None:
    assert both("随访安排", english=True) == "随访安排 Follow-ups"
    assert both("从未见过", english=True) == "从未见过"
