"""The first page of each role: what must be done next, with its clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.care.referrals.whose_queries import whose
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits.permissions import Permission as Visits
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.pages import page_or_part
from doorstep.kernel.web.shell import QuickAct
from doorstep.kernel.workflow import catalogue
from doorstep.kernel.worklist import queries as worklist
from doorstep.kernel.worklist.queries import OpenTask
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations.permissions import Permission as Organizations
from doorstep.people.residents.named import Named, named, words_of
from doorstep.people.residents.permissions import Permission as Residents
from doorstep.people.workforce import queries as workforce
from doorstep.people.workforce.permissions import Permission as Workforce
from doorstep.site.addresses import ITEM_PAGES, LIST_PAGES
from doorstep.site.roles import ROLES
from doorstep.site.underway import underway
from doorstep.steering.indicators.permissions import Permission as Indicators

# As many as stand in a row; the menu has the rest.
QUICK = 4
# What people come to the first page to begin, in the order of the buttons; the first that a person may do is the primary one.
QUICK_ACTS = (
    QuickAct(_("去判读"), "heartbeat", "diagnosis:queue", Diagnosis.ECG_READ),
    QuickAct(_("电话预约"), "headset", "scheduling:phone", Scheduling.PHONE_DESK),
    QuickAct(_("核验到场"), "id-badge-2", "residents:presence", Visits.VISIT_OPEN),
    QuickAct(_("登记建档"), "user-plus", "residents:register", Residents.RESIDENT_REGISTER),
    QuickAct(_("今日接诊"), "stethoscope", "visits:today", Visits.VISIT_OPEN),
    QuickAct(_("到院报到"), "id-badge-2", "referrals:office", Referrals.REFERRAL_ACCEPT),
    QuickAct(_("途中患者"), "ambulance", "referrals:coming", Referrals.ARRIVAL_VIEW),
    QuickAct(_("欠款催收与减免"), "receipt", "referrals:debts", Referrals.DEBT_WAIVE),
    QuickAct(_("接诊与住院"), "bed", "referrals:treating", Referrals.REFERRAL_TREAT),
    QuickAct(_("今日门诊"), "volume", "scheduling:day", Scheduling.QUEUE_CALL),
    QuickAct(_("新增单位"), "plus", "organizations:new", Organizations.ORGANIZATION_MANAGE),
    QuickAct(_("新增人员"), "user-plus", "workforce:hire", Workforce.WORKFORCE_MANAGE),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One task as the home shows it."""

    label: str
    resident: str
    organization: str
    address: str
    urgency: int
    opened_at: datetime
    warn_at: datetime | None
    due_at: datetime | None
    level: int
    # Whose task it is when it came here for the days of somebody's leave.
    instead_of: str


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Send each kind of person where their day begins; staff see their tasks, most urgent first."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.kind is ActorKind.ANONYMOUS:
        return HttpResponseRedirect(reverse("account_login"))
    if actor.kind is ActorKind.RESIDENT:
        return HttpResponseRedirect(reverse("portal:home"))
    if actor.may(Scheduling.KIOSK_SERVE):
        return HttpResponseRedirect(reverse("scheduling:kiosk"))
    if actor.may(Indicators.INDICATOR_VIEW):
        return HttpResponseRedirect(reverse("indicators:stages"))
    tasks, sent = worklist.open_tasks(actor=actor), underway(actor)
    ids = {task.resident_id for task in tasks if task.resident_id} | {one.resident_id for one in sent}
    people = named(ids=ids) if actor.record_reach else {}
    away = {task.assignee_id for task in tasks if task.assignee_id} - {actor.user_id}
    lines = _lines(tasks, _residents(tasks, people), workforce.names_of_users(ids=away) if away else {})
    context = {
        "lines": lines,
        "sent": [(one, one.resident or _name(people.get(one.resident_id))) for one in sent],
        "quick": [act for act in QUICK_ACTS if actor.may(act.permission) and url_if_known(act.url_name)][:QUICK],
        "urgent": sum(line.urgency >= 2 for line in lines),
        "handed_on": sum(line.level > 0 for line in lines),
        "role": ROLES.get(actor.role),
        "has_post": bool(actor.organization_id),
    }
    return page_or_part(request, "site/home.html", "tasks", context)


def _name(person: Named | None) -> str:
    return person.name if person else ""


def _residents(tasks: Sequence[OpenTask], people: Mapping[int, Named]) -> dict[tuple[str, int], str]:
    """Whose each task is, in words: the register's where one may see it, else what the referral or the proposal itself says."""
    today = timezone.localdate()
    said: dict[tuple[str, int], str] = {}
    unsaid: dict[str, list[int]] = {}
    for task in tasks:
        person = people.get(task.resident_id or 0)
        if person is not None:
            said[task.kind, task.item_id] = person.said(today)
        elif task.resident_id is not None:
            unsaid.setdefault(task.kind, []).append(task.item_id)
    by_machine: dict[str, list[int]] = {}
    for kind, ids in unsaid.items():
        by_machine.setdefault(kind.partition(".")[0], []).extend(ids)
    found = {machine: whose(machine=machine, item_ids=ids) for machine, ids in by_machine.items()}
    for kind, ids in unsaid.items():
        known = found[kind.partition(".")[0]]
        said |= {(kind, item): words_of(*known[item], today) for item in ids if item in known}
    return said


def _lines(tasks: Sequence[OpenTask], residents: Mapping[tuple[str, int], str], away: Mapping[int, str]) -> list[Line]:
    english = (get_language() or "").startswith("en")
    units = organizations.names(ids=[task.organization_id for task in tasks])
    lines = []
    for task in tasks:
        stage = catalogue.stage(task.kind)
        lines.append(
            Line(
                label=stage.label(english=english) if stage else task.kind,
                resident=residents.get((task.kind, task.item_id), ""),
                organization=units.get(task.organization_id, ""),
                address=_address(task.kind, task.item_key),
                urgency=task.urgency,
                opened_at=task.opened_at,
                warn_at=task.warn_at,
                due_at=task.due_at,
                level=task.level,
                instead_of=away.get(task.assignee_id or 0, ""),
            )
        )
    return lines


def _address(kind: str, key: UUID) -> str:
    machine = kind.partition(".")[0]
    if machine in LIST_PAGES:
        return url_if_known(LIST_PAGES[machine]) or ""
    name = ITEM_PAGES.get(machine)
    return url_if_known(name, key) or "" if name else ""
