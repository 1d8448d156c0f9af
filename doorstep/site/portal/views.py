"""Residents' pages, phone first: everything comes from the record and from the audit trail."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.referrals import debt_queries
from doorstep.care.referrals import queries as referrals
from doorstep.coordination.scheduling import booking_queries, own_queries
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import chart as record_chart
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import render, render_part, wants_part
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import account_links, chart_views, insurance, presenters, special, special_queries
from doorstep.people.residents import actions as resident_actions
from doorstep.people.residents import queries as residents
from doorstep.people.residents.chart import filters
from doorstep.people.residents.chart.lines import days_of
from doorstep.people.residents.links import OWN
from doorstep.site.acts import REASONS
from doorstep.site.oauth import granted
from doorstep.site.portal.looks import act_of, looks_at, together, why
from doorstep.site.portal.sent import besides, going_of, page_of

_CHOSEN = "portal_resident"
# Pages that show the same for any member of the family.
_STAYS = ("scheduling:mine", "scheduling:find")
# How long the words of a report, which may say "do not move", are what the resident should do now.
_FRESH = timedelta(days=1)
# How long what has ended still stands on the first page.
_JUST = timedelta(days=30)
_GOING_ON = ("ServiceRequest", "Task", "Appointment", "CarePlan")
_OPEN = {"active", "draft", "requested", "received", "accepted", "in-progress", "booked", "on-hold", "pending"}

# What somebody did with a record, in words for its owner.
ACTS: dict[str, Any] = {
    "record.view": _("查看了健康档案"),
    "record.entry": _("查看了档案里的一条记录"),
    "record.trends": _("查看了指标趋势"),
    "record.unveil": _("打开了敏感内容"),
    "record.veil": _("重新遮盖了敏感内容"),
    "visit.view": _("查看了接诊记录"),
    "visit.open": _("为您接诊"),
    "visit.finish": _("结束了接诊"),
    "visit.void": _("作废了一次误开的接诊"),
    "visit.vitals": _("记录了测量值"),
    "visit.pregnancy": _("记录了妊娠与哺乳情况"),
    "presence.prove": _("核验了本人到场"),
    "resident.register": _("为您登记建档"),
    "resident.take-in": _("把您登记到本单位"),
    "resident.change": _("更新了联系方式或人群"),
    "glass.break": _("紧急查阅了全部档案"),
    "resident.merge": _("合并了您的重复档案"),
    "resident.unmerge": _("撤销了一次档案合并"),
    "cds.patient-view": _("在其他系统里查看了签约权益"),
    "cds.order-select": _("开检查前查看了可互认的结果"),
    "cds.order-sign": _("开检查前查看了可互认的结果"),
    "fhir.read": _("通过信息系统读取了档案"),
    "fhir.search": _("通过信息系统读取了档案"),
    "fhir.history": _("通过信息系统读取了档案"),
    "fhir.everything": _("通过信息系统读取了档案"),
    "fhir.document": _("通过信息系统读取了档案"),
    "fhir.delete": _("通过信息系统删除了一条记录"),
    "fhir.import": _("通过信息系统写入了档案"),
    "fhir.export": _("通过信息系统批量导出，档案在其中"),
    "fhir.create": _("通过信息系统写入了档案"),
    "fhir.update": _("通过信息系统写入了档案"),
    "fhir.notify": _("通过信息系统收到了档案的变化"),
    "app.launch": _("带着您的档案打开了一个应用"),
    "app.agree": _("授权一个应用查看档案"),
    "app.stop": _("停止了一个应用的授权"),
}


def owner_of(request: HttpRequest) -> Actor:
    """The resident whose account this is; raises NotFound for anybody else."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.kind is not ActorKind.RESIDENT or not actor.resident_ids:
        raise NotFound()
    return actor


