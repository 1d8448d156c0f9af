"""A hospital's list of patients, from the file to the lines that are linked: columns, faults, what the job does."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.jobs import outbox
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.models import ListedPatient, PatientList
from doorstep.people.residents import documents
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import NumberFault, phone_fault, read_number
from doorstep.people.residents.spreadsheet import FileFault, read_table

JOB = "doorstep.link_patient_list"
# More is the operator's command: bin/doorstep link.
MOST_ROWS = 100_000
SHOWN_FAULTS = 500
STEPS: tuple[Promise, ...] = (
    gettext_lazy("排队"),
    gettext_lazy("读取居民索引"),
    gettext_lazy("逐行比对"),
    gettext_lazy("写入结果"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """What a column may be: its code, name, the headings that hospitals give it, and whether a list must have it."""

    code: str
    name: Promise
    headings: tuple[str, ...]
    needed: bool = False


FIELDS: tuple[Field, ...] = (
    Field(
        "patient_number",
        gettext_lazy("院内患者号"),
        (
            *(
                "院内患者号",
                "患者号",
                "患者编号",
                "患者id",
                "患者id号",
                "患者标识",
                "病人id",
                "病人id号",
                "病人编号",
                "病人号",
            ),
            *(
                "病案号",
                "住院号",
                "门诊号",
                "就诊卡号",
                "登记号",
                "档案号",
                "卡号",
                "patient_number",
                "patient_id",
                "patientid",
            ),
        ),
        needed=True,
    ),
    Field("name", gettext_lazy("姓名"), ("姓名", "患者姓名", "病人姓名", "xm", "name"), needed=True),
    Field(
        "id_number",
        gettext_lazy("证件号码"),
        ("身份证号", "身份证号码", "身份证", "证件号", "证件号码", "sfzh", "id_number"),
    ),
    Field("birth_date", gettext_lazy("出生日期"), ("出生日期", "生日", "出生年月日", "出生年月", "csrq", "birth_date")),
    Field("gender", gettext_lazy("性别"), ("性别", "患者性别", "xb", "gender")),
    Field(
        "phone",
        gettext_lazy("电话"),
        ("电话", "手机", "手机号", "手机号码", "联系电话", "电话号码", "联系方式", "phone"),
    ),
    Field(
        "address",
        gettext_lazy("住址"),
        ("现住址", "住址", "地址", "家庭住址", "家庭地址", "联系地址", "居住地址", "address"),
    ),
)
_GENDERS = {
    "男": "male", "女": "female", "1": "male", "2": "female", "m": "male", "f": "female",
    "male": "male", "female": "female", "未知": "", "0": "", "9": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line that can be linked: where it stood in the file, the hospital's number, and the facts."""

    row: int
    patient_number: str
    facts: Facts


@transaction.atomic
def upload(*, name: str, content: bytes, actor: Actor) -> PatientList:
    """Keep a file whose columns are named next; raises Refused at the file."""
    actor.check(Permission.RESIDENT_LINK)
    if actor.organization_id is None:
        raise NotFound()
    try:
        table = read_table(name, content)
    except FileFault as fault:
        raise Refused(str(fault), fields={"file": str(fault)}) from fault
    heads = [
        cell.strip().lstrip("\ufeff") or _("第 %(number)s 列") % {"number": place}
        for place, cell in enumerate(table[0], 1)
    ]
    lines = len(table) - 1
    if not lines or lines > MOST_ROWS:
        sentence = (
            _("除列名外没有任何行，请填写后再上传。")
            if not lines
            else _("文件有 %(count)s 行，一次最多 %(limit)s 行，请分成几个文件。")
            % {"count": lines, "limit": MOST_ROWS}
        )
        raise Refused(sentence, fields={"file": sentence})
    made = PatientList.objects.create(
        organization_id=actor.organization_id,
        consortium_id=actor.consortium_id,
        file_name=name[:200],
        uploaded_by_id=actor.user_id,
        uploaded_by_name=actor.display_name[:80],
        heads=heads,
        columns=guessed(heads),
        content=json.dumps(table[1:], ensure_ascii=False),
        rows=sum(any(line) for line in table[1:]),
    )
    _audit("list.upload", made, actor, rows=made.rows)
    return made


def guessed(heads: Sequence[str]) -> dict[str, int]:
    """Which column is what, by its heading; the place of the column by the code of the field."""
    plain = [re.sub(r"[\s*＊（(].*", "", head).lower() for head in heads]
    found: dict[str, int] = {}
    for field in FIELDS:
        place = next((plain.index(one) for one in field.headings if one in plain), None)
        if place is not None and place not in found.values():
            found[field.code] = place
    return found


@transaction.atomic
def name_columns(*, patients: PatientList, columns: Mapping[str, int], actor: Actor) -> PatientList:
    """Say which column is what, and check every line; raises Refused at the field that is missing or named twice."""
    locked = _locked(patients, actor)
    if locked.stage not in (PatientList.Stage.UPLOADED, PatientList.Stage.CHECKED):
        raise Conflict(_("这个名单已经开始比对，请刷新查看。"))
    faults = {one.code: _("请选择这一列。") for one in FIELDS if one.needed and one.code not in columns}
    for code, place in columns.items():
        if list(columns.values()).count(place) > 1:
            faults[code] = _("同一列不能选两次。")
    if not {"id_number", "birth_date", "phone", "address"} & set(columns):
        faults["id_number"] = _("证件号码、出生日期、电话、住址至少要有一列，只有姓名无法比对。")
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    locked.columns = dict(columns)
    _lines, wrong = read_lines(locked)
    locked.faults = wrong[:SHOWN_FAULTS]
    locked.faulty = len({one["row"] for one in wrong})
    locked.stage = PatientList.Stage.CHECKED
    locked.save(update_fields=["columns", "faults", "faulty", "stage"])
    return locked


