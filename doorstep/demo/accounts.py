"""The accounts of the demonstration: one for every hero, one password, a second factor whose code the login page shows."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth.hashers import make_password

from doorstep.demo.county import heroes
from doorstep.kernel.access.models import User
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.workforce.models import Post, Practitioner

PASSWORD = "doorstep-demo-2026"
FILE_NAME = "demo_accounts.json"
_TOTP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """The account of a practitioner; `role_label` is what the login page says."""

    username: str
    practitioner_id: int
    role_label: str


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The account of a resident; `acts_for` names residents and the relation."""

    username: str
    resident_id: int
    role_label: str
    acts_for: tuple[tuple[int, str], ...] = ()


STAFF = (
    StaffAccount("village", heroes.VILLAGE_DOCTOR, "村医"),
    StaffAccount("ecg1", heroes.ECG_READER, "心电诊断医师"),
    StaffAccount("ecg2", heroes.SECOND_ECG_READER, "心电诊断医师（复核）"),
    StaffAccount("duty", heroes.TOWNSHIP_DUTY_DOCTOR, "卫生院值班医师"),
    StaffAccount("leadduty", heroes.LEAD_DUTY_DOCTOR, "牵头医院总值班"),
    StaffAccount("office", heroes.REFERRAL_OFFICER, "转诊中心专员"),
    StaffAccount("expert", heroes.CARDIOLOGY_EXPERT, "心内科专家"),
    StaffAccount("family", heroes.FAMILY_DOCTOR, "家庭医生"),
    StaffAccount("nurse", heroes.TEAM_NURSE, "团队护士"),
    StaffAccount("publichealth", heroes.PUBLIC_HEALTH_DOCTOR, "公卫医师"),
    StaffAccount("manager", heroes.MANAGER, "医共体管理者"),
    StaffAccount("auditor", heroes.AUDITOR, "审计员"),
    StaffAccount("engineer", heroes.ENGINEER, "信息工程师"),
    StaffAccount("registrar", heroes.REGISTRAR, "建档员、档案管理员"),
    StaffAccount("supervisor", heroes.SUPERVISOR, "卫生监督员"),
    StaffAccount("desk", heroes.DESK_OPERATOR, "门诊服务台（电话预约）"),
    StaffAccount("clinic", heroes.CLINIC_MANAGER, "门诊部主管（排班、号源分配）"),
    StaffAccount("kiosk", heroes.KIOSK, "自助机"),
    StaffAccount("carehome", heroes.CARE_NURSE, "照护机构护士长"),
    StaffAccount("rehab", heroes.REHABILITATION_DOCTOR, "康复医院医师、转诊受理"),
    StaffAccount("stranger", heroes.STRANGER_VILLAGE_DOCTOR, "外村村医"),
)
RESIDENTS = (
    OwnAccount("zhou", heroes.HEROINE, "居民"),
    OwnAccount("daughter", heroes.DAUGHTER, "居民（代母亲办理）", ((heroes.HEROINE, "parent"),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """One account as the login page and the start command show it."""

    username: str
    password: str
    role_label: str
    display_name: str
    organization_name: str


def make_accounts(*, today: date) -> list[DemoAccount]:
    """Make the accounts with their second factors and links; they exist in a demo only. Runs in the seed's transaction."""
    if not settings.DEMO:
        return []
    # One hash for all: hashing is slow on purpose, and it is the same password.
    password = make_password(PASSWORD)
    made = [_staff(account, password) for account in STAFF]
    _everybody_else()
    return made + [_resident(account, password, today) for account in RESIDENTS]


def _staff(account: StaffAccount, password: str) -> DemoAccount:
    person = Practitioner.objects.get(id=account.practitioner_id)
    post = Post.objects.select_related("organization").filter(practitioner=person).order_by("id")[0]
    user = User.objects.create(
        username=account.username,
        first_name=person.name,
        password=password,
        kind=User.Kind.STAFF,
        is_demo=True,
        current_post_id=post.pk,
    )
    TOTP.activate(user, generate_totp_secret())
    Practitioner.objects.filter(id=person.pk).update(user=user)
    return _shown(account.username, account.role_label, person.name, post.organization.name)


def _everybody_else() -> None:
    """Accounts of all others who work, without a password: they act in the simulator and nobody can sign in as them."""
    people = list(Practitioner.objects.filter(user__isnull=True).order_by("id"))
    for person in people:
        person.user = User(
            username=f"staff{person.pk:05d}", first_name=person.name, password=make_password(None), kind=User.Kind.STAFF
        )
    User.objects.bulk_create(person.user for person in people if person.user)
    Practitioner.objects.bulk_update(people, ["user"], batch_size=500)


def _resident(account: OwnAccount, password: str, today: date) -> DemoAccount:
    resident = Resident.objects.select_related("organization").get(id=account.resident_id)
    user = User.objects.create(
        username=account.username, first_name=resident.name, password=password, kind=User.Kind.RESIDENT, is_demo=True
    )
    links = ((account.resident_id, "self"), *account.acts_for)
    ResidentAccount.objects.bulk_create(
        ResidentAccount(user=user, resident_id=number, relation=relation, since=today) for number, relation in links
    )
    return _shown(account.username, account.role_label, resident.name, resident.organization.name)


def _shown(username: str, role_label: str, display_name: str, organization_name: str) -> DemoAccount:
    return DemoAccount(
        username=username,
        password=PASSWORD,
        role_label=role_label,
        display_name=display_name,
        organization_name=organization_name,
    )


def demo_code(user: User) -> str:
    """The one-time code of this moment for an account flagged as demo while DEMO is on, otherwise ""."""
    if not settings.DEMO or not user.is_demo:
        return ""
    factor = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()
    if factor is None:
        return ""
    return str(format_hotp_value(hotp_value(decrypt(factor.data["secret"]), int(time.time()) // _TOTP_SECONDS)))


def listed() -> list[DemoAccount]:
    """The accounts by role, in the seeded order; [] when this is no demo or nothing is seeded."""
    path = Path(settings.DATA) / FILE_NAME
    if not settings.DEMO or not path.exists():
        return []
    return [DemoAccount(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def write(accounts: Iterable[DemoAccount]) -> None:
    """Keep the list beside the database for the login page and the start command."""
    rows = [asdict(account) for account in accounts]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (Path(settings.DATA) / FILE_NAME).write_text(text, encoding="utf-8")
