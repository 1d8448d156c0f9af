"""The demo accounts that the login page offers; empty outside a demo."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

FILE_NAME = "demo_accounts.json"


@dataclass(frozen=True, kw_only=True)
class DemoAccount:
    """One account of the demo county, as the seeding wrote it down."""

    username: str
    password: str
    role_label: str
    display_name: str
    organization_name: str


def listed() -> list[DemoAccount]:
    """Return the demo accounts by role, in the seeded order; [] when this is no demo or nothing is seeded."""
    path = Path(settings.DATA) / FILE_NAME
    if not settings.DEMO or not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    names = DemoAccount.__dataclass_fields__
    return [DemoAccount(**{name: str(row[name]) for name in names}) for row in rows]


def write(accounts: list[DemoAccount]) -> None:
    """Write the list that the login page and the start command show; called by the seeding."""
    rows = [account.__dict__ for account in accounts]
    path = Path(settings.DATA) / FILE_NAME
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
