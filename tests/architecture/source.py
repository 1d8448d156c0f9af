"""What the architecture tests read: the tracked files of the project, parsed once."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[str, ...]:
    """Every file that belongs to the project: tracked or new; outside a repository all but what is built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())
    skipped = {".venv", "node_modules", ".git", "site-docs", "build", ".doorstep", "built", "__pycache__"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(str(file) for file in files if not skipped & set(file.parts))


def python_files(*, tests: bool = True) -> list[str]:
    """Our Python files without migrations, which Django writes; with or without tests."""
    return [
        name
        for name in tracked()
        if name.endswith(".py") and "/migrations/" not in name and (tests or not is_test(name))
    ]


def is_test(name: str) -> bool:
    """Whether a file belongs to the tests."""
    return "tests" in Path(name).parts or name == "conftest.py"


@cache
def tree(name: str) -> ast.Module:
    """The parsed file."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


@cache
def statements(name: str) -> tuple[ast.AST, ...]:
    """Every statement of a file at any depth: definitions and imports are statements, and expressions hold none."""
    return tuple(_within(tree(name)))


def _within(node: ast.AST) -> Iterator[ast.AST]:
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, part, ()):
            yield inner
            yield from _within(inner)


def functions(name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and inner ones included."""
    return [node for node in statements(name) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def classes(name: str) -> list[ast.ClassDef]:
    """Every class of a file."""
    return [node for node in statements(name) if isinstance(node, ast.ClassDef)]


def imports_within(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function imports something when it runs."""
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in _within(function))
