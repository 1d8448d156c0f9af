"""Reads of ECG orders, reports and critical values. What the actor may not see is not there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from doorstep.care.diagnosis import states
from doorstep.care.diagnosis.models import CATEGORY, CriticalValue, EcgOrder, ReportVersion
from doorstep.care.diagnosis.report import seal_of
from doorstep.coordination.recognition import queries as recognition
from doorstep.coordination.recognition.queries import Standing, Wanted
from doorstep.coordination.recognition.rules import reason_faults
from doorstep.kernel.access.actor import ANONYMOUS, Actor, Purpose, system_actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import bind
from doorstep.kernel.audit.actions import audit_key
from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.kernel.files import queries as files
from doorstep.kernel.files.models import StoredFile
from doorstep.kernel.record import queries as record
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.models import Resident

Row = TypeVar("Row", EcgOrder, CriticalValue, ReportVersion)

_OPEN = (states.QUEUED, states.READING)
_WANTED = Wanted(code="34534-8", title="十二导联心电图")


def get_order(key: UUID | str, *, actor: Actor) -> EcgOrder:
    """The order with its people and units; raises NotFound when it is not there or not the actor's."""
    found = find_order(key)
    if found is None:
        raise NotFound()
    actor.check(Access.RECORD_VIEW)
    return found


def find_order(key: UUID | str) -> EcgOrder | None:
    """The order with its people and units, None when it is not there or not the actor's."""
    return _by_key(_orders(), key)


def standing_ecg(*, resident_id: int) -> Standing | None:
    """The ECG report that stands today for whoever asks, so that none need be ordered; the newest within its window."""
    found = recognition.standing_results(resident_id=resident_id, wanted=[_WANTED], day=timezone.localdate())
    return found[0] if found else None


def repeat_faults(*, resident_id: int, reason: str, words: str) -> dict[str, str]:
    """What the ground of a repeat lacks, by field; nothing when no result stands or the one that stands is dangerous."""
    standing = standing_ecg(resident_id=resident_id)
    return reason_faults(reason=reason, words=words) if standing and not standing.critical else {}


def waiting_order(*, resident_id: int, source_id: int) -> EcgOrder | None:
    """The order of a unit for a resident that still waits for its recording, or None."""
    return _orders().filter(resident_id=resident_id, source_id=source_id, state=states.REQUESTED).first()


def order_by_fingerprint(mark: str) -> EcgOrder | None:
    """The order whose recording this is, as far as the actor may see it."""
    sent = EcgOrder.objects.filter(fingerprint=mark).exclude(state__in=[states.CANCELLED, states.RETURNED])
    return sent.first()


def order_by_id(order_id: int) -> EcgOrder | None:
    """The order with this row id, for jobs."""
    return _orders().filter(pk=order_id).first()


# What presenters.Line and the lists read of an order; the measured values and texts of the report stay in the table.
_SHOWN = (
    "key", "state", "resident_id", "indication", "created_at", "queue_urgency", "arrived_at", "preread", "signed_at",
    "signed_by_user_id", "critical_code", "conclusion_text", "outcome_zh", "outcome_at",
)  # fmt: skip


def queue(*, actor: Actor, limit: int = 50) -> list[EcgOrder]:
    """The centre's open cases: life at stake first, then by the clock."""
    return _QUEUE.rows(list(actor.reach))[:limit]


def queue_length(*, actor: Actor) -> int:
    """How many cases wait for a reader."""
    return _WAITING.one(list(actor.reach)) or 0


def next_case(*, actor: Actor, after: EcgOrder | None = None) -> EcgOrder | None:
    """The case to read next: the first of the queue that nobody holds."""
    rows = EcgOrder.objects.filter(center_id__in=actor.reach, state=states.QUEUED)
    if after is not None:
        rows = rows.exclude(pk=after.pk)
    return rows.order_by("-queue_urgency", "arrived_at", "id").first()


def held_by(*, actor: Actor) -> EcgOrder | None:
    """The case that this reader holds now, the oldest first."""
    return _HELD.one(actor.user_id)


def orders_of_source(*, actor: Actor, limit: int = 50) -> list[EcgOrder]:
    """What the actor's units asked for, newest first."""
    return list(_listed().filter(source_id__in=actor.reach).order_by("-created_at", "-id")[:limit])


# How many of the orders that the centre has stand on the first page.
_NEWEST = 8


