"""A contract as a page shows it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from django.utils.translation import get_language

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.rules import PACKAGES, Decision, window_of
from doorstep.kernel.workflow.models import Step

_PATH = ("draft", "active", "renew-due", "renewed")

# What views call the row that they hand from query to presenter: they never import models.
ShownContract: TypeAlias = Contract


@dataclass(frozen=True, slots=True)
class Benefit:
    """A decision in the reader's language."""

    name: str
    granted: bool
    reason: str
    source: str
    version: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One contract on the panel."""

    contract: Contract
    state: str
    tone: str
    days_left: int
    window: int | None


def benefits(decisions: list[Decision]) -> list[Benefit]:
    """Every decision with its reason in the reader's language."""
    english = _english()
    return [
        Benefit(
            name=found.en if english else found.zh,
            granted=found.granted,
            reason=found.reason_en if english else found.reason_zh,
            source=found.source,
            version=found.version,
            verified=found.verified,
        )
        for found in decisions
    ]


def lines(contracts: list[Contract], *, today: date) -> list[Line]:
    """The rows of the panel."""
    found = []
    for contract in contracts:
        live = contract.state in ("active", "renew-due")
        left = contract.days_left(today)
        window = window_of(left) if live else None
        tone = {None: "ok" if live else "neutral", 60: "info", 30: "warn", 7: "warn"}[window]
        found.append(Line(contract, state_label(contract), tone, left, window))
    return found


def state_label(contract: Contract) -> str:
    """The state in the reader's language."""
    state = contract.machine.state(contract.state)
    return state.en if _english() else state.zh


def package_label(contract: Contract) -> str:
    """The service package in the reader's language."""
    package = PACKAGES.get(contract.package_code)
    if package is None:
        return contract.package_code
    return package.en if _english() else package.zh


def steps(contract: Contract, history: list[Step]) -> list[dict[str, str | datetime | None]]:
    """How far the contract has come, for the component of steps."""
    reached = {step.to_state: step for step in history}
    codes = [code for code in _PATH if code != "renewed" or contract.state == "renewed"]
    if contract.state in ("expired", "terminated"):
        codes = [code for code in codes if code in reached] + [contract.state]
    items: list[dict[str, str | datetime | None]] = []
    for code in codes:
        state = contract.machine.state(code)
        step = reached.get(code)
        how = "next" if step is None else "done"
        if code == contract.state:
            how = "stopped" if code in ("expired", "terminated") else "now"
        items.append(
            {
                "label": state.en if _english() else state.zh,
                "state": how,
                "at": step.at if step else None,
                "note": step.actor_name if step else "",
            }
        )
    return items


def _english() -> bool:
    return (get_language() or "").startswith("en")
