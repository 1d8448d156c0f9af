"""What people really save into a folder: the fault is told with its cure, and one bad file keeps no other back."""

import io
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from doorstep.coordination.hospital_systems import faults, sheets
from doorstep.coordination.hospital_systems.v2.times import fhir_time, moment_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import actions, folders
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.kernel.web import tables
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_world
from tests.exchange.factories import system, work

HEADS = ["身份证号", "报告号", "项目名称", "结果", "单位", "报告时间"]


@pytest.fixture
def folder(db: None, settings: pytest.FixtureRequest, tmp_path: Path) -> tuple[Connection, Path]:
    settings.DATA = tmp_path  # type: ignore[attr-defined]
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    with acting(system_actor(Purpose.IMPORT)) as actor:
        made = actions.connect(
            kind=Connection.Kind.FOLDER,
            organization_id=world.lead,
            consortium_id=None,
            settings=actions.Settings(name="文件夹"),
            actor=actor,
        )
    place = folders.folder_of(made) / "in"
    place.mkdir(parents=True)
    return made, place


def save(place: Path, name: str, data: bytes) -> Path:
    path = place / name
    path.write_bytes(data)
    os.utime(path, (time.time() - 10, time.time() - 10))
    return path


def workbook(*rows: Sequence[object]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return made.getvalue()


def bomb() -> bytes:
    """A workbook of some kilobytes whose sheet is larger than anybody's memory should hold."""
    given, made = zipfile.ZipFile(io.BytesIO(workbook(HEADS))), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in given.namelist():
            with packed.open(name, "w") as part:
                part.write(given.read(name))
                if name.endswith("sheet1.xml"):
                    for _ in range(tables.MOST_UNPACKED // 1_000_000 + 1):
                        part.write(b" " * 1_000_000)
    return made.getvalue()


def states() -> list[tuple[str, str, str]]:
    with acting(system()):
        return list(Message.objects.order_by("id").values_list("state", "error_kind", "error_place"))


def test_workbook_that_is_huge_inside_is_not_opened() -> None:
    data = bomb()
    assert len(data) < 250_000
    (item,) = sheets.open_file("小.xlsx", data)
    assert (item.whole, '"kind": "file-large"' in item.text) == (False, True)
    (item,) = sheets.open_file("截断.xlsx", workbook(HEADS)[:-40])
    assert '"kind": "file-broken"' in item.text


def test_file_over_the_limit_is_told_as_too_large(
    folder: tuple[Connection, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, place = folder
    monkeypatch.setattr(folders, "LARGEST", 1000)
    monkeypatch.setattr(sheets, "LARGEST", 1000)
    save(place, "大.csv", b"a" * 5000)
    assert folders.look() == 1
    work(connection)
    assert states() == [("failed", "file-large", "文件")]
    assert "分成几个文件" in faults.say("file-large", "文件", {"most": "50"}).cure


def test_file_that_cannot_be_read_keeps_no_other_back(
    folder: tuple[Connection, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, place = folder
    gone = save(place, "a-gone.csv", b"x")
    row = [ZHOU_NUMBER, "R1", "空腹血糖", 5.6, "mmol/L", "2026/1/12 8:00"]
    save(place, "b-good.xlsx", workbook(HEADS, row))
    ready = folders._is_ready

    def taken_away(path: Path) -> bool:
        found = ready(path)
        if path == gone:
            path.unlink()
        return found

    monkeypatch.setattr(folders, "_is_ready", taken_away)
    assert folders.look() == 1
    work(connection)
    assert states() == [("applied", "", "")]


def test_id_number_that_excel_has_rounded_is_told(folder: tuple[Connection, Path]) -> None:
    connection, place = folder
    row: list[object] = [int(ZHOU_NUMBER), "R1", "空腹血糖", 5.6, "mmol/L", "2026-01-12 08:00"]
    save(place, "数字.xlsx", workbook(HEADS, row))
    text = ",".join(HEADS) + "\n4.39981E+17,R2,空腹血糖,5.6,mmol/L,2026-01-12 08:00\n"
    save(place, "科学计数.csv", text.encode())
    assert folders.look() == 2
    work(connection)
    assert states() == [("failed", "number-rounded", "身份证号")] * 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026/1/12 8:00", "2026-01-12T08:00:00+08:00"),
        ("2026/9/2", "2026-09-02"),
        ("2026-05-01 10:30:00", "2026-05-01T10:30:00+08:00"),
        ("2026年11月20日 10:05", "2026-11-20T10:05:00+08:00"),
        ("2026年5月1日8时5分", "2026-05-01T08:05:00+08:00"),
        ("2026-05-01T10:30:00Z", "2026-05-01T10:30:00+00:00"),
        ("20260501103000", "2026-05-01T10:30:00+08:00"),
        ("20/11/2026", ""),
        ("2026-13-01", ""),
        ("昨天", ""),
    ],
)
def test_times_are_read_part_by_part(written: str, meant: str) -> None:
    assert fhir_time(written) == meant
    assert (moment_of(written) is None) == (meant == "")


def test_a_cell_in_the_last_corner_is_told_with_its_cure() -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADS)
        sheet.write(1_048_575, 16_383, "。")
    (item,) = sheets.open_file("角落.xlsx", made.getvalue())
    assert (item.type, '"file-wide"' in item.text) == (sheets.UNREADABLE, True)
    assert "空行空列" in faults.say("file-wide", "文件", {}).sentence
