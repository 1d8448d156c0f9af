"""Whom the simulated hospital treats: residents whom the hospital may see, under the hospital's own machine account."""

from django.utils import timezone

from doorstep.demo.hospital.traffic import Patient
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import actions
from doorstep.kernel.exchange.formats import sender_of
from doorstep.kernel.exchange.models import Connection
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations.models import Membership
from doorstep.people.residents.models import Resident

FACILITY = "禾川县人民医院"
SYSTEMS = {"HIS": "医院信息系统（HIS）", "LIS": "检验信息系统（LIS）"}


def connect_lead_hospital(*, organization_id: int | None = None, addresses: tuple[str, ...] = ()) -> list[Connection]:
    """The connections of the lead hospital's systems, made when they are not there; the first is its HIS.

    New ones are taken from `addresses` alone.
    """
    with acting(system_actor(Purpose.IMPORT)) as system:
        if organization_id is None:
            leads = Membership.objects.filter(part=Membership.Part.LEAD).order_by("organization_id")
            organization_id = leads.values_list("organization_id", flat=True)[0]
        consortium_id = organizations.consortium_of(organization_id=organization_id, day=timezone.localdate())
        found = []
        for application, name in SYSTEMS.items():
            known = Connection.objects.filter(application=application, facility=FACILITY).first()
            found.append(
                known
                or actions.connect(
                    kind=Connection.Kind.MLLP,
                    organization_id=organization_id,
                    consortium_id=consortium_id,
                    settings=actions.Settings(
                        name=name, application=application, facility=FACILITY, addresses=addresses
                    ),
                    actor=system,
                )
            )
    return found


def patients_of(connection: Connection, *, limit: int) -> list[Patient]:
    """Residents whom the connection's hospital may see, as its patients."""
    with acting(sender_of(connection)):
        rows = Resident.objects.filter(deceased_on__isnull=True).order_by("id")[: limit * 2]
        people = [
            Patient(row.national_id, f"{row.pk:08}", row.name, row.birth_date, row.gender)
            for row in rows
            if row.national_id
        ]
    return people[:limit]
