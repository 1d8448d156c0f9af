"""Words of the tables on the screen: a label of a choice has an English one, and a template asks for it."""

import re

import pytest
from django.apps import apps

from doorstep.site import messages
from tests.architecture.source import ROOT, tracked

# The files are parsed once, by one worker.
pytestmark = pytest.mark.xdist_group("source")

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SHOWN_BARE = re.compile(r"(?<!_\()(?<![\w.])(?:\w+\.)+get_\w+_display\(\)")


def test_labels_of_choices_have_an_english_word() -> None:
    known = messages.pairs()
    missing = {
        f"{model._meta.label}.{field.name}: {label}"
        for model in apps.get_models()
        if model.__module__.startswith("doorstep.")
        for field in model._meta.get_fields()
        for _code, label in getattr(field, "flatchoices", None) or ()
        if CHINESE.search(str(label)) and str(label) not in known
    }
    assert missing == set()


def test_templates_say_labels_in_the_readers_language() -> None:
    bare = {
        f"{name}: {found[0]}"
        for name in tracked()
        if name.endswith(".html")
        for found in SHOWN_BARE.finditer((ROOT / name).read_text(encoding="utf-8"))
    }
    assert bare == set()
