"""Insurance: written down, replaced, corrected; on the page, in the file, in the record."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.people.residents import actions, importing, insuring, queries
from doorstep.people.residents.models import Insurance
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.people.residents.tests.test_register import ZHOU
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_record_insurance_replaces_the_line_of_its_sort_and_tells_the_record() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    doctor = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        assert queries.insurance_words(resident_id=resident.pk) == ""
        first = insuring.record_insurance(resident=resident, kind="resident", place=" 禾川县 ", actor=doctor)
        extra = insuring.record_insurance(resident=resident, kind="commercial", insurer="平安人寿", actor=doctor)
        since = date(2026, 3, 1)
        second = insuring.record_insurance(
            resident=resident, kind="employee", place="省直", since=since, source="voucher", actor=doctor
        )
        lines = queries.insurances_of(resident_id=resident.pk)
        assert [one.pk for one in lines] == [second.pk, extra.pk, first.pk]
        first.refresh_from_db()
        assert (first.ending, first.until, first.reason) == ("replaced", date(2026, 2, 28), "改为：职工医保 · 省直")
        assert queries.insurance_words(resident_id=resident.pk) == "职工医保 · 省直"
        shown = queries.insured_of(queries.get_by_key(resident.key, doctor, household=True))
        assert [one.words for one in shown] == ["职工医保 · 省直", "商业保险 · 平安人寿"]
        covers = {str(one.key): record.read(type="Coverage", fhir_id=str(one.key)) for one in lines}
        assert [cover and cover["status"] for cover in covers.values()] == ["active", "active", "cancelled"]
        assert not [fault for cover in covers.values() for fault in problems(cover or {})]
        newest = covers[str(second.key)]
        assert newest is not None
        assert (newest["payor"], newest["period"]) == ([{"display": "省直"}], {"start": "2026-03-01"})
        assert newest["beneficiary"]["reference"] == f"Patient/{resident.key}"
        insuring.end_insurance(line=second, ending="error", reason="看错了凭证", actor=doctor)
        wrong = record.read(type="Coverage", fhir_id=str(second.key))
        assert wrong is not None
        assert wrong["status"] == "entered-in-error"
        with pytest.raises(Conflict):
            insuring.end_insurance(line=second, ending="ended", reason="重复", actor=doctor)
        names = EventRow.objects.filter(resident_id=resident.pk).order_by("id").values_list("name", flat=True)
        assert list(names) == ["InsuranceRecorded"] * 3 + ["InsuranceEnded"]
        # The database keeps one standing line of each sort, whoever writes.
        Insurance.objects.create(resident=resident, kind="self-pay")
        with pytest.raises(IntegrityError), transaction.atomic():
            Insurance.objects.create(resident=resident, kind="public")


def test_record_insurance_refuses_at_the_field_and_for_strangers() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    doctor = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        cases: tuple[tuple[dict[str, object], str], ...] = (
            ({"kind": "church"}, "kind"),
            ({"kind": "resident", "place": " "}, "place"),
            ({"kind": "commercial"}, "insurer"),
            ({"kind": "self-pay", "since": date(2026, 1, 2), "until": date(2026, 1, 1)}, "until"),
            ({"kind": "self-pay", "source": "dream"}, "source"),
        )
        for facts, field in cases:
            with pytest.raises(Refused) as refused:
                insuring.record_insurance(resident=resident, actor=doctor, **facts)  # type: ignore[arg-type]
            assert list(refused.value.fields) == [field]
        line = insuring.record_insurance(resident=resident, kind="self-pay", actor=doctor)
        with pytest.raises(Refused) as refused:
            insuring.end_insurance(line=line, ending="replaced", reason=" ", actor=doctor)
        assert set(refused.value.fields) == {"ending", "reason"}
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        assert not Insurance.objects.exists()
        with pytest.raises(NotFound):
            insuring.record_insurance(resident=resident, kind="self-pay", actor=stranger)
    reader = of_user(make_staff(name="许明哲", organization_id=world.village, role="specialist"))
    with acting(reader), pytest.raises(NotPermitted):
        insuring.record_insurance(resident=resident, kind="self-pay", actor=reader)


def test_registration_and_files_bring_insurance_along() -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse):
        made = actions.register(new=_insured(ZHOU, "resident", "禾川县"), actor=nurse)
        assert made is not None
        assert queries.insurance_words(resident_id=made.pk) == "城乡居民医保 · 禾川县"
        with pytest.raises(Refused) as refused:
            actions.register(new=_insured(ZHOU, "employee", ""), actor=nurse)
        assert list(refused.value.fields) == ["insured_at"]
    registrar = of_user(make_staff(name="冯登", organization_id=world.village, role="registrar"))
    text = (
        "姓名,性别,出生日期,医保类型,参保地\n王芳,女,1960-01-31,职工医保,禾川县\n李四,男,1961-01-31,,\n"
        "赵六,男,1962-01-31,新农合,禾川县\n钱七,男,1963-01-31,公费医疗,\n"
    )
    with acting(registrar):
        batch = importing.check_file(name="名册.csv", content=text.encode(), actor=registrar)
        assert [(one["row"], one["column"]) for one in batch.faults] == [(4, "医保类型"), (5, "参保地")]
        importing.take_over(batch=batch, only_right=True, actor=registrar)
        line = Insurance.objects.get(resident__name="王芳")
        assert (line.kind, line.place, line.source) == ("employee", "禾川县", "imported")
        assert record.read(type="Coverage", fhir_id=str(line.key))
        assert not Insurance.objects.filter(resident__name="李四").exists()


def _insured(new: actions.NewResident, kind: str, place: str) -> actions.NewResident:
    return actions.NewResident(
        name=new.name, birth_date=new.birth_date, gender=new.gender, number=new.number, insurance=kind, insured_at=place
    )


def test_pages_of_insurance(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    client.force_login(user)
    address = f"/residents/{resident.key}/insurance/"
    assert client.post(address, {"kind": "resident", "source": "told"}).status_code == 422
    page = client.post(address, {"kind": "resident", "place": "禾川县", "source": "told"}, follow=True).content.decode()
    assert "城乡居民医保" in page
    assert "本人或家属陈述" in page
    detail = client.get(f"/residents/{resident.key}/").content.decode()
    assert "城乡居民医保 · 禾川县" in detail
    with acting(of_user(user)):
        (line,) = queries.insurances_of(resident_id=resident.pk)
    client.post(f"{address}{line.key}/end/", {"ending": "ended", "reason": "已搬走"})
    page = client.get(address).content.decode()
    assert "还没有登记医保" in page
    assert "已搬走" in page
