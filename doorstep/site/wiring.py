"""What the site plugs together at start: a line per app."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from doorstep.care.contracts import merging as contract_merging
from doorstep.care.contracts import queries as contracts
from doorstep.care.contracts.groups import TeamPanels
from doorstep.care.contracts.permissions import Permission as Contracts
from doorstep.care.diagnosis import next_acts as report_acts
from doorstep.care.diagnosis import papers as ecg_papers
from doorstep.care.diagnosis.handlers import TEXTS as ECG_TEXTS
from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.diagnosis.previews import ecg_preview
from doorstep.care.referrals import benefits as referral_benefits
from doorstep.care.referrals import stock as referral_stock
from doorstep.care.referrals.down_queries import counted_stock
from doorstep.care.referrals.handlers import TEXTS as REFERRAL_TEXTS
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.care.referrals.whose_queries import of_subjects
from doorstep.coordination.allergies import queries as allergies
from doorstep.coordination.allergies.permissions import Permission as Allergies
from doorstep.coordination.beds import cases as bed_cases
from doorstep.coordination.beds import merging as bed_merging
from doorstep.coordination.hospital_systems import own_places, sheets
from doorstep.coordination.hospital_systems.cda.format import CDA
from doorstep.coordination.hospital_systems.sheets import TABLES
from doorstep.coordination.hospital_systems.v2 import sending
from doorstep.coordination.hospital_systems.v2.carrying import carry
from doorstep.coordination.hospital_systems.v2.format import HL7_V2
from doorstep.coordination.hospital_systems.v2.sending import HospitalMessages
from doorstep.coordination.notices import addresses, audience
from doorstep.coordination.notices import texts as notice_texts
from doorstep.coordination.scheduling import standing, telling
from doorstep.coordination.scheduling.calendar_queries import worked
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits import merging as visit_merging
from doorstep.coordination.visits import next_acts
from doorstep.coordination.visits.next_acts import NextAct
from doorstep.demo import cast
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.events.subscriptions import subscribe
from doorstep.kernel.exchange import folders, formats
from doorstep.kernel.fhir import door, systems
from doorstep.kernel.hooks import registry as hooks
from doorstep.kernel.record import (
    binaries,
    bulk,
    capability,
    derived,
    doors,
    groups,
    partial,
    patients,
    search_views,
    watching,
)
from doorstep.kernel.subscriptions import delivering, endpoints, messages, topics
from doorstep.kernel.subscriptions import sending as carriers
from doorstep.kernel.subscriptions.actions import note_written
from doorstep.kernel.subscriptions.door import SubscriptionDoor
from doorstep.kernel.web import navigation as menu
from doorstep.kernel.web import shell, speaking
from doorstep.kernel.workflow import catalogue, publication
from doorstep.kernel.worklist import calendar as working_time
from doorstep.kernel.worklist import duty
from doorstep.people.identity import obstacles
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations import staff as unit_staff
from doorstep.people.residents import lines
from doorstep.people.residents import queries as residents
from doorstep.people.residents import standing as standing_lists
from doorstep.people.residents.chart import previews
from doorstep.people.residents.groups import KeyGroups
from doorstep.people.workforce import queries as workforce
from doorstep.people.workforce import role_names
from doorstep.people.workforce.permissions import Permission as Workforce
from doorstep.site.actors import client_again, of_client, of_connection, of_system, of_user
from doorstep.site.addresses import ITEM_PAGES
from doorstep.site.auditing import fhir_views as audit_events
from doorstep.site.booking_notices import TEXTS as BOOKING_TEXTS
from doorstep.site.booking_notices import tell_resident
from doorstep.site.cards import SERVICES
from doorstep.site.fhir.answers import AnswerDoor
from doorstep.site.fhir.booking_messages import BookingMessages
from doorstep.site.fhir.bookings import BookingDoor
from doorstep.site.fhir.message_kinds import BOOKING_TOPIC, TOPIC
from doorstep.site.fhir.outgoing import ReferralMessages
from doorstep.site.fhir.own_operations import of_type
from doorstep.site.fhir.patients import PatientDoor, told_in_part
from doorstep.site.fhir.referrals import ReferralDoor
from doorstep.site.fhir.returns import CarePlanDoor, CommunicationDoor, EncounterDoor
from doorstep.site.fhir.schedules import ScheduleDoor, SlotDoor
from doorstep.site.fhir.tasks import TaskDoor
from doorstep.site.fhir.topics import TOPICS, extensions
from doorstep.site.machines import MACHINES
from doorstep.site.navigation import ENTRIES, FRAME, RESIDENT_TABS
from doorstep.site.next_acts import AFTER_ECG, sent_after
from doorstep.site.oauth.signed_calls import grant_of_call, is_signed_call
from doorstep.site.oauth.tokens import grant_of
from doorstep.site.pool import PoolOfPlaces
from doorstep.site.publication import MAPPINGS
from doorstep.site.roles import ROLES
from doorstep.site.subscriptions import SUBSCRIPTIONS
from doorstep.site.ticks import LIVED


def wire() -> None:
    """Install every table of the site."""
    speaking.install()
    subscribe(SUBSCRIPTIONS)
    publication.install(MAPPINGS)
    catalogue.install(MACHINES)
    duty.install(line_of_duty)
    audience.install(roles_that_may)
    door.install(client_of_token, client_remembered)
    formats.install(FORMATS, actor_of=of_connection)
    folders.install(sheets.open_file)
    hooks.install(SERVICES)
    _wire_record()
    report_acts.install(AFTER_ECG, sent=sent_after)
    previews.install(ecg_preview)
    binaries.install((ecg_papers.find,))
    lines.install("contract", contracts.contract_line)
    lines.install_allergies(allergies.for_banner)
    addresses.install(ITEM_PAGES)
    bed_cases.install(addresses.address_of)
    bed_cases.install_persons(_kept_for)
    notice_texts.install(ECG_TEXTS)
    notice_texts.install(REFERRAL_TEXTS)
    notice_texts.install(BOOKING_TEXTS)
    telling.install(tell_resident)
    obstacles.install((contract_merging.in_the_way, bed_merging.in_the_way, visit_merging.in_the_way))
    own_places.install(PoolOfPlaces())
    referral_stock.install(counted_stock)
    referral_benefits.install(benefits_of_referral, signed_targets=contract_hospitals, family_doctor=family_doctor)
    standing.install(is_signed)
    working_time.install(worked)
    role_names.install(role_name, ROLES)
    unit_staff.install(staff_of_unit)
    next_acts.install(NEXT_ACTS)
    cast.install(of_user, LIVED)
    menu.install(ENTRIES, resident_tabs=RESIDENT_TABS)
    shell.install(FRAME)


def _wire_record() -> None:
    """What the record and its machine interface know of people and of the workflows."""
    patients.install(patient_behind, many=patients_behind)
    bulk.install(system_named)
    derived.install(DERIVED)
    partial.install({"Patient": told_in_part})
    groups.install((KeyGroups(), TeamPanels()))
    search_views.install({("Patient", "AuditEvent"): audit_events.answered})
    doors.install(DOORS, directory=in_directory)
    topics.install(TOPICS)
    messages.install(TOPIC, ReferralMessages())
    messages.install(BOOKING_TOPIC, BookingMessages())
    messages.install(sending.TOPIC, HospitalMessages())
    for scheme in (endpoints.LINE, endpoints.SECURE_LINE):
        carriers.install(scheme, carry)
    capability.install(capability.Additions(extensions, of_type, {"ServiceRequest": (systems.REFERRAL_PROFILE,)}))
    watching.install(note_written)
    delivering.install(of_connection)


# What hospital systems send, by the name of its format.
FORMATS = {"hl7v2": HL7_V2, "cda": CDA, "table": TABLES}

# What follows from resources of a type.
DERIVED = {
    "Condition": standing_lists.refresh_problems,
    "MedicationStatement": standing_lists.refresh_medicines,
    "MedicationRequest": standing_lists.refresh_medicines,
}

# Resource types that belong to a workflow, at least in part.
DOORS: dict[str, doors.Door] = {
    "Appointment": BookingDoor(),
    "AppointmentResponse": AnswerDoor(),
    "Patient": PatientDoor(),
    "ServiceRequest": ReferralDoor(),
    "Subscription": SubscriptionDoor(),
    "Schedule": ScheduleDoor(),
    "Slot": SlotDoor(),
    "Task": TaskDoor(),
    "Encounter": EncounterDoor(),
    "CarePlan": CarePlanDoor(),
    "Communication": CommunicationDoor(),
}

# What leads on from a visit, in the order of the buttons.
NEXT_ACTS = (
    NextAct(label=_("申请心电"), icon="heartbeat", url_name="diagnosis:order", permission=Diagnosis.ECG_ORDER),
    NextAct(
        label=_("过敏史"),
        icon="alert-triangle",
        url_name="allergies:resident",
        permission=Allergies.ALLERGY_RECORD,
        of_resident=True,
    ),
    NextAct(
        label=_("转诊"),
        icon="arrows-exchange",
        url_name="referrals:new",
        permission=Referrals.REFERRAL_SUBMIT,
        of_resident=True,
        begins=True,
    ),
    NextAct(
        label=_("预约挂号"),
        icon="calendar-plus",
        url_name="scheduling:book-for",
        permission=Scheduling.SLOT_BOOK,
        of_resident=True,
    ),
    NextAct(
        label=_("签约"),
        icon="heart-handshake",
        url_name="contracts:new-for",
        permission=Contracts.CONTRACT_SIGN,
        of_resident=True,
    ),
)


def role_name(role: str) -> str:
    """The name of a role in the language of the page."""
    found = ROLES.get(role)
    if found is None:
        return role
    return found.en if (get_language() or "").startswith("en") else found.zh


def staff_of_unit(organization_id: int, actor: Actor) -> list[unit_staff.StaffLine]:
    """The posts of today at a unit: of the own one for everybody, of others for those who may view them."""
    if organization_id != actor.organization_id and not actor.may(Workforce.WORKFORCE_VIEW):
        return []
    return [
        unit_staff.StaffLine(
            key=post.practitioner.key,
            name=post.practitioner.name,
            role=role_name(post.role),
            title=post.practitioner.title,
            department=post.department.name if post.department else "",
        )
        for post in workforce.staff_of(organization_id=organization_id, day=timezone.localdate())
    ]


def line_of_duty(step: str, organization_id: int) -> int | None:
    """Who is next when a clock has run out: "parent" is the unit above, "lead" the consortium's lead hospital."""
    if step == "parent":
        return organizations.parent_of(organization_id=organization_id)
    if step == "lead":
        return organizations.lead_of(organization_id=organization_id, day=timezone.localdate())
    raise LookupError(f"unknown step of escalation: {step}")


