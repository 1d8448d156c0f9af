"""Merging two records of one person, and parting them again so that every row is where it was."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.people.identity import moving, pairs
from doorstep.people.identity.differences import LONG_REASON, field_of, strong, takes_two
from doorstep.people.identity.events import MergeUndone, ResidentsMerged
from doorstep.people.identity.facts import FACTS
from doorstep.people.identity.models import Merge, MergeProposal, MovedRow
from doorstep.people.residents import actions as residents
from doorstep.people.residents import indexes
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.residents.patient import to_former_patient
from doorstep.people.residents.permissions import Permission

FORMER = "former"
_RESOURCES = "record_resource"
_SHORTEST_REASON = 5


@transaction.atomic
def merge(
    *,
    standing: Resident,
    former: Resident,
    choices: Mapping[str, str],
    reason: str,
    actor: Actor,
    confirmed: Collection[str] = (),
    proposal: MergeProposal | None = None,
) -> Merge:
    """Merge `former` into `standing`: every row of every table follows, `choices` says whose facts are kept.

    choices: code of a fact (`facts.FACTS`) to "former"; what is not named keeps the standing record's value. `confirmed` are
    the codes of the strong differences (`differences`) that were looked into; `proposal` is what another person had proposed and this
    one agrees to, locked by the caller. Raises NotFound for records out of the actor's sight, Refused for what has to be put
    right, confirmed or proposed first, Conflict when somebody else merged one of them meanwhile.
    """
    actor.check(Permission.RESIDENT_MERGE)
    reason = reason.strip()
    organization_id = check_two(standing, former, actor)
    with for_purpose(Purpose.MERGE, actor):
        _lock(standing, former)
        check_differences(standing, former, confirmed=confirmed, reason=reason)
        if proposal is None and takes_two(standing, former):
            raise Refused(_("两份档案各有一个有效的身份证号，另有明显不同：一个人不能决定，请提请第二人复核。"))
        made = Merge.objects.create(
            consortium_id=actor.consortium_id,
            standing=standing,
            former=former,
            organization_id=organization_id,
            reason=reason[:400],
            choices=kept_choices(choices),
            confirmed=sorted(confirmed),
            proposed_by_name=proposal.proposed_by_name if proposal else "",
            marks=moving.marks(),
            merged_by_id=actor.user_id,
            merged_by_name=actor.display_name[:80],
        )
        _keep_facts(made)
        moved = moving.move_all(made)
        _settle_numbers(made)
        _rename_panels(made)
        pairs.settle(merge=made, actor=actor)
        _publish(made, actor)
    _trace(made, "resident.merge", ResidentsMerged, actor, moved)
    return made


@transaction.atomic
def unmerge(*, merge: Merge, reason: str, actor: Actor) -> Merge:
    """Part two merged records: every row that moved goes back, every fact that was overwritten returns.

    What was written to the standing record since the merge stays with it: nobody can know whose it is, so the page
    names it for a person to judge. A fact that was changed since keeps the newer value. Raises Refused while the
    standing record is itself merged away, Conflict when the merge was undone already.
    """
    actor.check(Permission.RESIDENT_MERGE)
    reason = reason.strip()
    if len(reason) < _SHORTEST_REASON:
        raise Refused(_("撤销合并需要写明依据。"), fields={"reason": _("请写明为什么不是同一人。")})
    if not _in_sight(merge.standing_id):
        raise NotFound()
    with for_purpose(Purpose.MERGE, actor):
        if access.standing_of(resident_id=merge.standing_id) != merge.standing_id:
            raise Refused(_("保留的档案后来又并入了另一份档案，请先撤销那一次合并。"))
        _lock_rows(merge.standing_id, merge.former_id)
        changed = Merge.objects.filter(pk=merge.pk, undone_at__isnull=True).update(
            undone_at=timezone.now(),
            undone_by_id=actor.user_id,
            undone_by_name=actor.display_name[:80],
            undo_reason=reason[:400],
        )
        if not changed:
            raise Conflict(_("这次合并已由其他人撤销。"))
        merge.refresh_from_db()
        returned = moving.return_all(merge)
        _return_rows(merge)
        _return_facts(merge)
        # Rows of other former records that had to stay behind this one's may follow now.
        for other in Merge.objects.filter(standing_id=merge.standing_id, undone_at__isnull=True).order_by("id"):
            moving.move_all(other)
        pairs.settle(merge=merge, actor=actor)
        _publish(merge, actor)
    _trace(merge, "resident.unmerge", MergeUndone, actor, returned)
    return merge


def gather_late_rows(*, actor: Actor, since_hours: int = 24) -> int:
    """Move the rows that others wrote for a former record in the very moment of its merge; returns how many."""
    recent = timezone.now() - timedelta(hours=since_hours)
    return sum(
        moving.move_all(one)
        for one in Merge.objects.filter(undone_at__isnull=True, merged_at__gt=recent).order_by("id")
    )


def check_two(standing: Resident, former: Resident, actor: Actor) -> int:
    """The unit for which the actor decides; raises for what are not two records that this actor sees."""
    if standing.pk == former.pk:
        raise Refused(_("这是同一份档案，不需要合并。"))
    if actor.organization_id is None or _in_sight(standing.pk, former.pk) < 2:
        raise NotFound()
    return actor.organization_id


def check_differences(standing: Resident, former: Resident, *, confirmed: Collection[str], reason: str) -> None:
    """Raise Refused for a reason that says too little, and for each strong difference that nobody confirmed, at its field."""
    standing.refresh_from_db()
    former.refresh_from_db()
    against = strong(standing, former)
    faults = {field_of(one.code): _("请核实后勾选。") for one in against if one.code not in confirmed}
    if against and len(reason) < LONG_REASON:
        faults["reason"] = _("两份档案有明显不同，请写明核对了什么、为什么仍是同一人（不少于 10 个字）。")
    elif len(reason) < _SHORTEST_REASON:
        faults["reason"] = _("请写明为什么是同一人，例如核对了哪些证件。")
    if faults:
        raise Refused(_("还有内容没有核实，没有合并。") if against else _("合并需要写明依据。"), fields=faults)


def kept_choices(choices: Mapping[str, str]) -> dict[str, str]:
    """The choices that take the former record's value; anything else is dropped."""
    return {fact.code: FORMER for fact in FACTS if choices.get(fact.code) == FORMER}


