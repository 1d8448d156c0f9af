"""A hospital's list from the file to the review: columns, faults with their cure, the job, decisions, and who sees what."""

import io
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from python_calamine import CalamineWorkbook

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.identity import list_queries, listed, listing
from doorstep.people.identity.models import ListedMatch, ListedPatient, PatientList
from doorstep.people.residents.indexes import number_index
from doorstep.people.residents.models import Identifier
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world

pytestmark = pytest.mark.django_db
LIST = "\n".join(
    [
        "病案号,患者姓名,身份证号码,出生日期,性别,联系电话,家庭住址",
        f"P1,周桂兰,{ZHOU_NUMBER},1963/9/15,女,,",
        "P2,李小兰,,1970-02-03,女,13900001111,",
        "P3,王没人,,1950.01.01,男,13911112222,",
        "P4,陈错号,439981196303128807,19630312,男,,",
        ",缺号人,,19800101,男,,",
        "P2,重复号,,19800101,男,,",
        "P5,只有名,,,,,",
        "P6,坏日子,,昨天,女,13900003333,",
        "P7,远处人,,1988-08-08,男,13955556666,",
    ]
)


@pytest.fixture
def world(client: Client) -> World:
    made = make_world()
    make_resident(organization_id=made.village, panel_of=(made.township,))
    # Another character in the name, the same phone and birthday: a person decides.
    make_resident(
        organization_id=made.village, name="李大兰", number="", birth_date=date(1970, 2, 3), phone="13900001111",
        panel_of=(made.township,),
    )  # fmt: skip
    make_resident(
        organization_id=made.other_village, name="远处仁", number="", birth_date=date(1988, 8, 8), phone="13955556666",
        gender="male", panel_of=(made.other_township,),
    )  # fmt: skip
    return made


def _as(client: Client, role: str, organization_id: int) -> None:
    client.force_login(make_staff(name=f"{role}甲", organization_id=organization_id, role=role))


def _uploaded(client: Client, data: bytes, name: str = "名单.csv") -> PatientList:
    answer = client.post(reverse("identity:lists"), {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        return PatientList.objects.order_by("-id")[0]


def _checked(client: Client, patients: PatientList, **changed: str) -> Any:
    columns = {**{code: str(place) for code, place in patients.columns.items()}, **changed}
    return client.post(reverse("identity:list", args=[patients.key]), columns)


def _linked(client: Client) -> PatientList:
    patients = _uploaded(client, LIST.encode("gb18030"))
    assert _checked(client, patients).status_code == 302
    start = reverse("identity:start-list", args=[patients.key])
    assert client.post(start).status_code == 302
    assert client.post(start).status_code == 302
    assert ProcrastinateJob.objects.filter(task_name=listing.JOB).count() == 1
    address, polls = reverse("identity:list", args=[patients.key]), {"hx-request": "true", "hx-target": "stage"}
    assert "正在比对" in client.get(address).content.decode()
    assert "HX-Refresh" not in client.get(address, headers=polls)
    call_command("link_uploaded", str(patients.pk))
    assert client.get(address, headers=polls)["HX-Refresh"] == "true"
    return patients


def _numbers() -> dict[int, set[object]]:
    """The residents to whom a number of the hospital leads."""
    with acting(system_actor(Purpose.IMPORT)):
        found: dict[int, set[object]] = {}
        for row in Identifier.objects.filter(kind="hospital", live=True):
            found.setdefault(row.resident_id, set()).add(row.index)
        return found


def test_columns_are_guessed_and_every_fault_names_line_column_and_cure(client: Client, world: World) -> None:
    _as(client, "registrar", world.township)
    patients = _uploaded(client, LIST.encode("gb18030"))
    assert patients.columns == {
        "patient_number": 0, "name": 1, "id_number": 2, "birth_date": 3, "gender": 4, "phone": 5, "address": 6,
    }  # fmt: skip
    twice = _checked(client, patients, phone="1")
    assert (twice.status_code, "同一列不能选两次" in twice.content.decode()) == (422, True)
    assert _checked(client, patients, name="").status_code == 422
    assert _checked(client, patients).status_code == 302
    with acting(system_actor(Purpose.IMPORT)):
        patients.refresh_from_db()
    told = {(one["row"], one["column"]) for one in patients.faults}
    assert told == {(5, "身份证号码"), (6, "病案号"), (7, "病案号"), (8, "患者姓名"), (9, "出生日期")}
    assert (patients.rows, patients.faulty) == (9, 5)
    page = client.get(reverse("identity:list", args=[patients.key])).content.decode()
    for words in ("与第 3 行的患者号重复", "比对正确的 4 行", "请按 1963-09-15"):
        assert words in page, words
    faults = client.get(reverse("identity:list-faults", args=[patients.key])).content
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(faults)).get_sheet_by_index(0).to_python()) == 6


