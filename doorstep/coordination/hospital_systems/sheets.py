"""Tables for those who have nothing else: each row of an Excel or CSV file is one message.

The first line names the columns; which columns are there says what the rows are.
"""

import csv
import io
import json
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zipfile import BadZipFile

from python_calamine import CalamineError, CalamineWorkbook

from doorstep.coordination.hospital_systems import people
from doorstep.coordination.hospital_systems.cda.format import TYPE as CDA_TYPE
from doorstep.coordination.hospital_systems.people import Claim
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.times import day_of, fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.folders import Item
from doorstep.kernel.exchange.formats import Fault, Format, Keys, Outcome, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json

# Kind of table to the columns that it must have; further known columns may stand beside them.
KINDS = {
    "results": ("身份证号", "报告号", "项目名称", "结果", "报告时间"),
    "visits": ("身份证号", "就诊号", "就诊类别", "就诊时间"),
}
UNREADABLE = "TABLE^unreadable"
MOST_ROWS = 20_000
_CLASSES = {"门诊": "O", "急诊": "E", "住院": "I"}
_DECLARED = re.compile(rb"""encoding=["']([A-Za-z0-9_.-]+)["']""")


def open_file(name: str, data: bytes) -> list[Item]:
    """The messages of a file: a shared document, or the rows of a table."""
    try:
        if name.lower().endswith(".xml"):
            return [Item("cda", CDA_TYPE, _xml_text(data))]
        return _rows(_table(name, data))
    except (CalamineError, BadZipFile, UnicodeDecodeError, LookupError, ValueError, csv.Error):
        return [Item("table", UNREADABLE, json.dumps({"file": name}, ensure_ascii=False), whole=False)]


def _xml_text(data: bytes) -> str:
    """A document in our characters, its declaration with it."""
    found = _DECLARED.search(data[:200])
    charset = found.group(1).decode() if found else "utf-8"
    text = data.decode("gb18030" if charset.lower() in ("gb2312", "gbk") else charset).lstrip("\ufeff")
    return re.sub(r"""encoding=["'][^"']+["']""", 'encoding="UTF-8"', text[:200]) + text[200:]


def _rows(table: list[list[str]]) -> list[Item]:
    heads = [cell.strip().lstrip("\ufeff") for cell in table[0]] if table else []
    kind = next((name for name, needed in KINDS.items() if set(needed) <= set(heads)), None)
    if kind is None or len(table) > MOST_ROWS:
        raise ValueError("no known table")
    rows = (dict(zip(heads, cells, strict=False)) for cells in table[1:] if any(cell.strip() for cell in cells))
    return [Item("table", f"TABLE^{kind}", json.dumps(row, ensure_ascii=False, sort_keys=True)) for row in rows]


def _table(name: str, data: bytes) -> list[list[str]]:
    if name.lower().endswith(".csv"):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030")
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    if name.lower().endswith((".xlsx", ".xls")):
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        return [[_cell(cell) for cell in row] for row in sheet.to_python()]
    raise ValueError("unknown suffix")


def _cell(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y%m%d%H%M%S")
    if isinstance(cell, date):
        return cell.strftime("%Y%m%d")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def keys_of(text: str) -> Keys:
    """The patient's number of a row."""
    number = str(json.loads(text).get("身份证号", "")).upper()
    return Keys(lane=number, numbers=(number,) if number else ())


def apply(task: Task) -> Outcome:
    """Write one row; raises Fault with the column as its place."""
    if task.message.type == UNREADABLE:
        raise Fault("structure", "文件")
    row: dict[str, str] = json.loads(task.message.body)
    kind = task.message.type.partition("^")[2]
    missing = next((name for name in KINDS[kind] if not row.get(name, "").strip()), None)
    if missing is not None:
        raise Fault("field-missing", missing)
    time_column = "报告时间" if kind == "results" else "就诊时间"
    moment = moment_of(row[time_column])
    if moment is None:
        raise Fault("time-missing", time_column)
    task.message.event_at = moment
    claim = Claim(
        numbers=(row["身份证号"].upper(),),
        name=row.get("姓名", ""),
        birth_date=day_of(row.get("出生日期", "")),
        place="身份证号",
    )
    writer = Writer(task, people.find(claim, task), event_at=moment)
    if kind == "results":
        _write_result(row, writer)
    else:
        _write_visit(row, writer)
    return writer.close()


def _write_result(row: dict[str, str], writer: Writer) -> None:
    thing = f"{row['报告号']}|{row.get('项目代码') or row['项目名称']}"
    number = _number(row["结果"])
    value: Json = {"valueString": row["结果"]}
    if number is not None:
        value = {"valueQuantity": elements.compact({"value": number, "unit": row.get("单位", "")})}
    code = tables.concept(writer.task, table="item", code=row.get("项目代码", ""), display=row["项目名称"])
    resource = elements.compact(
        {
            "resourceType": "Observation",
            "identifier": [writer.number("observation", thing)],
            "status": "final",
            "category": [elements.concept(systems.OBSERVATION_CATEGORY, "laboratory", "Laboratory")],
            "code": code,
            "subject": writer.patient,
            "effectiveDateTime": fhir_time(row["报告时间"]),
            **value,
            "referenceRange": [{"text": row["参考范围"]}] if row.get("参考范围") else [],
        }
    )
    writer.put(resource, thing=thing)


def _number(text: str) -> float | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return float(found) if found.is_finite() else None


def _write_visit(row: dict[str, str], writer: Writer) -> None:
    number = row["就诊号"]
    given = _CLASSES.get(row["就诊类别"])
    if given is None:
        raise Fault("code-unknown", "就诊类别", code=row["就诊类别"])
    ended = fhir_time(row.get("结束时间", ""))
    resource = elements.compact(
        {
            "resourceType": "Encounter",
            "identifier": [writer.number("visit", number)],
            "status": "finished" if ended or given != "I" else "in-progress",
            "class": elements.coding(systems.ENCOUNTER_CLASS, *tables.PATIENT_CLASS[given]),
            "subject": writer.patient,
            "period": elements.compact({"start": fhir_time(row["就诊时间"]), "end": ended}),
            "reasonCode": [elements.text_concept(row["诊断"])] if row.get("诊断") else [],
            "serviceProvider": {"display": writer.task.actor.organization_name},
        }
    )
    writer.put(resource, thing=number)


TABLES = Format(types=frozenset({f"TABLE^{kind}" for kind in KINDS} | {UNREADABLE}), keys=keys_of, apply=apply)