@transaction.atomic
def start(*, patients: PatientList, actor: Actor) -> None:
    """Have the right lines linked by a job; a second press does nothing more."""
    locked = _locked(patients, actor)
    if locked.stage == PatientList.Stage.RUNNING:
        return
    if locked.stage not in (PatientList.Stage.CHECKED, PatientList.Stage.FAILED):
        raise Conflict(_("这个名单已经处理过了，请刷新查看。"))
    if locked.rows <= locked.faulty:
        raise Refused(_("没有一行可以比对，请按错误清单更正后重新上传。"))
    locked.stage, locked.step, locked.started_at, locked.tries = PatientList.Stage.RUNNING, 0, timezone.now(), 0
    locked.save(update_fields=["stage", "step", "started_at", "tries"])
    outbox.defer(JOB, lock=JOB, list_id=locked.pk)
    _audit("list.start", locked, actor, rows=locked.rows - locked.faulty)


@transaction.atomic
def discard(*, patients: PatientList, actor: Actor) -> None:
    """Delete what the file said of people; numbers that were linked go on leading to their residents."""
    locked = _locked(patients, actor)
    if locked.stage == PatientList.Stage.RUNNING:
        raise Conflict(_("正在比对，请等它结束后再删除。"))
    # Matches out of the actor's sight go as well.
    with for_purpose(Purpose.IMPORT, actor):
        ListedPatient.objects.filter(list=locked).delete()
    PatientList.objects.filter(pk=locked.pk).update(stage=PatientList.Stage.DISCARDED, content="", faults=[])
    _audit("list.discard", locked, actor)


def read_lines(patients: PatientList) -> tuple[list[Line], list[dict[str, Any]]]:
    """The lines that can be linked, and the faults of the others: row, column, sentence with the cure."""
    found: list[Line] = []
    faults: list[dict[str, Any]] = []
    first: dict[str, int] = {}
    for row, cells in enumerate(json.loads(patients.content), start=2):
        if not any(cells):
            continue
        line, wrong = _line(row, _named(cells, patients.columns))
        if line.patient_number and line.patient_number in first:
            wrong["patient_number"] = _("与第 %(row)s 行的患者号重复，请删除其中一行。") % {
                "row": first[line.patient_number]
            }
        first.setdefault(line.patient_number, row)
        faults += [{"row": row, "column": _heading(patients, code), "sentence": text} for code, text in wrong.items()]
        if not wrong:
            found.append(line)
    return found, faults


def facts_json(line: Line) -> str:
    """A line as it is kept."""
    return json.dumps(
        {**asdict(line.facts), "patient_number": line.patient_number},
        ensure_ascii=False,
        default=lambda day: day.isoformat(),
    )


def _named(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    return {code: " ".join(cells[place].split()) if place < len(cells) else "" for code, place in columns.items()}


def _line(row: int, cells: Mapping[str, str]) -> tuple[Line, dict[str, str]]:
    wrong: dict[str, str] = {}
    for code in ("patient_number", "name"):
        if not cells[code]:
            wrong[code] = _("不能为空，请补填后重新上传。")
    number = documents.clean(cells.get("id_number", ""))
    if re.fullmatch(r"[0-9]{15}|[0-9]{17}[0-9X]", number):
        try:
            read_number(number, today=timezone.localdate())
        except NumberFault as fault:
            wrong["id_number"] = _(str(fault))
    phone = re.sub(r"[\s-]", "", cells.get("phone", ""))
    if sentence := phone_fault(phone):
        wrong["phone"] = sentence
    born = _day(cells.get("birth_date", ""))
    if cells.get("birth_date") and born is None:
        wrong["birth_date"] = _("请按 1963-09-15 或 19630915 的格式填写。")
    gender = _GENDERS.get(cells.get("gender", "").lower())
    if cells.get("gender") and gender is None:
        wrong["gender"] = _("请填“男”或“女”。")
    if not (number or born or phone or cells.get("address")):
        wrong.setdefault("name", _("只有姓名无法比对，请补证件号码、出生日期、电话或住址。"))
    facts = Facts(
        name="".join(cells["name"].split())[:60],
        birth_date=born,
        gender=gender or "",
        number=number[:30],
        phone=phone,
        address=cells.get("address", "")[:200],
    )
    return Line(row, cells["patient_number"][:60], facts), wrong


def _day(text: str) -> date | None:
    parts = re.sub(r"[/.年月]", "-", text.split(" ", maxsplit=1)[0]).rstrip("日-")
    try:
        if "-" in parts:
            year, month, day = (int(one) for one in parts.split("-"))
            return date(year, month, day)
        return date.fromisoformat(f"{parts[:4]}-{parts[4:6]}-{parts[6:8]}")
    except ValueError:
        return None


def _heading(patients: PatientList, code: str) -> str:
    place = patients.columns.get(code)
    return str(patients.heads[place]) if place is not None else ""


def _locked(patients: PatientList, actor: Actor) -> PatientList:
    actor.check(Permission.RESIDENT_LINK)
    locked = PatientList.objects.select_for_update(of=("self",)).filter(pk=patients.pk).first()
    if locked is None or not actor.reaches(locked.organization_id):
        raise NotFound()
    return locked


def _audit(action: str, patients: PatientList, actor: Actor, **details: int) -> None:
    audit.record(action=action, actor=actor, subject=f"list/{patients.key}", details=dict(details))


def preview(patients: PatientList, lines: int = 3) -> Iterator[list[str]]:
    """The first lines of a file that has not been linked, so that its columns are recognised."""
    if patients.content:
        yield from json.loads(patients.content)[:lines]