def _in_sight(*ids: int) -> int:
    return Resident.objects.filter(id__in=ids).count()


def _lock(standing: Resident, former: Resident) -> None:
    """Hold both records and raise Conflict when one of them is no longer itself."""
    _lock_rows(standing.pk, former.pk)
    if (standing.deceased_on is None) != (former.deceased_on is None):
        raise Refused(_("只有一份档案登记了死亡，请先在另一份上登记，或撤销误登记，再合并。"))
    if any(access.standing_of(resident_id=one.pk) != one.pk for one in (standing, former)):
        raise Conflict(_("其中一份档案刚刚被合并到别处，请刷新后重新核对。"))


def _lock_rows(*ids: int) -> None:
    list(Resident.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))


def _keep_facts(made: Merge) -> None:
    """Write the chosen facts of the former record over the standing one's, column by column as the table holds them."""
    columns = [column for fact in FACTS if fact.code in made.choices for column in fact.columns]
    if not columns:
        return
    made.before = _columns(made.standing_id, columns)
    with connection.cursor() as cursor:
        sets = ", ".join(f'"{column}" = f."{column}"' for column in columns)
        cursor.execute(
            f"UPDATE residents_resident s SET {sets} FROM residents_resident f WHERE s.id = %s AND f.id = %s",
            [made.standing_id, made.former_id],
        )
    made.after = _columns(made.standing_id, columns)
    made.save(update_fields=["before", "after"])


def _columns(resident_id: int, columns: list[str]) -> dict[str, Any]:
    """Columns of a resident as JSON of the table's own values: what is sealed stays sealed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(r)::text FROM residents_resident r WHERE id = %s", [resident_id])
        row = json.loads(cursor.fetchone()[0])
    return {column: row[column] for column in columns}


def _return_facts(merge: Merge) -> None:
    """Put back the facts that nobody has changed since; a later merge that overwrote one remembers the older value."""
    back: dict[str, Any] = {}
    now = _columns(merge.standing_id, list(merge.before))
    later = list(
        Merge.objects.filter(standing_id=merge.standing_id, id__gt=merge.pk, undone_at__isnull=True).order_by("id")
    )
    for column, value in merge.before.items():
        heir = next((one for one in later if column in one.before), None)
        if heir is not None and heir.before[column] == merge.after[column]:
            heir.before[column] = value
            heir.save(update_fields=["before"])
        elif heir is None and now[column] == merge.after[column]:
            back[column] = value
    if back:
        names = ", ".join(f'"{column}"' for column in back)
        values = ", ".join(f'v."{column}"' for column in back)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE residents_resident s SET ({names}) = ROW({values})"
                " FROM jsonb_populate_record(NULL::residents_resident, %s::jsonb) v WHERE s.id = %s",
                [json.dumps(back), merge.standing_id],
            )


def _settle_numbers(made: Merge) -> None:
    """The phone that was not chosen no longer proves anybody's presence; the chosen one proves it with the chosen name."""
    standing = Resident.objects.get(id=made.standing_id)
    phones = ["phone", "phone-proof"]
    if "phone" in made.choices:
        own = Identifier.objects.filter(resident_id=made.standing_id, kind__in=phones, live=True)
        _change(made, own, "residents_identifier", live=False)
        chosen = Identifier.objects.filter(resident_id=made.former_id, kind__in=phones, live=True)
        _change(made, chosen, "residents_identifier", resident_id=made.standing_id)
    if not standing.phone or not {"phone", "name"} & set(made.choices):
        return
    proof = indexes.phone_proof_index(standing.name, standing.phone[-4:])
    known = Identifier.objects.filter(resident_id=made.standing_id, kind="phone-proof", index=proof, live=True)
    if not known.exists():
        new = Identifier.objects.create(resident_id=made.standing_id, kind="phone-proof", index=proof)
        MovedRow.objects.create(merge=made, table="residents_identifier", row_id=new.pk, act=MovedRow.Act.MADE)