@pytest.mark.parametrize(("name", "data"), [("a.csv", "病案号,姓名\n"), ("a.pdf", "x"), ("a.xlsx", "x"), ("a.csv", "")])
def test_a_file_that_is_no_list_is_refused_at_the_field(client: Client, world: World, name: str, data: str) -> None:
    _as(client, "registrar", world.township)
    answer = client.post(reverse("identity:lists"), {"file": SimpleUploadedFile(name, data.encode())})
    assert answer.status_code == 422
    with acting(system_actor(Purpose.IMPORT)):
        assert not PatientList.objects.exists()


def test_a_list_is_linked_reviewed_and_taken_along(client: Client, world: World) -> None:
    _as(client, "registrar", world.township)
    patients = _linked(client)
    address = reverse("identity:list", args=[patients.key])
    assert {number_index("P1")} in _numbers().values()
    linked = client.get(address + "?show=linked").content.decode()
    assert ("周桂兰" in linked, "患者号 P1" in linked, "自动对上" in linked) == (True, True, True)
    review = client.get(address).content.decode()
    for words in ("李小兰", "李大兰", "姓名差一个字", "电话相同", "患者号 P2"):
        assert words in review, words
    with acting(system_actor(Purpose.IMPORT)):
        match = ListedMatch.objects.get(state="open", line__row=3)
        automatic = ListedMatch.objects.get(state="linked", line__row=2)
    decide = reverse("identity:decide-match", args=[patients.key, match.pk])
    for verb, tab in (("later", "later"), ("refuse", "refused"), ("confirm", "linked")):
        assert client.post(decide, {"verb": verb}).status_code == 302
        assert "患者号 P2" in client.get(f"{address}?show={tab}").content.decode(), verb
    assert number_index("P2") in _numbers()[match.resident_id]
    late = client.post(decide, {"verb": "later"}, follow=True).content.decode()
    assert "这一行已由其他人核对" in late
    result = client.get(reverse("identity:list-result", args=[patients.key])).content
    table = CalamineWorkbook.from_filelike(io.BytesIO(result)).get_sheet_by_index(0).to_python()
    assert [line[1:3] for line in table[1:]] == [
        ["P1", "自动对上"], ["P2", "人工确认"], ["P3", "没有对上"], ["P7", "没有对上"],
    ]  # fmt: skip
    back = reverse("identity:decide-match", args=[patients.key, automatic.pk])
    assert client.post(back, {"verb": "take-back"}).status_code == 302
    assert automatic.resident_id not in _numbers()
    assert client.post(back, {"verb": "confirm"}).status_code == 302
    assert number_index("P1") in _numbers()[automatic.resident_id]
    with acting(system_actor(Purpose.IMPORT)):
        told = set(AuditEntry.objects.filter(action__startswith="list.").values_list("action", flat=True))
    assert told >= {
        "list.upload",
        "list.start",
        "list.link",
        "list.compare",
        "list.confirm",
        "list.take-back",
        "list.export",
    }
    assert client.post(reverse("identity:discard-list", args=[patients.key])).status_code == 302
    assert client.get(address).status_code == 404
    assert number_index("P1") in _numbers()[automatic.resident_id]
    with acting(system_actor(Purpose.IMPORT)):
        assert not ListedPatient.objects.exists()


