"""HL7 v2 messages of a hospital become the record of its residents: once, in order, and nobody else's."""

from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from doorstep.coordination.hospital_systems import merging, waiting
from doorstep.coordination.hospital_systems.models import MergeNotice
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.exchange.models import CodeMapping, Connection, Message
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource, ResourceVersion
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.worklist.models import Task
from doorstep.people.identity.numbers import remember_patient_numbers
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, add_to_panel, make_resident, make_staff, make_world
from doorstep.site.actors import of_user
from tests.exchange.factories import OWN_NUMBER, adt, header, make_connection, oru, pid, send, system, take, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def zhou(world: World) -> Resident:
    return make_resident(organization_id=world.village, panel_of=(world.lead,))


@pytest.fixture
def his(world: World) -> Connection:
    return make_connection(world.lead)


def resources(kind: str) -> list[dict[str, Any]]:
    with acting(system()):
        return [row.content for row in Resource.objects.filter(type=kind).order_by("id")]


def versions() -> int:
    with acting(system()):
        return ResourceVersion.objects.count()


def one(kind: str) -> dict[str, Any]:
    found = resources(kind)
    assert len(found) == 1
    return found[0]


def test_admission_becomes_an_encounter_of_the_hospital(his: Connection, zhou: Resident) -> None:
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    assert (message.state, message.error_kind, message.resident_id) == ("applied", "", zhou.pk)
    stay = one("Encounter")
    assert stay["status"] == "in-progress"
    assert stay["class"]["code"] == "IMP"
    assert stay["subject"]["reference"] == f"Patient/{zhou.key}"
    assert stay["period"]["start"] == "2026-05-01T08:00:00+08:00"
    assert stay["location"][0]["location"]["display"] == "心内科 201 3床"
    with acting(system()):
        source = Resource.objects.get(type="Provenance").content
        assert [one["reference"] for one in source["target"]] == [f"Encounter/{stay['id']}"]
        assert source["agent"][1]["who"]["display"].endswith(f"（{his.code}）")
        assert source["entity"][0]["what"]["identifier"]["value"] == message.control_id
        assert not problems(source)
        entry = AuditEntry.objects.get(action="exchange.apply")
        assert (entry.organization_id, entry.resident_id, entry.actor_kind) == (his.organization_id, zhou.pk, "client")


def test_stay_follows_its_events(his: Connection, zhou: Resident) -> None:
    steps = [
        ("A05", "planned"),
        ("A01", "in-progress"),
        ("A02", "in-progress"),
        ("A03", "finished"),
        ("A13", "in-progress"),
    ]
    for number, (event, status) in enumerate(steps):
        take(his, adt(event, f"M{number}", at=f"2026050108{number:02}00", bed=f"{number}床"))
        assert one("Encounter")["status"] == status
    take(his, adt("A11", "M9", at="20260501090000"))
    assert one("Encounter")["status"] == "cancelled"


def test_older_message_does_not_overwrite_newer(his: Connection, zhou: Resident) -> None:
    take(his, adt("A03", "M3", at="20260503100000", end="20260503095500"))
    before = versions()
    late = take(his, adt("A08", "M2", at="20260502100000", bed="9床"), adt("A01", "M1", at="20260501080500"))
    assert [(message.state, message.notes) for message in late] == [("applied", [["older", "Encounter"]])] * 2
    assert (versions(), one("Encounter")["status"]) == (before, "finished")


def test_everything_twice_changes_nothing(his: Connection, zhou: Resident) -> None:
    messages = [adt("A01", "M1", at="20260501080500"), oru("L1"), adt("A03", "M2", at="20260502080500")]
    take(his, *messages)
    before = versions()
    again = take(his, *messages)
    resent = take(
        his, *[text.replace("|M1|", "|N1|").replace("|L1|", "|N2|").replace("|M2|", "|N3|") for text in messages]
    )
    assert [message.duplicates for message in again] == [1, 1, 1]
    assert [message.state for message in resent] == ["applied"] * 3
    assert versions() == before