def _rename_panels(made: Merge) -> None:
    """Let every unit's panel find the person by the name that was kept."""
    standing = Resident.objects.get(id=made.standing_id)
    entries = PanelEntry.objects.filter(resident_id=made.standing_id).exclude(name=standing.name)
    _change(
        made,
        entries,
        "residents_panelentry",
        name=standing.name,
        pinyin=standing.name_pinyin,
        initials=standing.name_initials,
    )


def _change(made: Merge, rows: Any, table: str, **columns: Any) -> None:
    """Change columns of rows and note what stood there before."""
    found = list(rows.values("id", *columns))
    rows.filter(id__in=[row["id"] for row in found]).update(**columns)
    MovedRow.objects.bulk_create(
        MovedRow(
            merge=made,
            table=table,
            row_id=row["id"],
            act=MovedRow.Act.CHANGED,
            changed={column: [row[column], value] for column, value in columns.items()},
        )
        for row in found
    )


_CHANGED_TABLES: dict[str, type[Model]] = {"residents_identifier": Identifier, "residents_panelentry": PanelEntry}


def _return_rows(merge: Merge) -> None:
    """Take back what the merge wrote anew, and restore what it changed unless somebody changed it since.

    Later merges into the same record may have changed the same rows: those that leave take their values back at once,
    for those that stay the later merge remembers the older value.
    """
    for row in merge.rows.filter(act=MovedRow.Act.MADE):
        _CHANGED_TABLES[row.table]._default_manager.filter(id=row.row_id).delete()
    own = list(merge.rows.filter(act=MovedRow.Act.CHANGED))
    leaving = {(row.table, row.row_id) for row in own if "resident_id" in row.changed}
    leaving |= set(merge.rows.filter(act=MovedRow.Act.MOVED, table__in=_CHANGED_TABLES).values_list("table", "row_id"))
    later = list(
        MovedRow.objects.filter(
            merge__standing_id=merge.standing_id,
            merge__undone_at__isnull=True,
            merge_id__gt=merge.pk,
            act=MovedRow.Act.CHANGED,
        ).order_by("-merge_id")
    )
    for row in later:
        if (row.table, row.row_id) in leaving:
            _restore(row, row.changed)
            row.delete()
    for row in own:
        heirs = [one for one in later if one.pk and (one.table, one.row_id) == (row.table, row.row_id)]
        free = dict(row.changed)
        for heir in heirs:
            for column in set(free) & set(heir.changed):
                if heir.changed[column][0] == free[column][1]:
                    heir.changed[column][0] = free.pop(column)[0]
                    heir.save(update_fields=["changed"])
        _restore(row, free)


def _restore(row: MovedRow, changed: dict[str, list[Any]]) -> None:
    written = {column: pair[1] for column, pair in changed.items()}
    if changed:
        found = _CHANGED_TABLES[row.table]._default_manager.filter(id=row.row_id, **written)
        found.update(**{column: pair[0] for column, pair in changed.items()})


def _publish(merge: Merge, actor: Actor) -> None:
    """The Patients of both: the former one answers with a link while merged, and as itself afterwards."""
    both = Resident.objects.select_related("organization").in_bulk([merge.standing_id, merge.former_id])
    standing, former = both[merge.standing_id], both[merge.former_id]
    residents.publish(standing, actor=actor)
    if merge.undone_at is not None:
        residents.publish(former, actor=actor)
        record.point_back(
            resource_ids=moving.moved_ids(merge, _RESOURCES),
            wrong=f"Patient/{standing.key}",
            right=f"Patient/{former.key}",
            actor=actor,
        )
        return
    unit = former.organization
    published = to_former_patient(
        former, standing_key=standing.key, organization_key=unit.key, organization_name=unit.name
    )
    record.publish(published, resident_id=former.pk, actor=actor)


def _trace(merge: Merge, verb: str, event: type[ResidentsMerged | MergeUndone], actor: Actor, rows: int) -> None:
    """Audit under both records, and the event: the resident finds it in the list of looks."""
    keys = dict(Resident.objects.filter(id__in=[merge.standing_id, merge.former_id]).values_list("id", "key"))
    details = {"merge": str(merge.key), "former": str(keys[merge.former_id]), "rows": rows}
    if merge.confirmed:
        details["confirmed"] = merge.confirmed
    reason = merge.undo_reason or merge.reason
    for resident_id in (merge.standing_id, merge.former_id):
        subject = f"resident/{keys[resident_id]}"
        audit.record(action=verb, actor=actor, subject=subject, resident_id=resident_id, basis=reason, details=details)
    events.publish(
        event(
            subject=f"resident/{keys[merge.standing_id]}",
            subject_id=merge.standing_id,
            resident_id=merge.standing_id,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=details,
        )
    )