def orders_at_center(*, actor: Actor) -> list[EcgOrder]:
    """The newest that the actor's units have sent and the centre has not answered yet, with the centre's name."""
    return _AT_CENTER.rows(list(actor.reach))


def _at_center(reach: Slot) -> QuerySet[EcgOrder]:
    rows = EcgOrder.objects.only("key", "state", "state_since", "resident_id")
    # The model names it for the type checker, which takes this for a second definition.
    named = rows.annotate(center_name=F("center__name"))  # type: ignore[no-redef]
    return named.filter(source_id__any=reach, state__in=_OPEN).order_by("-created_at", "-id")[:_NEWEST]


_AT_CENTER = Remembered(_at_center)


def signed_by(*, actor: Actor, limit: int = 50) -> list[EcgOrder]:
    """What this reader signed, newest first: outcomes stand beside."""
    rows = _listed().filter(signed_by_user_id=actor.user_id)
    return list(rows.order_by("-signed_at", "-id")[:limit])


def ecgs_of_resident(*, resident_id: int, limit: int = 20) -> list[EcgOrder]:
    """The resident's ECGs that the actor may read, newest first."""
    return list(_orders().filter(resident_id=resident_id).order_by("-created_at", "-id")[:limit])


def people(orders: Iterable[EcgOrder | CriticalValue]) -> dict[int, Resident]:
    """The residents of several rows by id, in one query; one whose care relationship has ended is missing."""
    # Without the sealed columns: opening three of them for each line of a list costs more than the list.
    ids = {order.resident_id for order in orders}
    return {one.pk: one for one in _PEOPLE.rows(list(ids))} if ids else {}


_PEOPLE = Remembered(lambda ids: Resident.objects.filter(id__any=ids).only("key", "name", "gender", "birth_date"))


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier ECG of the same resident, to be laid beside; `at` is when it was taken, else when it was stored."""

    key: UUID
    at: datetime
    name: str


def earlier_recordings(*, order: EcgOrder) -> list[Earlier]:
    """The resident's recordings before this one that the actor may read, newest first; from orders and from hospitals."""
    found = files.of_resident(resident_id=order.resident_id, category=CATEGORY)
    own = order.recording_id or 0
    before = [file for file in found if file.pk < own]
    ordered = (
        EcgOrder.objects.filter(recording_id__in=[file.pk for file in before]) if before else EcgOrder.objects.none()
    )
    taken = dict(ordered.values_list("recording_id", "taken_at"))
    return [Earlier(file.key, taken.get(file.pk) or file.stored_at, file.name) for file in before]


def recording_file(key: UUID | str, *, actor: Actor) -> StoredFile:
    """An ECG recording with its bytes; the look is audited. Raises NotFound for anything that is not an ECG of the actor's."""
    try:
        found = files.get(key)
    except ValidationError as error:
        raise NotFound() from error
    if found.category != CATEGORY:
        raise NotFound()
    actor.check(Access.RECORD_VIEW)
    record.note_look(
        resident_id=found.resident_id, actor=actor, subject=found.episode or f"file/{found.key}", action="ecg.view"
    )
    return found


def recording_key(order: EcgOrder) -> UUID | None:
    """The key of the order's own recording, or None."""
    if order.recording_id is None:
        return None
    return StoredFile.objects.filter(pk=order.recording_id).values_list("key", flat=True).first()


def recording_of(*, order_key: str) -> str | None:
    """The key of the recording of an order that the actor may read, or None."""
    found = EcgOrder.objects.filter(key=order_key).values_list("recording_id", flat=True).first()
    key = StoredFile.objects.filter(pk=found).values_list("key", flat=True).first() if found else None
    return str(key) if key else None


def recording_facts(order: EcgOrder) -> dict[str, Any] | None:
    """Key, name, media type, size and SHA-256 of the order's recording without its bytes, or None before it was sent."""
    if order.recording_id is None:
        return None
    found = _RECORDING.one(order.recording_id)
    return dict(found) if found else None


_RECORDING = Remembered(
    lambda id: StoredFile.objects.filter(pk=id).values("key", "name", "media_type", "size", "sha256")[:1]
)


def versions(*, order: EcgOrder) -> list[ReportVersion]:
    """Every signed version of a report, oldest first."""
    return list(ReportVersion.objects.filter(order_id=order.pk).order_by("number"))


def get_critical(key: UUID | str, *, actor: Actor) -> CriticalValue:
    """The critical value with its report and units; raises NotFound when it is not there or not the actor's."""
    found = _by_key(CriticalValue.objects.select_related("order", "source", "center", "holder"), key)
    if found is None:
        raise NotFound()
    actor.check(Access.RECORD_VIEW)
    return found


