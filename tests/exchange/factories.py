"""A connection of the lead hospital, messages as its systems write them, and the work of the lanes done at once."""

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import actions, refused, storing
from doorstep.kernel.exchange.mllp.envelope import open_envelope
from doorstep.kernel.exchange.mllp.judging import judge
from doorstep.kernel.exchange.mllp.senders import Caller, Sender
from doorstep.kernel.exchange.models import Connection, Message, Refusal
from doorstep.kernel.exchange.processing import work_lane
from doorstep.people.residents.tests.factories import ZHOU_NUMBER

OWN_NUMBER = "00012345"


def make_connection(
    organization_id: int, *, application: str = "HIS", facility: str = "", consortium_id: int | None = None
) -> Connection:
    """A connection that takes messages of this organisation."""
    with acting(system_actor(Purpose.IMPORT)) as system:
        return actions.connect(
            kind=Connection.Kind.MLLP,
            organization_id=organization_id,
            consortium_id=consortium_id,
            settings=actions.Settings(name=f"{application} 接口", application=application, facility=facility),
            actor=system,
        )


def header(
    type: str, control: str, *, at: str = "20260501103000", application: str = "HIS", charset: str = "UNICODE UTF-8"
) -> str:
    return f"MSH|^~\\&|{application}|禾川县人民医院|DOORSTEP|C1|{at}||{type}|{control}|P|2.4||||||{charset}"


def pid(
    *,
    number: str = ZHOU_NUMBER,
    own: str = OWN_NUMBER,
    name: str = "周桂兰",
    birth: str = "19630915",
    gender: str = "2",
) -> str:
    numbers = "~".join(filter(None, (f"{own}^^^HIS^PI" if own else "", f"{number}^^^GA^NI" if number else "")))
    return f"PID|1||{numbers}||{name}||{birth}|{gender}"


def adt(
    event: str, control: str, *, at: str, visit: str = "ZY001", bed: str = "3床", end: str = "", **facts: str
) -> str:
    visit_line = f"PV1|1|I|心内科^201^{bed}||||D01^王建国|||||||||||ZYH|{visit}" + "|" * 25 + f"20260501080000|{end}"
    return "\r".join([header(f"ADT^{event}", control, at=at), f"EVN|{event}|{at}", pid(**facts), visit_line]) + "\r"


def oru(
    control: str,
    *,
    value: str = "5.6",
    at: str = "20260501120000",
    status: str = "F",
    report: str = "R100",
    **facts: str,
) -> str:
    lines = [
        header("ORU^R01", control, at=at, application="LIS"),
        pid(**facts),
        f"OBR|1|ORD1|{report}|GLU^血糖^L|||20260501113000|||||||||||||||{at}||LAB|{status}|||||||D02&李检验",
        f"OBX|1|NM|GLU^空腹血糖^L||{value}|mmol/L|3.9-6.1|N|||{status}|||20260501114000",
        "OBX|2|ST|HCV^丙肝抗体^L||阴性||阴性||||F",
    ]
    return "\r".join(lines) + "\r"


def send(connection: Connection, *texts: str) -> list[Message]:
    """Store messages as the server does, and return them."""
    arrivals = []
    for text in texts:
        fields = text.split("\r")[0].split("|")
        arrivals.append(
            storing.arrive(
                connection,
                format="hl7v2",
                type=fields[8],
                control_id=fields[9],
                text=text,
                content=text.partition("\r")[2],
                size=len(text),
            )
        )
    with acting(system_actor(Purpose.EXCHANGE)):
        ids = storing.store(arrivals)
        rows = {row.pk: row for row in Message.objects.filter(id__in=ids)}
        return [rows[one] for one in ids]


def work(connection: Connection) -> None:
    """Work off every lane."""
    for lane in range(storing.LANES):
        work_lane(connection_id=connection.pk, lane=lane)


def take(connection: Connection, *texts: str) -> list[Message]:
    """Store and work messages; returns them as they are afterwards."""
    sent = send(connection, *texts)
    work(connection)
    with acting(system_actor(Purpose.EXCHANGE)):
        return [Message.objects.get(pk=one.pk) for one in sent]


def system() -> Actor:
    """The system that looks at what came of it."""
    return system_actor(Purpose.EXCHANGE)


def refuse(connection: Connection, text: str | bytes) -> Refusal:
    """Refuse a message as the server does, and return what was kept of it."""
    data = text.encode() if isinstance(text, str) else text
    envelope = open_envelope(data)
    verdict = judge(envelope, Sender.of(connection), Caller("10.1.2.3"))
    with acting(system()):
        refused.note(
            connection, refused.Refused(verdict=verdict, envelope=envelope, size=len(data), address="10.1.2.3")
        )
        return Refusal.objects.order_by("-last_at", "-id")[0]