def test_report_becomes_observations_with_the_words_of_the_sender(his: Connection, zhou: Resident) -> None:
    take(his, oru("L1"))
    report, (glucose, antibody) = one("DiagnosticReport"), resources("Observation")
    assert report["status"] == "final"
    assert report["result"] == [{"reference": f"Observation/{item['id']}"} for item in (glucose, antibody)]
    assert glucose["valueQuantity"]["value"] == 5.6
    assert glucose["referenceRange"][0]["low"]["value"] == 3.9
    assert glucose["code"]["text"] == "空腹血糖"
    assert antibody["valueString"] == "阴性"
    with acting(system()):
        unknown = {(row.table, row.local_code): row.seen for row in CodeMapping.objects.all()}
    assert unknown[("item", "GLU")] == 1
    assert ("unit", "mmol/L") not in unknown
    assert glucose["valueQuantity"]["code"] == glucose["referenceRange"][0]["high"]["code"] == "mmol/L"


def test_escaped_nul_is_left_out(his: Connection, zhou: Resident) -> None:
    (message,) = take(his, oru("N1").replace("|阴性||阴性|", "|阴\\X00\\性||阴性|"))
    assert message.state == "applied"
    assert "阴性" in {one.get("valueString") for one in resources("Observation")}


def test_unit_that_is_ucum_as_it_stands_waits_for_nobody(his: Connection, zhou: Resident) -> None:
    written = {
        "mmol/L": "mmol/L",
        "μmol/L": "umol/L",
        "10^9/L": "10^9/L",
        "10*9/L": "10*9/L",
        "G/L": "",
        "次/分": "",
        "u/L": "",
    }
    lines = [
        f"OBX|{number}|NM|A{number}^项目^L||5|{unit}|3-6|N|||F|||20260501114000"
        for number, unit in enumerate(written, start=1)
    ]
    head, _glucose, _antibody = oru("U1").rstrip("\r").rsplit("\r", 2)
    assert take(his, "\r".join([head, *lines]) + "\r")[0].state == "applied"
    found = [one["valueQuantity"] for one in resources("Observation")]
    assert {one["unit"]: one.get("code", "") for one in found} == written
    with acting(system()):
        waiting = set(CodeMapping.objects.filter(table="unit").values_list("local_code", flat=True))
        assert waiting == {unit for unit, code in written.items() if not code}
        # What an engineer decides goes before what the unit is as it stands.
        CodeMapping.objects.filter(local_code="G/L").update(
            target_system=systems.UCUM, target_code="10*9/L", decided_at="2026-05-01T00:00Z"
        )
    take(his, "\r".join([head.replace("|U1|", "|U2|"), lines[4].replace("|5|G/L", "|7|G/L")]) + "\r")
    assert [one["valueQuantity"]["code"] for one in resources("Observation") if one["valueQuantity"]["value"] == 7] == [
        "10*9/L"
    ]


def test_decided_code_stands_beside_the_code_of_the_sender(his: Connection, zhou: Resident) -> None:
    take(his, oru("L1"))
    with acting(system()):
        rows = CodeMapping.objects.filter(table="item", local_code="GLU")
        rows.update(
            target_system="http://loinc.org",
            target_code="1558-6",
            target_display="Fasting glucose",
            decided_at="2026-05-01T00:00Z",
        )
    take(his, oru("L2", value="7.7", at="20260501130000"))
    codings = resources("Observation")[0]["code"]["coding"]
    assert (codings[0]["system"], codings[0]["code"]) == ("http://loinc.org", "1558-6")
    assert codings[1]["code"] == "GLU"
    with acting(system()):
        assert CodeMapping.objects.get(table="item", local_code="GLU").seen == 1


def test_corrected_report_is_a_new_version_and_a_late_preliminary_is_not(his: Connection, zhou: Resident) -> None:
    take(his, oru("L1", at="20260501120000"), oru("L2", at="20260501150000", value="6.6", status="C"))
    take(his, oru("L0", at="20260501110000", value="1.1", status="P"))
    assert one("DiagnosticReport")["status"] == "corrected"
    assert resources("Observation")[0]["valueQuantity"]["value"] == 6.6


def test_stranger_waits_and_goes_on_when_the_hospital_may_see(his: Connection, world: World) -> None:
    outsider = make_resident(organization_id=world.village)
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    (nobody,) = take(his, adt("A01", "M2", at="20260501080500", number="110101199003071233", own="77"))
    assert (message.state, message.error_kind) == (nobody.state, nobody.error_kind) == ("waiting", "resident-unknown")
    assert message.resident_id is None
    assert resources("Encounter") == []
    assert outsider.pk


