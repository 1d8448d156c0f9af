"""Taking over a unit's file of residents: check all rows first, then take all of them or only the right ones."""

import json
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import documents, indexes, insurance, insuring, special, specializing
from doorstep.people.residents.actions import NewResident, admit, check_new, row_of
from doorstep.people.residents.events import ResidentsImported
from doorstep.people.residents.flags import flags_of
from doorstep.people.residents.models import Household, ImportBatch, Insurance, Resident
from doorstep.people.residents.patient import to_patient
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import GROUPS, NumberFault, phone_fault, read_number
from doorstep.people.residents.special_models import SpecialDisease
from doorstep.people.residents.spreadsheet import FileFault, SheetRow, read_file

_GENDERS = {"男": "male", "女": "female", "未知": "unknown", "未说明": "other", "1": "male", "2": "female"}
_GROUP_CODES = {label: code for code, label in GROUPS.items()}
# A commercial policy has no column: it is written down on the resident's page.
_INSURANCES = {label: code for code, label in insurance.KINDS.items() if code != insurance.COMMERCIAL}
_FIELDS = {
    "name": "姓名",
    "gender": "性别",
    "number": "身份证号",
    "birth_date": "出生日期",
    "phone": "电话",
    "groups": "重点人群",
    "country": "护照签发国家",
    "mother_number": "母亲身份证号",
    "insurance": "医保类型",
    "insured_at": "参保地",
}


@transaction.atomic
def check_file(*, name: str, content: bytes, actor: Actor) -> ImportBatch:
    """Read a file and find every fault in it; nothing is taken over yet. Raises Refused at the file."""
    actor.check(Permission.RESIDENT_IMPORT)
    if actor.organization_id is None or (actor.user_id is None and not actor.is_system):
        raise NotFound()
    try:
        rows = read_file(name, content)
    except FileFault as fault:
        raise Refused(str(fault), fields={"file": str(fault)}) from fault
    people, faults = _check(rows)
    batch = ImportBatch.objects.create(
        organization_id=actor.organization_id,
        consortium_id=actor.consortium_id,
        file_name=name[:200],
        uploaded_by_id=actor.user_id,
        rows=len(rows),
        faulty=len({fault["row"] for fault in faults}),
        content=json.dumps(people, ensure_ascii=False),
        faults=faults,
    )
    audit.record(
        action="import.check",
        actor=actor,
        subject=f"import/{batch.key}",
        details={"rows": len(rows), "file": name[:80]},
    )
    return batch