def roles_that_may(organization_id: int, permission: str) -> list[str]:
    """The roles at a unit today whose holders may do something."""
    held = workforce.roles_at(organization_id=organization_id, day=timezone.localdate())
    return [role.key for role in ROLES.values() if role.key in held and permission in role.permissions]


def _kept_for(references: Iterable[str]) -> dict[str, bed_cases.KeptFor]:
    """For whom beds are kept, as their referrals name them to whoever may see these."""
    return {key: bed_cases.KeptFor(*row) for key, row in of_subjects(references).items()}


def benefits_of_referral(question: referral_benefits.Question, actor: Actor) -> list[referral_benefits.Decision]:
    """What the contracts decide of a referral."""
    return [
        referral_benefits.Decision(
            code=one.code,
            title=one.zh,
            granted=one.granted,
            reason=one.reason_zh,
            title_en=one.en,
            reason_en=one.reason_en,
            inputs=dict(one.inputs),
            source=one.source,
            verified=one.verified,
        )
        # Whoever goes by the green channel is critically ill, whether a value or the criteria of a centre say so.
        for one in contracts.benefits_of(
            question.resident_id, question.critical or question.kind == "green", question.day, question.direction
        )
    ]


def contract_hospitals(resident_id: int, day: date) -> list[int]:
    """The hospitals of the contract in force, tertiary first."""
    return contracts.hospitals_of(resident_id=resident_id, day=day)


