"""Code systems come in whole or not at all, with versions, and are found as doctors type."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.terminology import queries
from doorstep.kernel.terminology.models import CodeSystem, Concept

pytestmark = pytest.mark.django_db


def test_shipped_tables_import_once_and_are_found() -> None:
    call_command("import_terminology")
    codes = Concept.objects.count()
    assert codes > 400
    call_command("import_terminology")
    assert Concept.objects.count() == codes
    assert queries.find(system=systems.ICD10, text="I10")[0].code.startswith("I10")
    assert any("高血压" in code.zh for code in queries.find(system=systems.ICD10, text="高血压"))
    assert any("高血压" in code.zh for code in queries.find(system=systems.ICD10, text="gxy"))
    assert queries.lookup(system=systems.LOINC, codes=["8480-6", "none"]).keys() == {"8480-6"}


def _folder(path: Path, version: str, lines: str) -> str:
    (path / "manifest.toml").write_text(
        f'[[system]]\nfile = "x.csv"\nsystem = "urn:x"\nversion = "{version}"\ntitle_zh = "表"\ntitle_en = "table"\n'
        'source = "test"\nverified = true\n',
        encoding="utf-8",
    )
    (path / "x.csv").write_text("code,display_zh,display_en,parent,extra\n" + lines, encoding="utf-8")
    return str(path)


def test_new_version_becomes_current_and_the_old_one_stays(tmp_path: Path) -> None:
    call_command("import_terminology", _folder(tmp_path, "1", "a,甲,A,,\n"))
    call_command("import_terminology", _folder(tmp_path, "2", "a,新甲,A,,\nb,乙,B,a,level=2\n"))
    assert CodeSystem.objects.filter(uri="urn:x").count() == 2
    with acting(system_actor(Purpose.IMPORT)):
        assert queries.lookup(system="urn:x", codes=["a"])["a"].zh == "新甲"


@pytest.mark.parametrize("lines", ["a,甲,A,,\na,甲,A,,\n", ",甲,A,,\n", "a,,A,,\n"])
def test_wrong_table_is_refused_with_its_line_and_nothing_is_kept(tmp_path: Path, lines: str) -> None:
    with pytest.raises(CommandError, match=r"第 [23] 行"):
        call_command("import_terminology", _folder(tmp_path, "1", lines))
    assert not CodeSystem.objects.filter(uri="urn:x").exists()
