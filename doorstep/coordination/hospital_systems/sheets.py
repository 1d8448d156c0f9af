"""Tables for those who have nothing else: each row of an Excel or CSV file is one message.

The first line names the columns; which columns are there says what the rows are.
"""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime

from django.utils import timezone

from doorstep.coordination.hospital_systems import people, quantities
from doorstep.coordination.hospital_systems.cda.format import TYPE as CDA_TYPE
from doorstep.coordination.hospital_systems.cda.reading import parse
from doorstep.coordination.hospital_systems.people import Claim
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.times import day_of, fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.folders import LARGEST, Item
from doorstep.kernel.exchange.formats import Fault, Format, Keys, Outcome, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json
from doorstep.kernel.web.tables import MOST_UNPACKED, TableRefused, comma_separated, excel
from doorstep.people.residents.rules import NumberFault, read_number

# Kind of table to the columns that it must have; further known columns may stand beside them.
KINDS = {
    "results": ("身份证号", "报告号", "项目名称", "结果", "报告时间"),
    "visits": ("身份证号", "就诊号", "就诊类别", "就诊时间"),
}
# What may stand beside them.
FURTHER = {
    "results": ("姓名", "出生日期", "项目代码", "单位", "参考范围"),
    "visits": ("姓名", "出生日期", "结束时间", "诊断"),
}
UNREADABLE = "TABLE^unreadable"
# Whoever writes only digits here means a national id.
_NUMERIC = re.compile(r"[0-9]{14,18}[0-9X]?")
# What Excel makes of an id number in a column of numbers.
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+")
MOST_ROWS = 20_000
_CLASSES = {"门诊": "O", "急诊": "E", "住院": "I"}
_DECLARED = re.compile(rb"""encoding=["']([A-Za-z0-9_.-]+)["']""")


def open_file(name: str, data: bytes) -> list[Item]:
    """The messages of a file: a shared document, or the rows of a table."""
    try:
        if not data:
            raise Fault("file-empty", "文件")
        if len(data) > LARGEST:
            raise Fault("file-large", "文件", most=f"{LARGEST // 1024 // 1024}")
        if name.lower().endswith(".xml"):
            return [_document(data)]
        return _rows(_table(name, data))
    except Fault as fault:
        said: Json = {"file": name, "kind": fault.kind, "place": fault.place, "facts": fault.facts}
    except (UnicodeDecodeError, LookupError, ValueError):
        said = {"file": name, "kind": "file-broken", "place": "文件", "facts": {}}
    return [Item("table", UNREADABLE, json.dumps(said, ensure_ascii=False), whole=False)]


def _document(data: bytes) -> Item:
    """A shared document; one that cannot be read is kept as it came, and says so when it is worked."""
    text = _xml_text(data)
    try:
        parse(text.encode())
    except Fault:
        return Item("cda", CDA_TYPE, text, whole=False)
    return Item("cda", CDA_TYPE, text)


def _xml_text(data: bytes) -> str:
    """A document in our characters, its declaration with it."""
    found = _DECLARED.search(data[:200])
    charset = found.group(1).decode() if found else "utf-8"
    text = data.decode("gb18030" if charset.lower() in ("gb2312", "gbk") else charset).lstrip("\ufeff")
    return re.sub(r"""encoding=["'][^"']+["']""", 'encoding="UTF-8"', text[:200]) + text[200:]