def test_hospital_that_knows_only_of_a_referral_writes_its_results_and_its_doctors_read_them(
    his: Connection, world: World
) -> None:
    zhou = make_resident(organization_id=world.village, panel_of=(world.township,))
    with acting(system()) as actor:
        access.open_relationship(
            resident_id=zhou.pk,
            organization_id=world.lead,
            reason=CareRelationship.Reason.REFERRAL,
            scope=CareRelationship.Scope.EPISODE,
            episode="referral/1",
            actor=actor,
        )
        elsewhere = {"resourceType": "Observation", "id": "elsewhere", "status": "final", "code": {"text": "血糖"}}
        record.publish(
            Published(content=elsewhere, organization_id=world.township, occurred_at=timezone.now()),
            resident_id=zhou.pk,
            actor=actor,
        )
    (message,) = take(his, oru("M1"))
    assert (message.state, message.error_kind) == ("applied", "")
    specialist = of_user(make_staff(name="陈", organization_id=world.lead, role="specialist"))
    with acting(specialist):
        read = set(Resource.objects.filter(type="Observation").values_list("organization_id", flat=True))
    assert read == {world.lead}


def test_waiting_message_goes_on_when_the_hospital_may_see_the_resident(his: Connection, world: World) -> None:
    resident = make_resident(organization_id=world.village)
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    assert (message.state, waiting.release_seen()) == ("waiting", 0)
    with acting(system()) as actor:
        add_to_panel(resident, world.lead, actor)
    assert waiting.release_seen() == 1
    work(his)
    with acting(system()):
        assert Message.objects.get().state == "applied"
    assert one("Encounter")["status"] == "in-progress"


def test_numbers_that_lead_to_two_people_are_put_aside(his: Connection, world: World, zhou: Resident) -> None:
    make_resident(
        organization_id=world.village,
        name="李福",
        number="439981195005120011",
        phone="19900009999",
        panel_of=(world.lead,),
    )
    take(his, adt("A01", "M1", at="20260501080500"))
    (wrong,) = take(
        his, adt("A08", "M2", at="20260501090500", number="439981195005120011", name="李福", birth="19500512")
    )
    assert (wrong.state, wrong.error_kind) == ("failed", "identity-conflict")
    (other,) = take(his, adt("A08", "M3", at="20260501090500", own="", name="李福", birth="19500512"))
    assert (other.state, other.error_kind) == ("failed", "identity-mismatch")


def test_hospital_number_is_learned_and_enough_afterwards(his: Connection, zhou: Resident) -> None:
    take(his, adt("A01", "M1", at="20260501080500"))
    (known,) = take(his, oru("L1", number=""))
    (renamed,) = take(his, oru("L2", number="", name="别人", report="R2"))
    assert (known.state, known.resident_id) == ("applied", zhou.pk)
    assert renamed.error_kind == "identity-mismatch"


def test_number_of_a_linked_list_is_enough_and_frees_what_waited(his: Connection, world: World, zhou: Resident) -> None:
    (early,) = take(his, oru("L1", number=""))
    assert early.state == "waiting"
    with acting(system()) as actor:
        code = organizations.get(organization_id=world.lead).code
        assert remember_patient_numbers(links=[(zhou.pk, OWN_NUMBER)], system=code, actor=actor) == 1
    assert waiting.release_seen() == 1
    work(his)
    with acting(system()):
        told = Message.objects.get(pk=early.pk)
    assert (told.state, told.resident_id) == ("applied", zhou.pk)
    (other,) = take(his, oru("L2", number="", own="999", report="R2"))
    assert other.state == "waiting"


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("\r".join([header("ORU^R01", "E1"), pid()]), "segment-missing", "OBR"),
        ("\r".join([header("ORU^R01", "E2"), pid(), "OBR|1|||GLU"]), "order-number-missing", "OBR-3"),
        ("\r".join([header("ORU^R01", "E3"), pid(), "OBR|1|1|2|GLU^x|||20260501|||||||||||||||||F", "OBX|1|NM|||5"]), "field-missing", "OBX-3"),
        ("\r".join([header("ORU^R01", "E4"), pid(), "OBR|1|1|2|GLU^x" + "|" * 21 + "??"]), "code-unknown", "OBR-25"),
        ("\r".join([header("ADT^A01", "E5"), "EVN|A01|20260501"]), "segment-missing", "PID"),
        ("\r".join([header("ADT^A01", "E6"), "PID|1||||周桂兰"]), "patient-number-missing", "PID-3"),
        ("\r".join([header("ADT^A01", "E7"), pid(), "PV1|1|I"]), "visit-number-missing", "PV1-19"),
        ("\r".join([header("SIU^S12", "E8"), "SCH|1", pid()]), "time-missing", "SCH-11.4"),
        ("\r".join([header("DFT^P03", "E9"), pid(), "FT1|1|T1||20260501||CG|X1^药|||zwei"]), "number-invalid", "FT1-10"),
    ],
)  # fmt: skip
def test_fault_is_put_aside_with_its_place_and_leaves_nothing(
    his: Connection, zhou: Resident, text: str, kind: str, place: str
) -> None:
    (message,) = take(his, text)
    assert (message.state, message.error_kind, message.error_place) == ("failed", kind, place)
    assert versions() == 0


