"""Lines of treatment as people write them: the medicines of the house's list, how often, and the rows of a form."""

from typing import Any

from django.utils.translation import get_language, gettext_noop

from doorstep.kernel.fhir import systems
from doorstep.kernel.terminology import queries as terminology

MEDICINES = f"{systems.BASE}/CodeSystem/medicine"
FREQUENCIES: dict[str, str] = {
    "qd": gettext_noop("每日 1 次"),
    "bid": gettext_noop("每日 2 次"),
    "tid": gettext_noop("每日 3 次"),
    "qn": gettext_noop("每晚 1 次"),
    "prn": gettext_noop("必要时"),
}
_COLUMNS = ("code", "name", "dose", "frequency", "days", "note")
# More than a doctor looks through.
_FOUND = 8


def find(text: str) -> list[dict[str, str]]:
    """Medicines that fit what is typed, in the reader's language."""
    english = (get_language() or "").startswith("en")
    found = terminology.find(system=MEDICINES, text=text, limit=_FOUND)
    return [{"code": one.code, "name": one.en if english else one.zh} for one in found]


def row_of(code: str) -> dict[str, str]:
    """A row with the usual dose and frequency of a medicine; an empty row for no or an unknown code."""
    found = terminology.lookup(system=MEDICINES, codes=[code]).get(code) if code else None
    if found is None:
        return {}
    usual = terminology.property_of(system=MEDICINES, code=code)
    return {
        "code": code,
        "name": found.zh,
        "dose": usual.get("dose", ""),
        "frequency": usual.get("frequency", "qd"),
        "days": "30",
    }


def rows_of(data: Any) -> list[dict[str, str]]:
    """The rows of a posted form: parallel lists, lines without a name are left out."""
    columns = {name: data.getlist(f"medicine_{name}") for name in _COLUMNS}
    rows = []
    for index, name in enumerate(columns["name"]):
        if name.strip():
            rows.append(
                {key: (values[index] if index < len(values) else "").strip()[:120] for key, values in columns.items()}
            )
    return rows
