"""The units that a ward may ask, each with what speaks for it and what against, in which order they are asked, and what they said."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.presenters.words import listed, missing_words, shelf_names, substitute_words
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import queries as workflow
from doorstep.people.organizations import queries as organizations

# How many units a ward names: the first, and who follows.
_ORDER = 3
# How many units stand open before a ward that chooses.
_COMPARED = 8


def choices_of(proposal: DownProposal, units: list[dict[str, Any]], needs: dict[str, Any]) -> list[dict[str, Any]]:
    """The weighed units as lines of the page; two queries at most, however many there are."""
    words = _Words(
        names={str(code): str(name) for code, name in needs.get("medicines", [])},
        shelf=shelf_names(one["substitutes"] for one in units),
    )
    return [_choice(one, needs, words, proposal) for one in units]


def shown_and_folded(
    choices: list[dict[str, Any]], *, own: Collection[int] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the page lists at once, and what it folds: the ward compares the first units, a unit that is asked reads its `own` row."""
    mine = [one for one in choices if own is not None and one["id"] in own]
    if not mine:
        return choices[:_COMPARED], choices[_COMPARED:]
    return mine, [one for one in choices if one not in mine]


@dataclass(frozen=True, slots=True)
class _Words:
    """What the medicines of the plan, and those that would replace them, are called."""

    names: dict[str, str]
    shelf: dict[str, str]


def _choice(one: dict[str, Any], needs: dict[str, Any], words: _Words, proposal: DownProposal) -> dict[str, Any]:
    names = words.names
    lacks = [missing_words(text, names) for text in one["lacks"]]
    swaps = substitute_words(one["substitutes"], names, words.shelf)
    unknown = [missing_words(text, names) for text in one["unknown"]]
    askable = one.get("askable", one["able"])
    against = [
        *([_("暂不承接")] if not askable and not one["lacks"] else []),
        *([_("缺：%(what)s") % {"what": listed(lacks)}] if lacks else []),
        *swaps,
        *([_("未知：%(what)s") % {"what": listed(unknown)}] if unknown else []),
    ]
    standing, tone = _standing(one["id"], proposal)
    return {
        **one,
        "askable": askable,
        "lacks": lacks,
        "speaks_for": _speaks_for(one, needs),
        "against": against,
        "standing": standing,
        "tone": tone,
        "past": one["id"] in proposal.tried and one["id"] != proposal.receiver_id,
        "km": one.get("km"),
    }


def _speaks_for(one: dict[str, Any], needs: dict[str, Any]) -> list[str]:
    from_skills = [f"skill:{code}" for code in needs.get("skills", []) if f"skill:{code}" not in one["lacks"]]
    found = []
    if from_skills:
        found.append(_("能做：%(what)s") % {"what": listed(missing_words(code, {}) for code in from_skills)})
    if one.get("beds"):
        found.append(_("空床 %(count)s 张") % {"count": one["beds"]})
    codes = [str(code) for code, _name in needs.get("medicines", [])]
    open_codes = {text.partition(":")[2] for text in (*one["lacks"], *one["unknown"]) if text.startswith("medicine:")}
    stocked = [code for code in codes if code not in open_codes and code not in one["substitutes"]]
    if stocked:
        found.append(
            _("药品有货 %(count)s/%(all)s 种")
            % {"count": len(stocked), "all": len(codes) + len(needs.get("unlisted", []))}
        )
    return found


def _standing(unit: int, proposal: DownProposal) -> tuple[str, str]:
    """What has become of asking a unit, with its tone; ("", "") for one that was not asked."""
    said = {one["unit"]: one for one in proposal.receiver_codes}
    if unit == proposal.receiver_id and proposal.state == "asked":
        return _("正在询问"), "info"
    if unit == proposal.receiver_id and proposal.state == "agreed":
        return _("已同意"), "ok"
    if unit in said:
        return _("已回绝：%(why)s") % {"why": _refused_for(said[unit])}, "neutral"
    if unit in proposal.tried:
        return _("逾时未答复"), "neutral"
    if unit in proposal.following:
        return _("第 %(place)s 顺位") % {"place": proposal.following.index(unit) + 2}, "plain"
    return "", ""


def offered(choices: list[dict[str, Any]], proposal: DownProposal) -> list[tuple[int, str]]:
    """The units that a ward may choose from, in their order; who was asked before stands last, with what it said; never who is asked now."""
    rows = [one for one in choices if one["askable"] and one["id"] != _busy(proposal)]
    rows.sort(key=lambda one: bool(one["past"] or one["tone"] == "neutral"))
    return [(one["id"], _offered(one)) for one in rows]


def _offered(one: dict[str, Any]) -> str:
    notes = [
        *([one["standing"]] if one["tone"] == "neutral" else []),
        *([_("缺：%(what)s") % {"what": listed(one["lacks"])}] if one["lacks"] else []),
    ]
    return f"{one['name']}（{'；'.join(notes)}）" if notes else str(one["name"])


def picked(choices: list[dict[str, Any]], proposal: DownProposal) -> list[int | None]:
    """The units with which the form begins: those that can and were not asked, in their order; None where there are no more."""
    fresh = [
        one["id"]
        for one in choices
        if one["able"] and one["tone"] != "neutral" and not one["past"] and one["id"] != _busy(proposal)
    ]
    return [*fresh[:_ORDER], *([None] * (_ORDER - len(fresh)))]


def _busy(proposal: DownProposal) -> int | None:
    return proposal.receiver_id if proposal.state == "asked" else None


def named(proposal: DownProposal) -> list[str]:
    """The names of those who are asked after the present unit, in their order; one query where there are any."""
    known = organizations.names(ids=proposal.following) if proposal.following else {}
    return [known.get(one, "—") for one in proposal.following]


def refusals(proposal: DownProposal) -> list[dict[str, str]]:
    """Who refused, and why."""
    names = {one["id"]: str(one["name"]) for one in proposal.choices}
    missing = {one["unit"] for one in proposal.receiver_codes} - set(names)
    names |= organizations.names(ids=missing) if missing else {}
    return [{"unit": names.get(one["unit"], "—"), "reason": _refused_for(one)} for one in proposal.receiver_codes]


def ward_words(proposal: DownProposal, *, actor: Actor) -> str:
    """What the ward wrote beside its coded reason; "" where it wrote nothing or did not refuse. One query for a refused proposal alone."""
    if not proposal.ward_code:
        return ""
    said = [one.reason for one in workflow.history(proposal, actor=actor) if one.verb == "refuse_ward"]
    return said[-1].partition("：")[2] if said else ""


def _refused_for(said: dict[str, Any]) -> str:
    label = _(str(Referral.BackReason(said["code"]).label))
    return f"{label}：{said['words']}" if said.get("words") else label
