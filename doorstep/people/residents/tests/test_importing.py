"""Files of residents: all or nothing, only the right ones, every fault with row, column and cure."""

import io
from datetime import date

import pytest
import xlsxwriter
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from stdnum.cn import ric

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.residents import finding, importing
from doorstep.people.residents.models import ImportBatch, Resident
from doorstep.people.residents.spreadsheet import COLUMNS, read_file, write_faults, write_table, write_template
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

HEAD = "姓名,性别,身份证号,出生日期,电话,现住址,户号,与户主关系,重点人群\n"


def number(order: int, born: date = date(1960, 1, 31)) -> str:
    body = f"439981{born:%Y%m%d}{order:03d}"
    return body + ric.calc_check_digit(body + "0")


def line(order: int, name: str = "王芳") -> str:
    return f"{name},女,{number(order * 2)},,199{order:08d},石桥村,{order // 2},户主,高血压患者\n"


def _registrar() -> tuple[World, Actor]:
    world = make_world()
    return world, of_user(make_staff(name="冯登", organization_id=world.village, role="registrar"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_take_over_all_rows_of_a_csv(encoding: str) -> None:
    _, actor = _registrar()
    text = HEAD + "".join(line(order) for order in range(1, 5))
    with acting(actor):
        batch = importing.check_file(name="名册.csv", content=text.encode(encoding), actor=actor)
        assert (batch.rows, batch.faulty) == (4, 0)
        done = importing.take_over(batch=batch, only_right=False, actor=actor)
        assert (done.stage, done.taken, done.content) == ("done", 4, "")
        assert Resident.objects.filter(name="王芳", birth_date=date(1960, 1, 31)).count() == 4
        assert Resource.objects.filter(type="Patient").count() == 4
        assert len(finding.search_panel("wf", actor)) == 4
        assert Resident.objects.filter(household__isnull=False).values("household").distinct().count() == 3
        with pytest.raises(Conflict):
            importing.take_over(batch=batch, only_right=False, actor=actor)


def test_check_file_names_row_column_and_cure() -> None:
    world, actor = _registrar()
    make_resident(organization_id=world.other_village)
    text = (
        HEAD
        + line(1)
        + line(1)
        + f"周桂兰,女,{ZHOU_NUMBER},,,,,,\n"
        + f"李明,女,{number(3)},,,,,,\n"
        + "赵强,雄,,1970-02-30,1,,,,\n"
        + "孙丽,女,439981196001310021,,,,,,飞行员\n"
    )
    with acting(actor):
        batch = importing.check_file(name="名册.csv", content=text.encode(), actor=actor)
        found = {(fault["row"], fault["column"]) for fault in batch.faults}
        assert found == {
            (3, "身份证号"),
            (4, "身份证号"),
            (5, "性别"),
            (6, "性别"),
            (6, "出生日期"),
            (6, "电话"),
            (7, "身份证号"),
            (7, "重点人群"),
        }
        assert all(fault["sentence"].endswith("。") for fault in batch.faults)
        with pytest.raises(Refused):
            importing.take_over(batch=batch, only_right=False, actor=actor)
        assert not Resident.objects.exists()
        assert importing.take_over(batch=batch, only_right=True, actor=actor).taken == 1
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(write_faults(batch.faults))).get_sheet_by_index(0)
        assert len(sheet.to_python()) == 1 + len(batch.faults)


def test_take_over_is_all_or_nothing_when_a_number_was_taken_meanwhile() -> None:
    world, actor = _registrar()
    text = HEAD + line(1) + f"周桂兰,女,{ZHOU_NUMBER},,,,,,\n"
    with acting(actor):
        batch = importing.check_file(name="名册.csv", content=text.encode(), actor=actor)
    make_resident(organization_id=world.other_village)
    with acting(actor):
        with pytest.raises(Conflict):
            importing.take_over(batch=batch, only_right=False, actor=actor)
        assert not Resident.objects.exists()
        assert ImportBatch.objects.get().stage == "checked"


def test_check_file_reads_excel_and_its_own_template() -> None:
    _, actor = _registrar()
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["姓名", "性别", "出生日期", "电话"])
        sheet.write(1, 0, "王芳")
        sheet.write(1, 1, "女")
        sheet.write_datetime(1, 2, date(1960, 1, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write(1, 3, 19900001111)
    with acting(actor):
        assert importing.check_file(name="a.xlsx", content=buffer.getvalue(), actor=actor).faulty == 0
        assert importing.check_file(name="b.xlsx", content=write_template(), actor=actor).faulty == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"x"),
        ("a.xlsx", b"not an excel file"),
        ("a.csv", b""),
        ("a.csv", "姓名,电话\n王芳,1\n".encode()),
        ("a.csv", HEAD.encode()),
        ("a.csv", b"\xff\xff\xff"),
    ],
)
def test_check_file_refuses_what_is_no_list(name: str, content: bytes) -> None:
    _, actor = _registrar()
    with acting(actor), pytest.raises(Refused) as refused:
        importing.check_file(name=name, content=content, actor=actor)
    assert "file" in refused.value.fields


def test_import_of_many_rows_asks_the_database_a_few_times() -> None:
    _, actor = _registrar()
    text = HEAD + "".join(line(order) for order in range(1, 400))
    with acting(actor), CaptureQueriesContext(connection) as asked:
        batch = importing.check_file(name="名册.csv", content=text.encode(), actor=actor)
        assert importing.take_over(batch=batch, only_right=False, actor=actor).taken == 399
    assert len(asked) <= 25


def test_import_needs_its_permission_and_its_unit() -> None:
    world, actor = _registrar()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse), pytest.raises(NotPermitted):
        importing.check_file(name="a.csv", content=(HEAD + line(1)).encode(), actor=nurse)
    with acting(actor):
        importing.check_file(name="a.csv", content=(HEAD + line(1)).encode(), actor=actor)
    elsewhere = of_user(make_staff(name="蒋理", organization_id=world.other_village, role="registrar"))
    with acting(elsewhere):
        assert not ImportBatch.objects.exists()


def test_an_exported_list_holds_no_formula_and_comes_in_as_it_was() -> None:
    """A name that a resident was registered under must not call a program on the computer of who opens the list."""
    person = ['=HYPERLINK("http://x","张")', "女", *[""] * 2, "+8619900001234", "-1 组", "@家", *[""] * 9]
    written = write_table(".csv", [person])
    row = written.decode("utf-8-sig").splitlines()[1]
    assert row.startswith("\"'=HYPERLINK")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.split(","))
    (read,) = read_file("名册.csv", written)
    assert [read.cells[column] for column in COLUMNS] == person
