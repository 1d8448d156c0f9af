"""The operators' door: the first administrator of an empty house, residents in and out."""

import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Identifier, Resident
from doorstep.people.residents.tests.factories import make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

HEAD = "姓名,性别,身份证号,出生日期,电话,现住址,户号,与户主关系,重点人群,母亲身份证号,证件类型,证件号码,护照签发国家,医保类型,参保地,门诊慢特病\n"
ZHOU = "周桂兰,女,439981196309150027,,19900001234,石桥村 3 组,1,户主,高血压患者,,,,,,\n"
ANNA = "Anna Müller,女,,1980-04-02,19900005678,石桥村 3 组,1,其他,,,护照,C01X00T47,德国,职工医保,禾川县,高血压（2024-01-01）\n"


def _run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_administrator_gets_into_an_empty_house() -> None:
    with pytest.raises(CommandError, match="organization-name"):
        _run("make_administrator", "wang")
    username, password = _run("make_administrator", "wang", "--organization-name", "禾川县卫生健康局").split()
    client = Client()
    assert client.post("/accounts/login/", {"login": username, "password": password}).status_code == 302
    assert client.get("/").headers["Location"] == "/accounts/password/change/"
    own = {"oldpassword": password, "password1": "gui-hua-kai-le-2026", "password2": "gui-hua-kai-le-2026"}
    client.post("/accounts/password/change/", own)
    assert client.get("/").status_code == 200
    top = Organization.objects.get()
    made = client.post("/organizations/new/", {"name": "人民医院", "kind": "hospital", "code": "H1", "parent": top.pk})
    assert made.status_code == 302
    hospital = Organization.objects.get(code="H1")
    person = {
        "name": "何经理", "gender": "male", "national_id": "439981196309150027", "username": "manager",
        "role": "manager", "starts_on": "2026-01-05",
    }  # fmt: skip
    assert client.post(f"/staff/new/?unit={hospital.key}", person).status_code == 302
    assert User.objects.filter(username="manager").exists()


def test_administrator_renews_only_an_administrator() -> None:
    first = _run("make_administrator", "wang", "--organization-name", "禾川县卫生健康局").split()[1]
    second = _run("make_administrator", "wang").split()[1]
    assert first != second
    assert User.objects.get(username="wang").check_password(second)
    make_staff(name="李长河", organization_id=Organization.objects.get().pk, role="nurse", username="li")
    with pytest.raises(CommandError, match="li"):
        _run("make_administrator", "li")


def test_import_and_export_residents_come_full_circle(tmp_path: Path) -> None:
    make_world()
    source = tmp_path / "in.csv"
    source.write_text(HEAD + ZHOU + ANNA, encoding="utf-8")
    assert "2" in _run("import_residents", str(source), "--organization", "V")
    with acting(system_actor(Purpose.EXPORT)):
        assert Resident.objects.get(name="Anna Müller").document_country == "DEU"
        assert Identifier.objects.filter(kind="passport", system="DEU").count() == 1
    target = tmp_path / "out.csv"
    _run("export_residents", str(target), "--organization", "T", "--reason", "迁移到新系统")
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[0] + "\n" == HEAD
    assert {line.split(",")[2] for line in lines[1:]} == {"439981196309150027", ""}
    assert any("护照,C01X00T47,德国,职工医保,禾川县,高血压（2024-01-01）" in line for line in lines)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with acting(system_actor(Purpose.SEALING)):
        entry = AuditEntry.objects.get(action="residents.export", resident_id=None)
        assert AuditEntry.objects.filter(action="residents.export", resident_id__isnull=False).count() == 2
        assert (entry.details["rows"], entry.basis, entry.purpose) == (2, "迁移到新系统", "export")
    with pytest.raises(CommandError):
        _run("export_residents", str(target), "--organization", "T", "--reason", "再来一次")
    again = tmp_path / "again.csv"
    again.write_bytes(target.read_bytes())
    with pytest.raises(CommandError, match="已经建档"):
        _run("import_residents", str(again), "--organization", "V")


def test_import_residents_stops_at_a_fault_and_says_where(tmp_path: Path) -> None:
    make_world()
    source = tmp_path / "in.csv"
    source.write_text(HEAD + ZHOU.replace("0027", "0028") + ANNA.replace("德国", ""), encoding="utf-8")
    with pytest.raises(CommandError, match="护照签发国家"):
        _run("import_residents", str(source), "--organization", "V")
    source.write_text(HEAD + ZHOU + ANNA.replace("德国", ""), encoding="utf-8")
    _run("import_residents", str(source), "--organization", "V", "--only-right")
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.count() == 1


def test_numbers_taken_needs_the_permission_to_import() -> None:
    world = make_world()
    registrar = of_user(make_staff(name="冯登", organization_id=world.village, role="registrar"))
    with acting(registrar), connection.cursor() as cursor:
        cursor.execute("SELECT residents_numbers_taken('{}'::uuid[])")
        assert cursor.fetchall() == []
    doctor = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(doctor), connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        cursor.execute("SELECT residents_numbers_taken('{}'::uuid[])")


def test_a_way_that_an_address_does_not_take_gets_our_page(client: Client) -> None:
    world = make_world()
    client.force_login(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    answer = client.get("/session/post/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "此页面不支持这种操作" in answer.content.decode()
