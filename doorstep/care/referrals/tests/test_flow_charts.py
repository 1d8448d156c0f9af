"""The charts of the board of flows: few nodes however many units, a county that fills its map, and ways to the cases."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import flow_case_queries
from doorstep.care.referrals.flow_queries import Flow
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters import flow_charts
from doorstep.care.referrals.presenters.flow import figure_of
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def unit(code: str, kind: str, *, parent: int | None = None, at: tuple[str, str] = ("113.5", "27.6")) -> Organization:
    longitude, latitude = (Decimal(one) for one in at)
    return Organization.objects.create(
        code=code, name=code, kind=kind, tier=1, parent_id=parent, longitude=longitude, latitude=latitude
    )


def flow(source: Organization, target: Organization | None, count: int, name: str = "", way: str = "up") -> Flow:
    return Flow(source.pk, source.name, target.pk if target else 0, target.name if target else name, count, way)


def test_sankey_gathers_villages_and_what_is_small_and_leads_to_cases() -> None:
    with acting(system_actor(Purpose.IMPORT)):
        hospital = unit("县医院", "hospital")
        townships = [unit(f"镇{number}", "township-center") for number in range(20)]
        villages = [unit(f"村{number}", "village-clinic", parent=townships[0].pk) for number in range(40)]
        flows = [flow(one, hospital, 30 - place) for place, one in enumerate(townships)]
        flows += [flow(one, hospital, 2) for one in villages]
        # The hospital sends home, and out of the network: it stands on both sides.
        flows += [flow(hospital, townships[3], 5, way="down"), flow(hospital, None, 4, "省人民医院", "out")]
        drawn = flow_charts.sankey(flows, period="month")["series"][0]
    names = [node["name"] for node in drawn["data"]]
    assert len(names) == len(set(names)) <= 14 + 1 + 8 + 1
    assert names[0] == "镇0（含村）"
    assert "其他 7 家" in names
    links = {(one["source"], one["target"]): one for one in drawn["links"]}
    assert links["镇0（含村）", "县医院\u200b"]["value"] == 30 + 80
    assert sum(one["value"] for one in drawn["links"]) == sum(one.count for one in flows)
    place = f"{reverse('referrals:flow-cases')}?period=month&what=flow:{townships[1].pk}-{hospital.pk}-up"
    assert links["镇1", "县医院\u200b"]["href"] == place
    # Several flows together have no one list of cases.
    assert "href" not in links["镇0（含村）", "县医院\u200b"]


def test_map_keeps_the_county_large_and_the_far_hospital_at_its_edge() -> None:
    with acting(system_actor(Purpose.IMPORT)):
        near = [unit(f"近{n}", "township-center", at=(f"113.{50 + n % 6}", f"27.{60 + n // 6}")) for n in range(30)]
        far = unit("远方医院", "hospital", at=("120.0", "31.0"))
        chart = flow_charts.flow_map([flow(near[0], far, 3), flow(near[1], near[2], 9)], period="month")
        assert flow_charts.flow_map([], period="month")["series"][-1]["data"] == []
    lines = [one for one in chart["series"] if one["type"] == "lines"]
    # The legend shows the colour in which the lines are drawn.
    assert lines
    assert all(one["lineStyle"]["color"] == part["lineStyle"]["color"] for one in lines for part in one["data"])
    axis = chart["xAxis"]
    assert axis["max"] - axis["min"] < 0.3
    dots = {one["name"]: one for one in chart["series"][-1]["data"]}
    edge = dots["远方医院（图外）"]
    assert edge["symbol"] == "triangle"
    assert axis["min"] <= edge["value"][0] <= axis["max"]
    assert edge["label"]["position"] == "left"


def test_overdue_opens_by_stage() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(system_actor(Purpose.HANDLER)):
        Task.objects.filter(item_id=referral.pk, kind="referral.accepted").update(due_at=timezone.now())
    user = make_staff(name="统筹", organization_id=loop.world.lead, role="manager", username="flows")
    with acting(of_user(user)) as actor:
        found = [
            flow_case_queries.cases(actor=actor, since=timezone.now() - timedelta(days=30), what=what)
            for what in ("overdue", "overdue:accepted", "overdue:arrived")
        ]
        figures: tuple[str, ...] = (
            "stage:accepted",
            "stage:arrived",
            "stage:nonsense",
            "direction:up",
            "direction:out",
            "direction:",
        )
        figures += ("decline:no-bed", "decline:", "outside:no-skill", "open", f"flow:{loop.world.lead}-")
        with acting(system_actor(Purpose.HANDLER)):
            Referral.objects.filter(pk=referral.pk).update(decline_code="no-bed")
        counts = {
            what: len(flow_case_queries.cases(actor=actor, since=timezone.now() - timedelta(days=30), what=what))
            for what in figures
        }
    assert [len(one) for one in found] == [1, 1, 0]
    assert {what for what, count in counts.items() if count} == {
        "stage:accepted",
        "direction:up",
        "decline:no-bed",
        "open",
    }
    assert figure_of("overdue:accepted") == "已受理待到院，已超时"
    assert figure_of("overdue:nonsense") == ""