def is_signed(resident_id: int, day: date) -> bool:
    """Whether a family-doctor contract is in force for a resident on a day."""
    return contracts.is_signed(resident_id=resident_id, day=day)


def family_doctor(resident_id: int, day: date) -> int | None:
    """The unit of the team that the resident signed with, while the contract is in force."""
    return contracts.unit_of_team(resident_id=resident_id, day=day)


def client_of_token(token: str, request: HttpRequest) -> door.Grant | None:
    """Who is behind a bearer token: one that the operator issued, an access token of OAuth, or a CDS client's own JWT."""
    address, request_id = _sent_from(request.META)
    if is_signed_call(token, request):
        return grant_of_call(token, request, address=address, request_id=request_id)
    actor = of_client(token, address=address, request_id=request_id)
    return door.Grant(actor, bound=True) if actor else grant_of(token, address=address, request_id=request_id)


def client_remembered(token: str, headers: Mapping[str, Any]) -> door.Entry | None:
    """The hospital system that this token stood for the last time, and the call that makes sure that it still does."""
    address, request_id = _sent_from(headers)
    found = client_again(token, address=address, request_id=request_id)
    return None if found is None else door.Entry(door.Grant(found[0], bound=True), found[1])


def _sent_from(headers: Mapping[str, Any]) -> tuple[str, str]:
    return str(headers.get("REMOTE_ADDR", "")), str(headers.get("HTTP_X_REQUEST_ID", ""))[:40]


def system_named(name: str) -> Actor | None:
    """The hospital system of this name, for a job that acts as it."""
    client = access.client_by_name(name)
    return of_system(client) if client else None


def in_directory(keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Organisations and practitioners by their keys, published as resources or not."""
    wanted = list(keys)
    units = organizations.known_keys(key for kind, key in wanted if kind == "Organization")
    people = workforce.known_keys(key for kind, key in wanted if kind == "Practitioner")
    return {("Organization", key) for key in units} | {("Practitioner", key) for key in people}


def patient_behind(reference: str) -> patients.Patient | None:
    """The resident behind "Patient/<key>" or "system|number", as far as the sender may see."""
    found = residents.behind_reference(reference=reference)
    return patients.Patient(resident_id=found[0], fhir_id=found[1]) if found else None


def patients_behind(references: Iterable[str]) -> dict[str, patients.Patient]:
    """The residents behind many "Patient/<key>" in one query; numbers and merged records are asked for one by one."""
    keys = {reference: reference.removeprefix("Patient/") for reference in references if "|" not in reference}
    found = residents.behind_keys(keys=keys.values())
    return {
        reference: patients.Patient(resident_id=found[key], fhir_id=key)
        for reference, key in keys.items()
        if key in found
    }