def test_who_is_out_of_sight_is_not_told_from_who_is_not_there(client: Client, world: World) -> None:
    _as(client, "registrar", world.township)
    patients = _linked(client)
    with acting(system_actor(Purpose.IMPORT)):
        far = ListedMatch.objects.get(line__row=10)
    for tab in ("review", "later", "linked", "refused"):
        assert "远处" not in client.get(reverse("identity:list", args=[patients.key]) + f"?show={tab}").content.decode()
    decide = reverse("identity:decide-match", args=[patients.key, far.pk])
    assert client.post(decide, {"verb": "confirm"}).status_code == 404
    # Another unit's people do not see the list; an engineer of the unit sees it, and nobody of it.
    stranger, engineer = Client(), Client()
    _as(stranger, "registrar", world.other_township)
    assert stranger.get(reverse("identity:list", args=[patients.key])).status_code == 404
    _as(engineer, "engineer", world.township)
    page = engineer.get(reverse("identity:list", args=[patients.key])).content.decode()
    assert ("比对已完成" in page, "周桂兰" in page, "李大兰" in page) == (True, False, False)
    nurse = Client()
    _as(nurse, "township_duty", world.township)
    assert nurse.get(reverse("identity:lists")).status_code == 403


def test_a_list_whose_worker_died_says_so_and_is_given_up_after_three_times(client: Client, world: World) -> None:
    _as(client, "registrar", world.township)
    patients = _uploaded(client, LIST.encode("gb18030"))
    assert _checked(client, patients).status_code == 302
    address = reverse("identity:list", args=[patients.key])
    client.post(reverse("identity:start-list", args=[patients.key]))
    assert "比对中断" not in client.get(address).content.decode()

    def die(*_arguments: object) -> Any:
        raise SystemExit(137)

    for _try in range(listed.TRIES):
        # Its worker is gone in the middle, without a word, and another one took it up.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = 1, worker_id = NULL")
        with pytest.raises(SystemExit):
            listed.work(patients.pk, link=die)
        page = client.get(address).content.decode()
        assert ("正在比对" in page, "比对中断" in page) == (True, True)
    call_command("link_uploaded", str(patients.pk))
    page = client.get(address).content.decode()
    assert ("比对没有完成" in page, "正在比对" in page) == (True, False)
    client.post(reverse("identity:start-list", args=[patients.key]))
    call_command("link_uploaded", str(patients.pk))
    assert "自动对上" in client.get(address + "?show=linked").content.decode()


def test_what_stands_beyond_the_first_page_of_a_tab_is_reached(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of a hospital leaves thousands to be looked at: only the likeliest fifty of a tab could be seen."""
    monkeypatch.setattr(list_queries, "SHOWN", 1)
    _as(client, "registrar", world.township)
    patients = _linked(client)
    with acting(system_actor(Purpose.IMPORT)):
        # As likely as one another: the place among equals is kept too.
        ListedMatch.objects.filter(list=patients, line__row__in=(2, 3)).update(state="confirmed", weight=9.25)
        ListedMatch.objects.filter(list=patients).exclude(state="confirmed").update(state="refused")
    address = reverse("identity:list", args=[patients.key])
    first = client.get(f"{address}?show=linked").content.decode()
    following = unescape(first.partition('href="?show=linked&amp;after=')[2].partition('"')[0])
    assert following, "no way on"
    second = client.get(f"{address}?show=linked&after={following}").content.decode()
    pages = [[one for one in ("患者号 P1", "患者号 P2") if one in page] for page in (first, second)]
    assert sorted(pages) == [["患者号 P1"], ["患者号 P2"]]
    assert "?show=linked&amp;after=" not in second
    assert "回到第一页" in second
    for odd in ("x", "nan,1", "1e400,1", "1,9999999999999999999999", "1,1\0"):
        assert client.get(address, {"show": "linked", "after": odd}).status_code == 200, odd
    # Who decides stays where he was.
    with acting(system_actor(Purpose.IMPORT)):
        one = ListedMatch.objects.filter(list=patients, state="confirmed")[0]
    decide = reverse("identity:decide-match", args=[patients.key, one.pk])
    answer = client.post(decide, {"verb": "take-back", "show": "linked", "after": unquote(following)})
    assert answer["Location"] == f"{address}?show=linked&after={following}"
