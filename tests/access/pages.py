"""Every address of the site with the rule of who may open it: a new address without a line here fails the suite.

`permission`: what the role needs ("" = any signed-in staff). `subject`: the thing that the address names, if any; it belongs to
the village clinic 石桥村卫生室. `door`: staff pages, the resident's own pages, machines with a token, or open to all.
"""

from dataclasses import dataclass

STAFF, RESIDENT, MACHINE, OPEN, ACCOUNT = "staff", "resident", "machine", "open", "account"


@dataclass(frozen=True, slots=True)
class Page:
    """Who may open an address. `post_only` addresses answer GET with 405; `query` is added to the address."""

    door: str
    permission: str = ""
    subject: str = ""
    post_only: bool = False
    query: str = ""


def staff(permission: str = "", subject: str = "", *, post_only: bool = False, query: str = "") -> Page:
    """A page of staff."""
    return Page(door=STAFF, permission=permission, subject=subject, post_only=post_only, query=query)


PAGES: dict[str, Page] = {
    "healthz": Page(door=OPEN),
    "readyz": Page(door=OPEN),
    "home": staff(),
    "web:language": Page(door=OPEN, post_only=True),
    "web:gallery": staff(),
    "residents:find": staff("RESIDENT_FIND"),
    "residents:presence": staff("RESIDENT_FIND"),
    "residents:register": staff("RESIDENT_REGISTER"),
    "residents:break_glass": staff("GLASS_BREAK"),
    "residents:detail": staff("RECORD_VIEW", "resident"),
    "residents:change": staff("RESIDENT_REGISTER", "resident"),
    "residents:pressure": staff("RECORD_VIEW", "resident"),
    "visits:today": staff("VISIT_OPEN"),
    "visits:detail": staff("RECORD_VIEW", "visit"),
    "indicators:stages": staff("INDICATOR_VIEW"),
    "indicators:cases": staff("INDICATOR_VIEW", "stage"),
    "indicators:case": staff("INDICATOR_VIEW", "task"),
    "fhir:root": Page(door=MACHINE, post_only=True),
    "fhir:metadata": Page(door=OPEN),
    "fhir:search": Page(door=MACHINE, subject="fhir-type"),
    "fhir:read": Page(door=MACHINE, subject="fhir-patient"),
    "fhir:vread": Page(door=MACHINE, subject="fhir-version"),
}
