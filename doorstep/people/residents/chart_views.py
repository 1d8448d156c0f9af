"""The record page: timeline with filters, an entry opened in place, trends, and the veil over sensitive entries."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.kernel.access import actions as access
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.record import chart as record_chart
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.chart import Chart
from doorstep.kernel.record.queries import Entry
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.web.speaking import one_day
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries
from doorstep.people.residents.chart import details, filters, lists, trends
from doorstep.people.residents.chart.analytes import GROUPS, SERIES
from doorstep.people.residents.chart.diseases import families_of
from doorstep.people.residents.chart.lines import days_of
from doorstep.people.residents.chart.previews import preview_of
from doorstep.people.residents.chart.summary import recent_of
from doorstep.people.residents.chart.values import values_of
from doorstep.people.residents.forms import OpenSensitiveForm
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import RELATIONS
from doorstep.people.residents.views import actor_of, acts_of

# What a page of trends looks back over, in days; "all" is everything.
SPANS: dict[str, int | None] = {"1y": 366, "3y": 1096, "all": None}


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One resident: who it is, what stands, and the one timeline of all units."""
    actor = actor_of(request)
    actor.check(Access.RECORD_VIEW)
    resident = queries.get_by_key(key, actor, household=True)
    if resident.key != key:
        return redirect(request, reverse("residents:detail", args=[resident.key]))
    chosen = filters.filter_of(request.GET)
    before = filters.before_of(request.GET.get("before", ""))
    relationships = access_queries.list_relationships(resident_id=resident.pk, actor=actor)
    found = record_chart.chart(
        resident_id=resident.pk, ask=filters.ask_of(chosen, now=timezone.now(), before=before, summary=True)
    )
    if found is None:
        raise NotFound()
    ground = access_queries.ground_among(relationships, actor=actor)
    note_look(resident.pk, found, actor, basis=ground.reason if ground else "")
    units = organizations.names(ids=[*found.units, *(one.organization_id for one in relationships)])
    with one_day():
        timeline = timeline_context(found, chosen, units)
    context = {
        "resident": resident,
        "banner": queries.banner(resident),
        **timeline,
        "relationships": [(one, units.get(one.organization_id, "")) for one in relationships],
        "household": [
            (one, RELATIONS.get(one.relation_to_head, one.relation_to_head)) for one in queries.household_of(resident)
        ],
        "insured": queries.insured_of(resident),
        "contact_relation": _(RELATIONS.get(resident.contact_relation, "")) if resident.contact_relation else "",
        "entry_url": _entry_address(resident),
        "sensitive_form": OpenSensitiveForm(auto_id="sensitive_%s") if found.veiled else None,
        "may_open": actor.may(Access.SENSITIVE_OPEN),
        "may_change": actor.may(Permission.RESIDENT_REGISTER),
        "may_record_death": actor.may(Permission.DEATH_RECORD),
        "may_merge": actor.may(Permission.RESIDENT_MERGE),
        "acts": acts_of(actor),
        "apps": access_queries.apps,
        "here": request.get_full_path(),
    }
    return page_or_part(request, "residents/detail.html", "timeline", context)


def _entry_address(resident: Resident) -> Callable[[Entry], str]:
    """The address of an entry's own page; worked out once, as a page names dozens of them."""
    head = reverse("residents:entry", args=[resident.key, "-", "-"]).removesuffix("-/-/")
    return lambda one: f"{head}{one.type}/{one.fhir_id}/"


def timeline_context(found: Chart, chosen: filters.Filter, units: dict[int, str]) -> dict[str, Any]:
    """What the timeline and the summary beside it show."""
    problems = lists.problems_of(found.problems, units=units)
    medicines = lists.medicines_of(found.medicines, units=units)
    families = families_of({one.code for one in problems})
    following = filters.after(found)
    query = chosen.query()
    return {
        "chart": found,
        "days": days_of(found.entries, units=units),
        "filter": chosen,
        "chips": filters.chips_of(chosen, found, units=units, families=families),
        "earlier": f"{query}{'&' if len(query) > 1 else ''}before={following.replace('+', '%2B')}" if following else "",
        "problems": lists.by_chapter(one for one in problems if one.active),
        "solved": [one for one in problems if not one.active],
        # Two units may have written one diagnosis with codes of their own.
        "problem_names": list(dict.fromkeys(one.name for one in problems if one.active)),
        "medicines": [one for one in medicines if one.current],
        "former_medicines": [one for one in medicines if not one.current],
        "recent": recent_of(found, units=units),
        "veiled": sum(found.veiled.values()),
    }


def note_look(resident_id: int, found: Chart, actor: Actor, *, basis: str) -> None:
    """Write the look, and that sensitive entries were among what it showed."""
    shown = [*found.entries, *found.problems, *found.medicines]
    opened = sum(one.sensitive for one in shown)
    audit.record(
        action="record.view",
        actor=actor,
        subject=f"resident/{resident_id}",
        resident_id=resident_id,
        basis=basis,
        details={"sensitive": opened} if opened else None,
    )