def frame_of(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """The family, and the person whose pages are shown."""
    family = residents.family_of(user_id=actor.user_id or 0)
    people = {link.resident_id: link.resident for link in family}
    if not people:
        raise NotFound()
    wanted = request.session.get(_CHOSEN)
    chosen = wanted if wanted in people else family[0].resident_id
    return {"family": family, "person": people[chosen], "chosen_id": chosen}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What is going on, and the newest results in plain words."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    visits = _today(frame, actor)
    if wants_part(request):
        return render_part(request, "portal/home.html", "today", visits)
    entries = record.timeline(resident_id=frame["chosen_id"], actor=actor, limit=100)
    units = organizations.names(ids=[entry.organization_id for entry in entries])
    reports = [one for one in entries if one.type == "DiagnosticReport"]
    sent = referrals.list_of_resident(resident_id=frame["chosen_id"], actor=actor)
    dead = frame["person"].deceased_on is not None
    # Who opens the page of somebody who has died is not told to go on with anything.
    papers = [] if dead else besides(entries, sent)
    told = {str(one.key) for one in [*(one for one, _ahead in visits["today_visits"]), *visits["stopped_visits"]]}
    going = [
        one
        for one in papers
        if one.type in _GOING_ON and one.content.get("status") in _OPEN and one.fhir_id not in told
    ]
    context = {
        **frame,
        **visits,
        "dead": dead,
        "ended": [] if dead else _just_ended(sent),
        "going": [*going_of(sent), *(presenters.line_of(one, units=units) for one in going[:6])],
        "reports": [presenters.line_of(one, units=units) for one in reports[:3]],
        "day_ago": timezone.now() - _FRESH,
        "pressure": next(iter(presenters.pressures_of(entries)[::-1]), None),
        "insured": [
            (insurance.words(kind=one.kind, place=one.place, insurer=one.insurer), one.until)
            for one in residents.insurances_of(resident_id=frame["chosen_id"])
            if one.ended_at is None
        ],
        "specials": [
            (special.words(kind=one.kind, name=one.name), one.until)
            for one in special_queries.specials_of(resident_id=frame["chosen_id"])
            if one.ended_at is None and (one.until is None or one.until >= timezone.localdate())
        ],
        "debts": [] if dead else debt_queries.owing_among(sent),
        "offers": sum(one.state == "offered" for one in sent),
    }
    return render(request, "portal/home.html", context)


def _today(frame: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """What of the bookings asks for the resident: a stopped clinic, an offered place, the visits of this day with the number in the queue."""
    coming = booking_queries.coming(resident_id=frame["chosen_id"])
    visits = [one for one in coming if timezone.localdate(one.slot.starts_at) == timezone.localdate()]
    return {
        "stopped_visits": booking_queries.open_rebookings(resident_ids=[frame["chosen_id"]]),
        "offered_places": [
            one
            for one in booking_queries.waiting_of(resident_id=frame["chosen_id"])
            if one.state == "offered" and one.offered_until and one.offered_until > timezone.now()
        ],
        "today_visits": [(one, own_queries.ahead(one, actor=actor)) for one in visits],
        "today": timezone.localdate(),
        "code_address": reverse("portal:code"),
    }


def _just_ended(sent: Iterable[Any]) -> list[dict[str, Any]]:
    """The referrals that ended within a month: what became of them is looked for where they were going on."""
    english, since = (get_language() or "").startswith("en"), timezone.now() - _JUST
    found = []
    for one in sent:
        state = one.machine.state(one.state)
        if state.final and one.submitted_at is not None and one.state_since >= since:
            place = one.target.name if one.target else one.outside_name
            words = state.en if english else state.zh
            found.append({"at": one.state_since, "state": words, "place": place, "href": page_of(one)})
    return found


@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    """The whole record, day by day, the newest page first; older pages follow by keyset."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    before = filters.before_of(request.GET.get("before", ""))
    ask = filters.ask_of(filters.Filter(), now=timezone.now(), before=before, summary=False)
    found = record_chart.chart(resident_id=frame["chosen_id"], ask=ask)
    if found is None:
        raise NotFound()
    chart_views.note_look(frame["chosen_id"], found, actor, basis="")
    units = organizations.names(ids=[entry.organization_id for entry in found.entries])
    following = filters.after(found)
    context = {
        **frame,
        "days": days_of(found.entries, units=units),
        "earlier": f"?{urlencode({'before': following})}" if following else "",
        "is_first": before is None,
        "day_ago": timezone.now() - _FRESH,
    }
    return render(request, "portal/record.html", context)


@require_GET
def trends(request: HttpRequest) -> HttpResponse:
    """The course of the own values across all units, with the range of each laboratory."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    resident_id = frame["chosen_id"]
    record.note_look(resident_id=resident_id, actor=actor, subject=f"resident/{resident_id}", action="record.trends")
    context = chart_views.trend_context(resident_id, request.GET.get("span", "3y"))
    return render(request, "portal/trends.html", {**frame, **context})


@require_GET
def looks(request: HttpRequest) -> HttpResponse:
    """Who looked at the record, and who may and why."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    found = looks_at(frame["chosen_id"], actor)
    relationships = access.list_relationships(resident_id=frame["chosen_id"], actor=actor)
    units = organizations.names(ids=[one.organization_id for one in relationships])
    context = {
        **frame,
        "looks": [
            (one, act_of(one, ACTS), why(one) or REASONS.get(one.basis, ""), times) for one, times in together(found)
        ],
        "relationships": [
            (one, units.get(one.organization_id, ""), REASONS.get(one.reason, one.reason)) for one in relationships
        ],
    }
    context["apps"] = granted.apps_of(user_id=actor.user_id or 0, resident_id=frame["chosen_id"])
    context["links"] = [
        (one, account_links.may_end(one, frame["person"], actor))
        for one in account_links.of_resident(frame["person"], actor)
        if one.relation != OWN and account_links.stands(one)
    ]
    return render(request, "portal/looks.html", context)


@require_POST
def end_link(request: HttpRequest, link_id: int) -> HttpResponse:
    """Let an account act for this person no more: the adult says so, or whoever acts."""
    actor = owner_of(request)
    account_links.end(link_id=link_id, resident=frame_of(request, actor)["person"], reason="", actor=actor)
    notes.success(request, _("已结束代办，对方的账号和应用马上不能再查看这份档案。"))
    return HttpResponseRedirect(reverse("portal:looks"))


@require_POST
def stop_app(request: HttpRequest, name: str) -> HttpResponse:
    """Let an app read no more."""
    actor = owner_of(request)
    display = granted.stop(name=name, resident_id=frame_of(request, actor)["chosen_id"], actor=actor)
    notes.success(request, _("已停止授权，“%(app)s”不能再查看这份档案。") % {"app": display})
    return HttpResponseRedirect(reverse("portal:looks"))


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Six digits for five minutes that prove presence at any unit."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    made = ""
    if request.method == "POST":
        made = resident_actions.make_presence_code(resident_id=frame["chosen_id"], actor=actor)
    # A kiosk scans both at once: the number says who, the code that the own phone is here.
    number = frame["person"].national_id or frame["person"].document_number or ""
    scan = f"{number}#{made}" if made and number else ""
    response = render(request, "portal/code.html", {**frame, "code": made, "scan": scan})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def choose(request: HttpRequest, key: UUID) -> HttpResponse:
    """Turn to another member of the family, and stay on the page (`next`) where that was done."""
    actor = owner_of(request)
    resident = residents.get_by_key(key, actor)
    request.session[_CHOSEN] = resident.pk
    wanted = request.POST.get("next", "")
    stays = {reverse(name) for name in _STAYS}
    return HttpResponseRedirect(wanted if wanted in stays else reverse("portal:home"))