def open_critical_of(*, order: EcgOrder) -> CriticalValue | None:
    """The critical value of a report that is still open, or None."""
    return CriticalValue.objects.filter(order_id=order.pk, state__in=[states.TOLD, states.ACKNOWLEDGED]).first()


def criticals_of(*, order: EcgOrder) -> list[CriticalValue]:
    """Every critical value of a report, newest first."""
    rows = CriticalValue.objects.filter(order_id=order.pk).select_related("source", "holder")
    return list(rows.order_by("-created_at"))


def criticals(*, actor: Actor, limit: int = 50) -> list[CriticalValue]:
    """The critical values that have to do with the actor's units: open ones first, then the newest."""
    waiting = Task.objects.filter(
        kind__startswith=f"{states.CRITICAL_VALUE.name}.", organization_id__in=actor.reach
    ).order_by("-opened_at")
    ids = list(waiting.values_list("item_id", flat=True)[:200])
    rows = CriticalValue.objects.select_related("source", "holder", "order")
    mine = rows.filter(pk__in=ids) | rows.filter(source_id__in=actor.reach) | rows.filter(center_id__in=actor.reach)
    return list(mine.order_by(F("closed_at").desc(nulls_first=True), "-created_at")[:limit])


def holder_for(*, critical: CriticalValue, actor: Actor) -> int | None:
    """The unit for which this actor may take a critical value on: one in whose list it lies, the actor's own first."""
    places = list(
        Task.objects.filter(
            kind__startswith=f"{critical.machine.name}.",
            item_id=critical.pk,
            closed_at__isnull=True,
            organization_id__in=actor.reach,
        ).values_list("organization_id", flat=True)
    )
    if actor.organization_id in places:
        return actor.organization_id
    return places[0] if places else None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a stranger with a printed report may learn: that it is ours, by whom and when; never whose it is."""

    center_name: str
    signed_at: datetime
    signer_name: str
    number: int
    newest: int
    seal: str
    genuine: bool


def verification(key: UUID | str) -> Verification | None:
    """Whether a printed report is genuine, under a purpose of its own that ends with this look; None when there is none."""
    bind(system_actor(Purpose.VERIFY))
    try:
        version = _by_key(ReportVersion.objects.select_related("order"), key)
        if version is None:
            return None
        expected = seal_of(
            key=audit_key(),
            order_key=str(version.order_key),
            number=version.number,
            signed_at=version.signed_at,
            signer=version.signer_name,
            licence=version.signer_licence,
            content=version.content,
        )
        return Verification(
            center_name=organizations.names(ids=[version.center_id]).get(version.center_id, ""),
            signed_at=version.signed_at,
            signer_name=version.signer_name,
            number=version.number,
            newest=version.order.version,
            seal=version.seal,
            genuine=expected == version.seal,
        )
    finally:
        bind(ANONYMOUS)


def _listed() -> QuerySet[EcgOrder]:
    """Orders for the lines of a list: what a line shows, and of their people and units only the names."""
    return _named(EcgOrder.objects.only(*_SHOWN))


_QUEUE = Remembered(
    lambda reach: (
        _listed().filter(center_id__any=reach, state__in=_OPEN).order_by("-queue_urgency", "arrived_at", "id")[:50]
    )
)
_WAITING = Remembered(
    lambda reach: (
        EcgOrder.objects.filter(center_id__any=reach, state=states.QUEUED)
        .values("state")
        .annotate(waiting=Count("id"))
        .values_list("waiting", flat=True)
    )
)
_HELD = Remembered(
    lambda user_id: EcgOrder.objects.filter(reader_user_id=user_id, state=states.READING).order_by("claimed_at")[:1]
)


def _orders() -> QuerySet[EcgOrder]:
    return _named(EcgOrder.objects.select_related("source", "center", "ordered_by", "reader", "signed_by"))


def _named(rows: QuerySet[EcgOrder]) -> QuerySet[EcgOrder]:
    # The model names both for the type checker, which takes this for a second definition.
    return rows.annotate(source_name=F("source__name"), reader_name=F("reader__name"))  # type: ignore[no-redef]


def _by_key(rows: QuerySet[Row], key: UUID | str) -> Row | None:
    try:
        return rows.filter(key=key).first()
    except ValidationError:
        return None
