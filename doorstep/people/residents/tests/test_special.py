"""门诊慢特病: written down, ended, corrected; in the banner, on the resident's phone, in the record and behind the veil."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import (
    exporting,
    importing,
    insuring,
    queries,
    special,
    special_queries,
    specializing,
    spreadsheet,
)
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.special import faults, place_of
from doorstep.people.residents.special_models import SpecialDisease
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.actors import of_user


def test_faults_name_the_field_with_its_cure() -> None:
    today = date(2026, 5, 1)
    wrong = faults(kind="other", name=" ", since=date(2026, 5, 2), until=date(2026, 4, 1), today=today)
    assert set(wrong) == {"name", "since", "until"}
    assert faults(kind="diabetes", name="", since=today, until=None, today=today) == {}
    assert set(faults(kind="x", name="", since=None, until=None, today=today)) == {"kind", "since"}


@pytest.mark.parametrize(
    ("texts", "place"),
    [
        (["青河省禾川县清溪镇石桥村 3 组"], "禾川县"),
        (["石桥村 3 组", "石桥村卫生室", "禾川县卫生健康局"], "禾川县"),
        (["某省某市东城区和平街 1 号"], "某市"),
        (["", "石桥村"], ""),
    ],
)
def test_place_of_reads_the_county(texts: list[str], place: str) -> None:
    assert place_of(texts) == place


@pytest.mark.django_db
def test_record_special_stands_in_the_banner_the_record_and_the_phone(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    doctor, today = of_user(user), timezone.localdate()
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        line = specializing.record_special(
            resident=resident, kind="hypertension", since=today - timedelta(days=30), actor=doctor
        )
        past = specializing.record_special(
            resident=resident,
            kind="other",
            name=" 帕金森病 ",
            since=today - timedelta(days=30),
            until=today - timedelta(days=1),
            actor=doctor,
        )
        veiled = specializing.record_special(resident=resident, kind="hepatitis", since=today, actor=doctor)
        with pytest.raises(Conflict):
            specializing.record_special(resident=resident, kind="hypertension", since=today, actor=doctor)
        # What has run out and what is not said aloud stand in no banner.
        assert queries.banner(queries.get_by_key(resident.key, doctor)).specials == ("高血压",)
        assert [one.kind for one in special_queries.specials_of(resident_id=resident.pk)] == ["other", "hypertension"]
        flag = record.read(type="Flag", fhir_id=str(line.key))
        assert flag is not None
        assert (flag["status"], flag["code"]["text"]) == ("active", "门诊慢特病：高血压")
        assert problems(flag) == []
        assert record.read(type="Flag", fhir_id=str(veiled.key)) is None
        with pytest.raises(Refused):
            specializing.end_special(line=past, ending="ended", reason=" ", actor=doctor)
        specializing.end_special(line=past, ending="error", reason="认定书看错", actor=doctor)
        wrong = record.read(type="Flag", fhir_id=str(past.key))
        assert wrong is not None
        assert (wrong["status"], problems(wrong)) == ("entered-in-error", [])
        cover = insuring.record_insurance(resident=resident, kind="resident", place="禾川县", actor=doctor)
        stands = record.read(type="Coverage", fhir_id=str(cover.key))
        assert stands is not None
        assert problems(stands) == []
        # What was an error and what is not said aloud are no class of the cover.
        assert [(one["value"], one["name"]) for one in stands["class"]] == [("hypertension", "高血压")]
    with acting(system_actor(Purpose.SEALING)):
        assert AuditEntry.objects.filter(action="resident.SpecialDiseaseRecorded").count() == 3
    _walk_the_pages(client, resident, user, line)


def _walk_the_pages(client: Client, resident: Resident, user: User, line: SpecialDisease) -> None:
    """The resident's phone, the record's banner, the page of the insurance with wrong and right input."""
    today = timezone.localdate()
    with acting(system_actor(Purpose.IMPORT)):
        account = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=account, resident=resident, since=today)
    client.force_login(account)
    phone = client.get(reverse("portal:home")).content.decode()
    assert "城乡居民医保 · 禾川县" in phone
    assert "门诊慢特病：高血压" in phone
    client.force_login(user)
    page = client.get(reverse("residents:detail", args=[resident.key])).content.decode()
    assert "慢特病 · 高血压" in page
    address = reverse("residents:insurance", args=[resident.key])
    assert client.post(reverse("residents:special", args=[resident.key]), {"kind": "copd"}).status_code == 422
    given = {"kind": "copd", "since": str(today), "source": "paper"}
    assert client.post(reverse("residents:special", args=[resident.key]), given).status_code == 302
    shown = client.get(address).content.decode()
    assert "慢性阻塞性肺疾病" in shown
    assert 'value="禾川县"' in shown
    ended = reverse("residents:end_special", args=[resident.key, line.key])
    assert client.post(ended, {"ending": "ended", "reason": "复审未通过"}).status_code == 302
    assert "复审未通过" in client.get(address).content.decode()
    with acting(of_user(user)):
        (cover,) = [one for one in queries.insurances_of(resident_id=resident.pk) if one.ended_at is None]
        stands = record.read(type="Coverage", fhir_id=str(cover.key))
    assert stands is not None
    assert [one["value"] for one in stands["class"]] == ["copd"]


def test_read_takes_what_told_writes_and_names_what_is_wrong() -> None:
    today = date(2026, 5, 1)
    text = "高血压（2024-01-01）；其他：帕金森病（2025-01-01至2026-12-31）"
    found, wrong = special.read(text, today=today)
    assert wrong == ""
    lines = [special.told(kind=one.kind, name=one.name, since=one.since, until=one.until) for one in found]
    assert "；".join(lines) == text
    assert special.read("糖尿病(2024/1/5)", today=today)[0][0].since == date(2024, 1, 5)
    for bad in (
        "高血压",
        "高血压（昨天）",
        "高血呀（2024-01-01）",
        "高血压（2027-01-01）",
        "高血压（2024-13-01）",
        "高血压（2024-01-01）；高血压（2024-01-01）",
    ):
        assert special.read(bad, today=today)[1].endswith("。"), bad


@pytest.mark.django_db
def test_files_bring_recognised_diseases_along_and_out_again() -> None:
    world = make_world()
    registrar = of_user(make_staff(name="冯登", organization_id=world.village, role="registrar"))
    told = "高血压（2024-01-01）；病毒性肝炎（2025-01-01）"
    text = (
        f"姓名,性别,出生日期,医保类型,参保地,门诊慢特病\n王芳,女,1960-01-31,职工医保,禾川县,{told}\n"
        "李四,男,1961-01-31,,,感冒（2024-01-01）\n"
    )
    with acting(registrar):
        batch = importing.check_file(name="名册.csv", content=text.encode(), actor=registrar)
        assert [(one["row"], one["column"]) for one in batch.faults] == [(3, "门诊慢特病")]
        importing.take_over(batch=batch, only_right=True, actor=registrar)
        # Who brings the list in does not read what is not said aloud.
        line = SpecialDisease.objects.get()
        assert (line.kind, line.source, line.recorded_by_name) == ("hypertension", "imported", "冯登")
        assert record.read(type="Flag", fhir_id=str(line.key))
        cover = record.read(type="Coverage", fhir_id=str(queries.insurances_of(resident_id=line.resident_id)[0].key))
        assert cover is not None
        assert [one["value"] for one in cover["class"]] == ["hypertension"]
    with acting(system_actor(Purpose.EXPORT)) as system:
        unit = Organization.objects.get(pk=world.village)
        (row,) = exporting.residents_of(organization=unit, reason="上报", actor=system)
        assert row[spreadsheet.COLUMNS.index("门诊慢特病")] == told
