"""Every address of the site with the rule of who may open it: a new address without a line here fails the suite.

`permissions`: one of these is needed (none: any signed-in staff). `subject`: the thing that the address names, if any; it belongs to
the village clinic 石桥村卫生室. `door`: staff, the resident's own pages, machines with a token, open to all, or accounts (the
library's own pages of login and second factors).
"""

from dataclasses import dataclass

STAFF, RESIDENT, MACHINE, OPEN, ACCOUNT = "staff", "resident", "machine", "open", "account"


@dataclass(frozen=True, slots=True)
class Page:
    """Who may open an address; `post` says that it is an act, tried with an empty form."""

    door: str
    permissions: frozenset[str] = frozenset()
    subject: str = ""
    post: bool = False
    keywords: tuple[tuple[str, str], ...] = ()


def page(*permissions: str, of: str = "", **keywords: str) -> Page:
    """A page of staff."""
    return Page(STAFF, frozenset(permissions), of, False, tuple(keywords.items()))


def act(*permissions: str, of: str = "", **keywords: str) -> Page:
    """An act of staff."""
    return Page(STAFF, frozenset(permissions), of, True, tuple(keywords.items()))


# A unit's own clinical staff read its reports.
_ECG = ("RECORD_VIEW",)

PAGES: dict[str, Page] = {
    "home": page(),
    "posts:switch": act(),
    "organizations:tree": page("ORGANIZATION_VIEW"),
    "organizations:members": page("ORGANIZATION_VIEW"),
    "organizations:detail": page("ORGANIZATION_VIEW", of="public"),
    "organizations:new": page("ORGANIZATION_MANAGE"),
    "organizations:consortium": page("ORGANIZATION_MANAGE"),
    "organizations:edit": page("ORGANIZATION_MANAGE", of="unit"),
    "organizations:close": page("ORGANIZATION_MANAGE", of="unit"),
    "organizations:join": page("ORGANIZATION_MANAGE", of="unit"),
    "organizations:leave": page("ORGANIZATION_MANAGE", of="nothing", membership_id="1"),
    "organizations:department": page("ORGANIZATION_MANAGE", of="unit"),
    "organizations:close_department": act(
        "ORGANIZATION_MANAGE", of="nothing", department_key="7d6c5b4a-0000-4000-8000-000000000001"
    ),
    "workforce:staff": page(),
    "workforce:person": page("WORKFORCE_VIEW", of="colleague"),
    "workforce:hire": page("WORKFORCE_MANAGE"),
    "workforce:edit": page("WORKFORCE_MANAGE", of="colleague"),
    "workforce:give_post": page("WORKFORCE_MANAGE", of="colleague"),
    "workforce:end_post": page("WORKFORCE_MANAGE", of="nothing"),
    "workforce:account": act("WORKFORCE_MANAGE", of="colleague"),
    "workforce:leave": page("TASK_DELEGATE"),
    "residents:find": page("RESIDENT_FIND"),
    "residents:presence": page("RESIDENT_FIND"),
    "residents:present": page("RESIDENT_FIND", of="proof"),
    "residents:register": page("RESIDENT_REGISTER"),
    "residents:break_glass": page("GLASS_BREAK"),
    "residents:imports": page("RESIDENT_IMPORT"),
    "residents:import_template": page("RESIDENT_IMPORT"),
    "residents:import_batch": page("RESIDENT_IMPORT", of="batch"),
    "residents:import_faults": page("RESIDENT_IMPORT", of="batch"),
    "residents:detail": page("RECORD_VIEW", of="resident"),
    "residents:change": page("RESIDENT_REGISTER", of="resident"),
    "residents:death": page("DEATH_RECORD", of="resident"),
    "residents:revoke_death": act("DEATH_RECORD", of="resident"),
    "residents:pressure": page("RECORD_VIEW", of="resident"),
    "identity:office": page("RESIDENT_MERGE"),
    "identity:doubles": act("RESIDENT_REGISTER"),
    "identity:compare": page("RESIDENT_MERGE", of="resident"),
    "identity:merge": page("RESIDENT_MERGE", of="nothing"),
    "identity:undo": act("RESIDENT_MERGE", of="nothing"),
    "visits:today": page("VISIT_OPEN"),
    "visits:open": act("VISIT_OPEN", of="resident"),
    "visits:begin": act("VISIT_OPEN", of="proof"),
    "visits:detail": page("RECORD_VIEW", of="visit"),
    "visits:vitals": act("VITALS_RECORD", of="visit"),
    "visits:finish": act("VISIT_OPEN", of="visit"),
    "visits:void": act("VISIT_OPEN", of="visit"),
    "scheduling:board": page("SLOT_VIEW", "SCHEDULE_MANAGE"),
    "scheduling:schedules": page("SCHEDULE_MANAGE"),
    "scheduling:schedule": page("SCHEDULE_MANAGE", of="nothing"),
    "scheduling:picker": page("SLOT_VIEW"),
    "scheduling:booking": page("SLOT_VIEW", "SCHEDULE_MANAGE", of="nothing"),
    "scheduling:act": act("SLOT_BOOK", "SCHEDULE_MANAGE", of="nothing", verb="cancel"),
    "notices:inbox": page("NOTICE_VIEW"),
    "notices:bell": page("NOTICE_VIEW"),
    "notices:live": page("NOTICE_VIEW"),
    "notices:seen": act("NOTICE_VIEW"),
    "notices:open": act("NOTICE_VIEW", of="nothing"),
    "contracts:panel": page("CONTRACT_VIEW"),
    "contracts:new": page("CONTRACT_SIGN", of="nobody"),
    "contracts:new-for": page("CONTRACT_SIGN", of="resident"),
    "contracts:detail": page("CONTRACT_VIEW", of="contract"),
    "contracts:sign": act("CONTRACT_SIGN", of="contract"),
    "contracts:renew": act("CONTRACT_SIGN", of="contract"),
    "contracts:terminate": act("CONTRACT_SIGN", of="contract"),
    "diagnosis:queue": page("ECG_QUEUE_VIEW"),
    "diagnosis:next": act("ECG_READ"),
    "diagnosis:outcomes": page("ECG_OUTCOME_VIEW"),
    "diagnosis:orders": page("ECG_ORDER"),
    "diagnosis:order": page("ECG_ORDER", of="visit_key"),
    "diagnosis:wave": page(*_ECG, of="recording"),
    "diagnosis:file": page(*_ECG, of="recording"),
    "diagnosis:report": page(*_ECG, of="order"),
    "diagnosis:report-pdf": page(*_ECG, of="order"),
    "diagnosis:upload": act("ECG_ORDER", of="order"),
    "diagnosis:cancel": act("ECG_ORDER", of="order"),
    "diagnosis:amend": act("ECG_SIGN", of="order"),
    "diagnosis:work": page("ECG_READ", "ECG_QUEUE_VIEW", of="order"),
    "diagnosis:claim": act("ECG_READ", of="order"),
    "diagnosis:renew": act("ECG_READ", of="order"),
    "diagnosis:draft": act("ECG_READ", of="order"),
    "diagnosis:sign": act("ECG_SIGN", of="order"),
    "diagnosis:release": act("ECG_READ", of="order"),
    "diagnosis:return": act("ECG_READ", of="order"),
    "diagnosis:criticals": page("CRITICAL_ACKNOWLEDGE", "ECG_READ"),
    "diagnosis:critical": page(*_ECG, of="critical"),
    "diagnosis:acknowledge": act("CRITICAL_ACKNOWLEDGE", of="critical"),
    "diagnosis:close-critical": act("CRITICAL_ACKNOWLEDGE", of="critical"),
    "referrals:list": page("REFERRAL_VIEW"),
    "referrals:outcomes": page("REFERRAL_VIEW"),
    "referrals:new": page("REFERRAL_SUBMIT", of="resident"),
    "referrals:office": page("REFERRAL_ACCEPT"),
    "referrals:check-in": act("REFERRAL_ACCEPT"),
    "referrals:treating": page("REFERRAL_TREAT"),
    "referrals:returning": page("REFERRAL_RECEIVE_BACK"),
    "referrals:follow-ups": page("FOLLOW_UP_DO"),
    "referrals:follow-up": page("FOLLOW_UP_DO", of="nothing"),
    "referrals:reschedule": act("FOLLOW_UP_DO", of="nothing"),
    "referrals:detail": page("REFERRAL_VIEW", of="referral"),
    "referrals:edit": page("REFERRAL_SUBMIT", of="referral"),
    "referrals:hold": act("REFERRAL_SUBMIT", of="referral"),
    "referrals:act": act("REFERRAL_SUBMIT", "REFERRAL_ACCEPT", "REFERRAL_TREAT", of="referral", verb="withdraw"),
    "referrals:admit": page("REFERRAL_TREAT", of="referral"),
    "referrals:discharge": page("REFERRAL_TREAT", of="referral"),
    "referrals:referral-pdf": page("REFERRAL_VIEW", of="referral"),
    "referrals:return-pdf": page("REFERRAL_VIEW", of="referral"),
    "exchange:connections": page("EXCHANGE_VIEW"),
    "exchange:new": page("EXCHANGE_MANAGE"),
    "exchange:messages": page("EXCHANGE_VIEW"),
    "exchange:message": page("EXCHANGE_VIEW", of="message"),
    "exchange:replay": act("EXCHANGE_MANAGE", of="message"),
    "exchange:connection": page("EXCHANGE_VIEW", of="connection"),
    "exchange:codes": page("EXCHANGE_VIEW", of="connection"),
    "exchange:decide": act("EXCHANGE_MANAGE", of="code"),
    "exchange:act": act("EXCHANGE_MANAGE", of="connection", verb="pause"),
    "exchange:merge-notice": page("RESIDENT_MERGE", of="nothing"),
    "exchange:dismiss": act("RESIDENT_MERGE", of="nothing"),
    "indicators:stages": page("INDICATOR_VIEW"),
    "indicators:cases": page("INDICATOR_VIEW", of="stage"),
    "indicators:case": page("INDICATOR_VIEW", of="task"),
    "auditing:trail": page("AUDIT_VIEW"),
    "auditing:reviews": page("GLASS_REVIEW"),
    "auditing:review": act("GLASS_REVIEW", of="nothing"),
    "portal:home": Page(RESIDENT),
    "portal:record": Page(RESIDENT),
    "portal:looks": Page(RESIDENT),
    "portal:code": Page(RESIDENT),
    "portal:choose": Page(RESIDENT, subject="resident", post=True),
    "fhir": Page(MACHINE, post=True),
    "fhir:root": Page(MACHINE, post=True),
    "fhir:search": Page(MACHINE, keywords=(("type", "Patient"),)),
    "fhir:read": Page(MACHINE, keywords=(("type", "Patient"), ("fhir_id", "x"))),
    "fhir:vread": Page(MACHINE, keywords=(("type", "Patient"), ("fhir_id", "x"), ("version", "1"))),
    "fhir:history-system": Page(MACHINE),
    "fhir:history-type": Page(MACHINE, keywords=(("type", "Patient"),)),
    "fhir:history": Page(MACHINE, keywords=(("type", "Patient"), ("fhir_id", "x"))),
    "fhir:metadata": Page(OPEN),
    "healthz": Page(OPEN),
    "readyz": Page(OPEN),
    "web:gallery": Page(OPEN),
    "web:language": Page(OPEN, post=True),
    "verify-report": Page(OPEN, subject="order"),
}
