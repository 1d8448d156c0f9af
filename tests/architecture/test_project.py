"""The project as a whole: dependencies with reasons, locks without hosts, both languages complete."""

import re
from pathlib import Path

import pytest

from doorstep.site import messages
from tests.architecture.source import ROOT, tracked

# The files are parsed once, by one worker.
pytestmark = pytest.mark.xdist_group("source")

TEXT = {
    ".py",
    ".md",
    ".toml",
    ".ts",
    ".json",
    ".yml",
    ".yaml",
    ".html",
    ".jinja",
    ".css",
    ".sql",
    ".tsv",
    ".mjs",
    ".lock",
    "",
}
# Where a package or a file came from is the machine's own business. Written in halves, as this file is searched too.
FORBIDDEN = [
    "registry." + "npmjs.org",
    "pypi." + "org",
    "files." + "pythonhosted",
    "/work" + "/",
    "TO" + "DO",
    "FIX" + "ME",
]


def test_what_is_costly_to_load_is_loaded_by_one_worker(request: pytest.FixtureRequest) -> None:
    # A runner that names tests in a way of its own would spread the groups over all workers, with nobody told.
    grouped = getattr(request.config.option, "loadgroup", False)
    assert not grouped or request.node.nodeid.endswith("@source")


def test_every_dependency_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    requirement = re.compile(r'^  "[a-z0-9-]+(\[[a-z,-]+\])?[<>=]')
    named = [line for line in lines if requirement.match(line)]
    assert named
    assert [line for line in named if "#" not in line] == []


def test_lock_files_carry_hashes_and_no_addresses() -> None:
    for name in (
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-node.lock",
        "package-lock.json",
        "docs/package-lock.json",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text, name
        assert "sha256:" in text or "sha512-" in text, name


def test_no_file_names_what_does_not_belong_here() -> None:
    found = [
        f"{name}: {word}"
        for name in tracked()
        if Path(name).suffix in TEXT
        for word in FORBIDDEN
        if word in (ROOT / name).read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


def test_every_chinese_message_has_its_english() -> None:
    assert [f"{place}\t{text}" for text, place in messages.missing().items()] == []