@require_GET
def entry(request: HttpRequest, key: UUID, type: str, fhir_id: str) -> HttpResponse:
    """One entry of the record in its place: facts, results with their ranges, pictures and papers."""
    actor = actor_of(request)
    actor.check(Access.RECORD_VIEW)
    resident = queries.get_by_key(key, actor)
    found = record.entry(resident_id=resident.pk, type=type, fhir_id=fhir_id)
    if found is None:
        raise NotFound()
    record.note_look(resident_id=resident.pk, actor=actor, subject=f"{type}/{fhir_id}"[:120], action="record.entry")
    results = record.entries(resident_id=resident.pk, type="Observation", fhir_ids=details.references_of(found.content))
    units = organizations.names(ids=[found.organization_id])
    context = {
        "resident": resident,
        "entry": found,
        "document": fhir_id if _is_document(found.content) else "",
        "preview": preview_of(found.content),
        "opened": details.opened(found, results=results, unit=units.get(found.organization_id or 0, "")),
    }
    return page_or_part(request, "residents/entry.html", "opened", context)


def _is_document(content: Mapping[str, Any]) -> bool:
    """Whether an entry can be fetched as a shared document: documents, reports, visits that are no stays, and what came as one."""
    kind, way = content["resourceType"], content.get("class", {}).get("code", "")
    if kind == "DocumentReference":
        return details.holds_document(content)
    return kind in ("Composition", "DiagnosticReport") or (kind == "Encounter" and way not in ("IMP", "ACUTE", "NONAC"))


@require_GET
def trend(request: HttpRequest, key: UUID) -> HttpResponse:
    """The course of every value that is followed, across all units."""
    actor = actor_of(request)
    actor.check(Access.RECORD_VIEW)
    resident = queries.get_by_key(key, actor)
    context = {
        "resident": resident,
        "banner": queries.banner(resident),
        **trend_context(resident.pk, request.GET.get("span", "3y")),
    }
    record.note_look(resident_id=resident.pk, actor=actor, subject=f"resident/{resident.pk}", action="record.trends")
    return render(request, "residents/trends.html", context)


def trend_context(resident_id: int, span: str) -> dict[str, Any]:
    """The trends of a resident over a span of time, by group."""
    span = span if span in SPANS else "3y"
    days = SPANS[span]
    since = timezone.now() - timedelta(days=days) if days else None
    observed = record_chart.series(resident_id=resident_id, codes=SERIES, since=since)
    units = organizations.names(ids=[one.organization_id for one in observed])
    found = trends.trends_of(values_of(observed), units=units)
    groups = [(label, [one for one in found if one.group == group]) for group, label in GROUPS.items()]
    labels = {"1y": _("近 1 年"), "3y": _("近 3 年"), "all": _("全部")}
    return {
        "groups": [(label, held) for label, held in groups if held],
        "spans": [{"label": label, "href": f"?span={name}", "active": name == span} for name, label in labels.items()],
        "longest": record_chart.POINTS,
    }


@require_http_methods(["GET", "POST"])
@once
def open_sensitive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open the sensitive entries of a resident for a purpose; the resident reads who, when and why."""
    actor = actor_of(request)
    actor.check(Access.SENSITIVE_OPEN)
    resident = queries.get_by_key(key, actor)
    form = OpenSensitiveForm(request.POST or None, auto_id="sensitive_%s")
    if request.method == "POST" and form.is_valid():
        try:
            ends = access.open_sensitive(resident_id=resident.pk, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            audit.record(
                action="record.unveil",
                actor=actor,
                subject=f"resident/{resident.pk}",
                resident_id=resident.pk,
                details=dict(form.cleaned_data),
            )
            until = timezone.localtime(ends).strftime("%H:%M")
            messages.warning(
                request, _("敏感内容已打开，至 %(until)s 或退出登录为止。居民会看到这次查看。") % {"until": until}
            )
            return redirect(request, reverse("residents:detail", args=[resident.key]))
    context = {"form": form, "resident": resident, "banner": queries.banner(resident)}
    return render(request, "residents/sensitive.html", context, 422 if form.errors else 200)


@require_POST
@once
def close_sensitive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Veil the sensitive entries again before their time is over."""
    actor = actor_of(request)
    actor.check(Access.SENSITIVE_OPEN)
    resident = queries.get_by_key(key, actor)
    if access.close_sensitive(resident_id=resident.pk, actor=actor):
        audit.record(action="record.veil", actor=actor, subject=f"resident/{resident.pk}", resident_id=resident.pk)
        messages.success(request, _("敏感内容已重新遮盖。"))
    return redirect(request, reverse("residents:detail", args=[resident.key]))