@transaction.atomic
def take_over(*, batch: ImportBatch, only_right: bool, actor: Actor) -> ImportBatch:
    """Take over a checked file: all rows or, with `only_right`, those without a fault; everything or nothing of it.

    Raises Refused when rows are faulty and all were asked for, Conflict when a number was taken in the meantime.
    """
    actor.check(Permission.RESIDENT_IMPORT)
    locked = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if locked.stage != ImportBatch.Stage.CHECKED:
        raise Conflict(_("这个文件已经处理过了，请刷新查看结果。"))
    if locked.organization_id != actor.organization_id:
        raise NotFound()
    if locked.faulty and not only_right:
        raise Refused(
            _("还有 %(count)s 行需要更正，没有导入。请更正后重新上传，或选择只导入正确的行。")
            % {"count": locked.faulty}
        )
    people = json.loads(locked.content)
    homes = _households(people, locked.organization_id)
    rows = [row_of(_person(facts), household_id=homes.get(facts["household"])) for facts in people]
    try:
        with transaction.atomic():
            made = admit(rows, actor=actor, present=False) if rows else []
    except IntegrityError as error:
        raise Conflict(_("有身份证号刚刚被其他单位登记，没有导入任何一行。请重新上传检查。")) from error
    ids = {str(key): resident_id for key, resident_id in made}
    _publish({ids[row["key"]]: facts for row, facts in zip(rows, people, strict=True)}, actor)
    ImportBatch.objects.filter(pk=locked.pk).update(
        stage=ImportBatch.Stage.DONE, done_at=timezone.now(), taken=len(made), content=""
    )
    locked.refresh_from_db()
    facts = {"rows": locked.rows, "taken": len(made)}
    events.publish(
        ResidentsImported(
            subject=f"import/{locked.key}",
            subject_id=locked.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
    audit.record(action="import.done", actor=actor, subject=f"import/{locked.key}", details=facts)
    return locked


@transaction.atomic
def discard(*, batch: ImportBatch, actor: Actor) -> None:
    """Give a checked file up: its content is removed."""
    actor.check(Permission.RESIDENT_IMPORT)
    ImportBatch.objects.filter(pk=batch.pk, stage=ImportBatch.Stage.CHECKED).update(
        stage=ImportBatch.Stage.DISCARDED, content=""
    )
    audit.record(action="import.discard", actor=actor, subject=f"import/{batch.key}")


def _check(rows: list[SheetRow]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    parsed = [(row, *_parse(row)) for row in rows]
    marks = [_mark(person) if person else None for _row, person, _faults in parsed]
    taken = _taken([mark for mark in marks if mark is not None])
    first: dict[UUID, int] = {}
    people, faults = [], []
    for (row, person, found), mark in zip(parsed, marks, strict=True):
        if mark is not None:
            column = "身份证号" if person and person.number else "母亲身份证号"
            if mark in first:
                found[column] = _("与第 %(row)s 行重复，请删除其中一行。") % {"row": first[mark]}
            elif mark in taken:
                found[column] = _("已经建档，不需要导入。请从文件中删除这一行；本人到场时核验后接诊。")
            first.setdefault(mark, row.number)
        if found or person is None:
            faults += [{"row": row.number, "column": column, "sentence": text} for column, text in found.items()]
        else:
            people.append(
                {
                    **asdict(person),
                    "birth_date": person.birth_date.isoformat(),
                    "household": row.cells.get("户号", ""),
                    "specials": row.cells.get("门诊慢特病", ""),
                }
            )
    return people, faults


def _parse(row: SheetRow) -> tuple[NewResident | None, dict[str, str]]:
    cells = {column: " ".join(text.split()) for column, text in row.cells.items()}
    found: dict[str, str] = {}
    document, number, country = _document(cells, found)
    gender = _GENDERS.get(cells.get("性别", ""), "")
    if not gender:
        found["性别"] = _("请填“男”或“女”。")
    own = number if document == documents.NATIONAL_ID else ""
    born = _birth_date(cells.get("出生日期", ""), own, found)
    groups = [text.strip() for text in cells.get("重点人群", "").replace(";", "；").split("；") if text.strip()]
    unknown = [text for text in groups if text not in _GROUP_CODES]
    if unknown:
        found["重点人群"] = _("“%(name)s”不在人群目录中，多个人群用分号隔开，名称见模板。") % {"name": unknown[0]}
    insured = cells.get("医保类型", "")
    if insured and insured not in _INSURANCES:
        found["医保类型"] = _("“%(name)s”不在目录中，可填：%(known)s。") % {
            "name": insured,
            "known": "、".join(_INSURANCES),
        }
    wrong_disease = special.read(cells.get("门诊慢特病", ""), today=timezone.localdate())[1]
    if wrong_disease:
        found["门诊慢特病"] = wrong_disease
    phone = cells.get("电话", "").replace(" ", "").replace("-", "")
    if wrong_phone := phone_fault(phone):
        found["电话"] = wrong_phone
    if found or born is None:
        return None, found
    person = NewResident(
        name=cells.get("姓名", ""),
        birth_date=born,
        gender=gender,
        number=number,
        document=document,
        country=country,
        phone=phone,
        address=cells.get("现住址", "")[:200],
        relation_to_head=cells.get("与户主关系", "")[:16],
        groups=tuple(dict.fromkeys(_GROUP_CODES[text] for text in groups)),
        mother_number=cells.get("母亲身份证号", "").replace(" ", "").upper(),
        insurance=_INSURANCES.get(insured, ""),
        insured_at=cells.get("参保地", "")[:60],
    )
    columns = _FIELDS if document == documents.NATIONAL_ID else {**_FIELDS, "number": "证件号码"}
    wrong = {columns.get(name, name): sentence for name, sentence in check_new(person).items()}
    if len(person.name) > 60:
        wrong["姓名"] = _("姓名超过 60 个字，请核对是否错列。")
    return (None, wrong) if wrong else (person, {})


def _document(cells: dict[str, str], found: dict[str, str]) -> tuple[str, str, str]:
    """Kind, number and country of a row's document: the id card's column, or those of another document."""
    number = documents.clean(cells.get("身份证号", ""))
    label, other = cells.get("证件类型", ""), documents.clean(cells.get("证件号码", ""))
    if not label or label == documents.KINDS[documents.NATIONAL_ID]:
        return documents.NATIONAL_ID, number or other, ""
    kind = next((code for code, name in documents.KINDS.items() if name == label), "")
    if not kind:
        found["证件类型"] = _("“%(name)s”不在目录中，可填：%(known)s。") % {
            "name": label,
            "known": "、".join(documents.KINDS.values()),
        }
    elif not other:
        found["证件号码"] = _("填写了证件类型，请一并填写证件号码。")
    country = cells.get("护照签发国家", "")
    codes = {name: code for code, name in documents.COUNTRIES.items()}
    return kind, other, codes.get(country, country.upper())


def _birth_date(text: str, number: str, found: dict[str, str]) -> date | None:
    if not text and number:
        try:
            return read_number(number, today=timezone.localdate()).birth_date
        except NumberFault as fault:
            found["身份证号"] = _(str(fault))
            return None
    parts = text.replace("/", "-").replace(".", "-")
    try:
        return date.fromisoformat(parts if "-" in parts else f"{parts[:4]}-{parts[4:6]}-{parts[6:8]}")
    except ValueError:
        found["出生日期"] = _("请按 1963-09-15 的格式填写；有身份证号时可以留空。")
        return None


def _mark(person: NewResident) -> UUID | None:
    if person.number:
        return indexes.number_index(person.number)
    if person.mother_number:
        return indexes.child_index(person.mother_number, person.birth_date, person.birth_order)
    return None


def _taken(marks: list[UUID]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT residents_numbers_taken(%s)", [marks])
        return {row[0] for row in cursor.fetchall()}


def _person(facts: dict[str, Any]) -> NewResident:
    known = {name: value for name, value in facts.items() if name not in ("household", "specials")}
    known["birth_date"] = date.fromisoformat(known["birth_date"])
    known["groups"] = tuple(known["groups"])
    return NewResident(**known)


def _households(people: list[dict[str, Any]], unit_id: int) -> dict[str, int]:
    """One household per number of the file; its address is the first that a row of it gives."""
    addresses: dict[str, str] = {}
    for facts in people:
        if facts["household"] and not addresses.get(facts["household"]):
            addresses[facts["household"]] = facts["address"]
    made = Household.objects.bulk_create(
        [Household(organization_id=unit_id, address=address) for address in addresses.values()]
    )
    return {number: home.pk for number, home in zip(addresses, made, strict=True)}


def _publish(people: dict[int, dict[str, Any]], actor: Actor) -> None:
    """Tell the record of the new residents, of their insurance and of what it recognises, which are inserted here: one statement each."""
    residents = list(Resident.objects.select_related("organization").filter(id__in=people).order_by("id"))
    patients = [
        (to_patient(one, organization_key=one.organization.key, organization_name=one.organization.name), one.pk)
        for one in residents
    ]
    lines, today = [], timezone.localdate()
    flags: list[tuple[Published, int | None]] = []
    for one in residents:
        facts = people[one.pk]
        flags += [
            (flag, one.pk) for flag in flags_of(one, dict.fromkeys(facts["groups"], today), actor.organization_id)
        ]
        if facts.get("insurance"):
            line = insuring.new_line(one, kind=facts["insurance"], place=facts["insured_at"], actor=actor)
            line.source = Insurance.Source.IMPORTED.value
            lines.append(line)
    specials = {one.pk: _specials(one, people[one.pk].get("specials", ""), actor) for one in residents}
    # Whoever brings the list in may not read what is not said aloud.
    with for_purpose(Purpose.HANDLER, actor):
        flags += specializing.take_over([line for found in specials.values() for line in found])
        record.publish_new([pair for pair in flags if pair[0].sensitive], actor=actor)
    flags = [pair for pair in flags if not pair[0].sensitive]
    record.publish_new([*patients, *flags, *(insuring.take_over(lines, specials) if lines else ())], actor=actor)


def _specials(resident: Resident, text: str, actor: Actor) -> list[SpecialDisease]:
    told, _wrong = special.read(text, today=timezone.localdate())
    lines = [
        specializing.new_line(resident, kind=one.kind, name=one.name, since=one.since, until=one.until, actor=actor)
        for one in told
    ]
    for line in lines:
        line.source = SpecialDisease.Source.IMPORTED.value
    return lines
