"""The shape of the source: sizes, names, inheritance, imports, and what is not written here at all."""

import ast
from pathlib import Path

import pytest

from tests.architecture import exceptions
from tests.architecture.source import (
    ROOT,
    classes,
    functions,
    imports_within,
    python_files,
    statements,
    tracked,
    tree,
)

# The files are parsed once, by one worker.
pytestmark = pytest.mark.xdist_group("source")

LINES_OF_FILE = 400
LINES_OF_FUNCTION = 50
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base_model", "services", "lib", "signals"}
COUNTED = {".py", ".ts", ".css", ".html", ".jinja", ".sql", ".mjs", ".sh"}


def test_files_have_at_most_400_lines() -> None:
    long = {
        name
        for name in tracked()
        if Path(name).suffix in COUNTED
        and "/migrations/" not in name
        and len((ROOT / name).read_text(encoding="utf-8").splitlines()) > LINES_OF_FILE
    }
    assert long == set(exceptions.LONG_FILES)


def test_functions_have_at_most_50_lines() -> None:
    long = {
        (name, function.name)
        for name in python_files()
        for function in functions(name)
        if (function.end_lineno or 0) - function.lineno + 1 > LINES_OF_FUNCTION
    }
    assert long == set(exceptions.LONG_FUNCTIONS)


def test_classes_have_one_base() -> None:
    several = {
        (name, found.name)
        for name in python_files()
        for found in classes(name)
        if len([base for base in found.bases if not _is_marker(base)]) > 1
    }
    assert several == set(exceptions.SEVERAL_BASES)


def test_files_are_named_by_their_topic() -> None:
    assert [name for name in python_files() if Path(name).stem in FORBIDDEN_NAMES] == []
    # The settings' own base is Django's custom; anywhere else the name says nothing.
    assert [name for name in python_files() if Path(name).stem == "base"] == ["doorstep/site/settings/base.py"]


def test_imports_stand_at_the_top() -> None:
    late = {
        (name, function.name) for name in python_files() for function in functions(name) if imports_within(function)
    }
    assert late == set(exceptions.LATE_IMPORTS)


def test_digits_are_asked_for_as_int_reads_them() -> None:
    # "²" is a digit to str.isdigit and none to int: what follows is a fault, not a sentence.
    assert [name for name in python_files() if "." + "isdigit(" in (ROOT / name).read_text(encoding="utf-8")] == []


def test_nobody_listens_to_signals() -> None:
    modules = {"django.dispatch", "django.db.models.signals", "django.core.signals", "django.contrib.auth.signals"}
    found = [
        name
        for name in python_files(tests=False)
        for node in statements(name)
        if isinstance(node, ast.ImportFrom) and node.module in modules
    ]
    assert found == []


def test_nobody_overrides_save_or_delete() -> None:
    found = {
        (name, f"{owner.name}.{method.name}")
        for name in python_files()
        for owner in classes(name)
        for method in owner.body
        if isinstance(method, ast.FunctionDef) and method.name in {"save", "delete", "bulk_create", "full_clean"}
    }
    assert found == set(exceptions.SAVE_OVERRIDES)


def test_nobody_uses_generic_foreign_keys() -> None:
    text = [name for name in python_files(tests=False) if "GenericForeignKey" in (ROOT / name).read_text("utf-8")]
    assert text == []


def test_public_modules_and_functions_say_what_they_mean() -> None:
    silent = [name for name in python_files(tests=False) if ast.get_docstring(tree(name)) is None and tree(name).body]
    for name in python_files(tests=False):
        for node in tree(name).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and ast.get_docstring(node) is None:  # type: ignore[arg-type]
                silent.append(f"{name}: {node.name}")  # type: ignore[attr-defined]
    assert silent == []


def _is_marker(base: ast.expr) -> bool:
    """Generic[T] and Protocol[T] say something of types and bring no behaviour."""
    if isinstance(base, ast.Subscript):
        base = base.value
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    return name in {"Generic", "Protocol"}


def test_days_are_asked_for_by_the_one_input_that_browsers_read() -> None:
    """Django writes a day in the page's language into other inputs, and the browser shows an empty box."""
    assert [name for name in python_files() if "DateInput(" in (ROOT / name).read_text(encoding="utf-8")] == [
        "tests/architecture/test_source.py"
    ]