def _rows(table: list[list[str]]) -> list[Item]:
    heads = [cell.strip().lstrip("\ufeff") for cell in table[0]] if table else []
    kind = next((name for name, needed in KINDS.items() if set(needed) <= set(heads)), None)
    if not any(heads):
        raise Fault("file-empty", "文件")
    if kind is None:
        lacks = min((set(needed) - set(heads) for needed in KINDS.values()), key=len)
        raise Fault("file-columns", "第 1 行", columns="、".join(sorted(lacks)))
    if len(table) > MOST_ROWS:
        raise Fault("file-long", "文件", most=f"{MOST_ROWS:,}")
    rows = [
        (line, dict(zip(heads, cells, strict=False)))
        for line, cells in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    if not rows:
        raise Fault("file-empty", "文件")
    return [
        Item("table", f"TABLE^{kind}", json.dumps(row, ensure_ascii=False, sort_keys=True), line=line)
        for line, row in rows
    ]


def _table(name: str, data: bytes) -> list[list[str]]:
    try:
        if name.lower().endswith(".csv"):
            read: Sequence[Sequence[object]] = comma_separated(data, most_rows=MOST_ROWS + 1)
        elif name.lower().endswith((".xlsx", ".xls")):
            read = excel(data, most_rows=MOST_ROWS + 1)
        else:
            raise Fault("file-kind", "文件")
    except TableRefused as refused:
        kind = {"large": "file-large", "wide": "file-wide"}.get(refused.kind, "file-broken")
        raise Fault(kind, "文件", most=f"{MOST_UNPACKED // 1024 // 1024}") from refused
    return [[_cell(cell) for cell in row] for row in read]


def _cell(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y%m%d%H%M%S")
    if isinstance(cell, date):
        return cell.strftime("%Y%m%d")
    if isinstance(cell, float) and cell.is_integer():
        # Excel keeps 15 digits of a number; what it says of the others is not what somebody typed.
        return str(int(cell)) if abs(cell) < 1e15 else f"{cell:.14E}"
    # PostgreSQL keeps no NUL.
    return str(cell).replace("\0", "").strip()


def keys_of(text: str) -> Keys:
    """The patient's number of a row."""
    number = "".join(str(json.loads(text).get("身份证号", "")).split()).upper()
    return Keys(lane=number, numbers=(number,) if number else ())


def apply(task: Task) -> Outcome:
    """Write one row; raises Fault with the column as its place."""
    if task.message.type == UNREADABLE:
        said = json.loads(task.message.body)
        raise Fault(said.get("kind", "file-broken"), said.get("place", "文件"), **said.get("facts", {}))
    row: dict[str, str] = json.loads(task.message.body)
    kind = task.message.type.partition("^")[2]
    missing = next((name for name in KINDS[kind] if not row.get(name, "").strip()), None)
    if missing is not None:
        raise Fault("field-missing", missing)
    number = "".join(row["身份证号"].split()).upper()
    if _ROUNDED.fullmatch(number):
        raise Fault("number-rounded", "身份证号")
    if _NUMERIC.fullmatch(number):
        try:
            read_number(number, today=timezone.localdate())
        except NumberFault as fault:
            raise Fault("id-number-invalid", "身份证号", sentence=str(fault)) from fault
    time_column = "报告时间" if kind == "results" else "就诊时间"
    moment = moment_of(row[time_column])
    if moment is None:
        raise Fault("time-missing", time_column)
    task.message.event_at = moment
    claim = Claim(
        numbers=(number,),
        name=row.get("姓名", ""),
        birth_date=day_of(row.get("出生日期", "")),
        place="身份证号",
        name_place="姓名",
    )
    writer = Writer(task, people.find(claim, task), event_at=moment)
    if kind == "results":
        _write_result(row, writer)
    else:
        _write_visit(row, writer)
    return writer.close()


def _write_result(row: dict[str, str], writer: Writer) -> None:
    thing = f"{row['报告号']}|{row.get('项目代码') or row['项目名称']}"
    unit = row.get("单位", "")
    number, bound = quantities.number_of(row["结果"]), quantities.bound_of(row["结果"])
    value: Json = {"valueString": row["结果"]}
    if number is not None:
        value = {"valueQuantity": quantities.quantity(writer.task, number, unit=unit)}
    elif bound is not None and unit:
        value = {"valueQuantity": quantities.quantity(writer.task, bound[1], unit=unit, comparator=bound[0])}
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
            "referenceRange": quantities.reference_range(writer.task, row.get("参考范围", ""), unit=unit),
        }
    )
    writer.put(resource, thing=thing)


def _write_visit(row: dict[str, str], writer: Writer) -> None:
    number = row["就诊号"]
    given = _CLASSES.get(row["就诊类别"])
    if given is None:
        raise Fault("value-unknown", "就诊类别", value=row["就诊类别"], choices="、".join(_CLASSES))
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
