"""What is said to a doctor who is about to order what was done already: here and, by CDS Hooks, in other systems."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.recognition import queries, rules
from doorstep.coordination.recognition.queries import Standing, Wanted
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.hooks.registry import Asked, Card


def recognition_cards(asked: Asked, actor: Actor) -> list[Card]:
    """A card for each drafted order whose result exists and stands; none when nothing fits.

    At order-select only what was chosen a moment ago counts, at order-sign every draft.
    """
    found = queries.standing_results(
        resident_id=asked.resident_id, wanted=list(_wanted(asked.context)), day=timezone.localdate()
    )
    return [card_of(one, asked.patient_id) for one in found]


def card_of(one: Standing, patient_id: str) -> Card:
    """What is said of one result that stands; the resident's page of it is the link."""
    said = {"days": one.days, "title": one.title, "on": one.on.isoformat(), "unit": one.unit or _("未注明机构")}
    lines = [(_("诊断结论"), one.conclusion or _("报告没有结论文字"))]
    if one.critical:
        # A dangerous result is no reason to leave out the next examination.
        lines.append((_("危急值"), _("请先核对处置情况；病情需要时应当复查，不受互认期限限制。")))
    ground = _("%(source)s；互认期限由地区规定，平台默认 %(days)s 天") % {"source": rules.SOURCE, "days": one.days}
    lines.append((_("依据"), ground if rules.VERIFIED else f"{ground}（{_('口径待核')}）"))
    stands = _("%(days)s 天内已有%(title)s（%(on)s，%(unit)s），结果可以互认，不必重复检查") % said
    danger = _("%(days)s 天内已有%(title)s（%(on)s，%(unit)s），结果为危急值") % said
    return Card(
        summary=danger if one.critical else stands,
        indicator="critical" if one.critical else "warning",
        source=_("检查检验结果互认"),
        lines=tuple(lines),
        recognisable=not one.critical,
        links=((_("查看结果"), reverse("residents:entry", args=[patient_id, "DiagnosticReport", one.fhir_id])),),
    )


def _wanted(context: Mapping[str, Any]) -> Iterator[Wanted]:
    chosen = context.get("selections")
    selections = {one for one in chosen if isinstance(one, str)} if isinstance(chosen, list) else None
    for draft in _drafts(context.get("draftOrders")):
        if selections is not None and f"{draft.get('resourceType')}/{draft.get('id')}" not in selections:
            continue
        wanted = queries.wanted_of(draft)
        if wanted is not None:
            yield wanted


def _drafts(bundle: Any) -> Iterable[Mapping[str, Any]]:
    """The resources of a Bundle that somebody else wrote; what is not one is passed over."""
    entries = bundle.get("entry") if isinstance(bundle, Mapping) else None
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping):
            yield resource