def test_order_booking_and_charge_become_their_resources(his: Connection, zhou: Resident) -> None:
    visit = "PV1|1|O|内科门诊" + "|" * 16 + "MZ9"
    order = "\r".join(
        [header("OML^O21", "O1"), pid(), visit, "ORC|NW|ORD1|||||^^^^^S||20260501100000|||D01^王^建国",
         "OBR|1|ORD1||CBC^血常规^L", "SPM|1|S77||BLD^静脉血" + "|" * 13 + "20260501101000"]
    )  # fmt: skip
    cancel = "\r".join([header("ORM^O01", "O2", at="20260501110000"), pid(), "ORC|CA|ORD1"])
    booking = "\r".join(
        [
            header("SIU^S12", "S1"),
            "SCH|A1|B1|||||复诊||20|MIN|^^20^20260601090000",
            pid(),
            "AIS|1||N01^心内科门诊",
            "AIP|1||D01^王建国",
        ]
    )
    called_off = "\r".join([header("SIU^S15", "S2", at="20260502103000"), "SCH|A1|B1||||医生停诊", pid()])
    charge = "\r".join([header("DFT^P03", "D1"), pid(), visit, "FT1|1|T1||20260501||CG|CBC^血常规|||2|36.5"])
    taken = take(his, order, cancel, booking, called_off, charge)
    assert [(message.state, message.error_kind, message.error_place) for message in taken] == [("applied", "", "")] * 5
    request = one("ServiceRequest")
    assert (request["status"], request["priority"], request["code"]["text"]) == ("revoked", "stat", "血常规")
    assert one("Specimen")["identifier"][0]["value"] == "S77"
    appointment = one("Appointment")
    assert (appointment["status"], appointment["end"]) == ("cancelled", "2026-06-01T09:20:00+08:00")
    assert one("ChargeItem")["priceOverride"] == {"value": 36.5, "currency": "CNY"}


def test_merge_of_two_residents_waits_for_a_person(his: Connection, world: World, zhou: Resident) -> None:
    make_resident(
        organization_id=world.village,
        name="周桂兰",
        number="439981196309150043",
        phone="19900009999",
        panel_of=(world.lead,),
    )
    take(his, adt("A01", "M1", at="20260501080500"))
    take(his, adt("A01", "M2", at="20260501080500", own="88", number="439981196309150043", visit="ZY2"))
    merge = "\r".join([header("ADT^A40", "M3"), "EVN|A40|20260502", pid(), "MRG|88^^^HIS^PI"])
    (message,) = take(his, merge)
    assert (message.state, message.notes) == ("applied", [["merge-reported", "MRG-1"]])
    with acting(system()):
        assert Resident.objects.count() == 2
        notice = MergeNotice.objects.get()
        assert Task.objects.get(kind="merge-notice.reported").organization_id == his.organization_id
        keys = {str(notice.resident.key), str(notice.prior.key)}
        assert merging.confirm_merged(keys=keys, actor=system()) == 1
        assert MergeNotice.objects.get().state == "confirmed"
    (joined,) = take(his, merge.replace("|M3|", "|M4|").replace("88^^^HIS", "99^^^HIS"))
    assert joined.notes == [["numbers-joined", "MRG-1"]]


def test_paused_connection_keeps_messages_until_it_goes_on(his: Connection, zhou: Resident) -> None:
    with acting(system()):
        Connection.objects.update(paused=True)
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    assert message.state == "received"
    with acting(system()):
        Connection.objects.update(paused=False)
    work(his)
    assert one("Encounter")["status"] == "in-progress"


def test_body_is_sealed_in_the_database(his: Connection, zhou: Resident) -> None:
    (message,) = send(his, adt("A01", "M1", at="20260501080500"))
    with acting(system()), database.cursor() as cursor:
        cursor.execute("SELECT body::text FROM exchange_message")
        sealed = cursor.fetchone()[0]
    assert "周桂兰".encode().hex() not in sealed
    assert "周桂兰" in message.body
