"""What bin/bench referrals asks of the served product: lists, boards, and the two acts that a busy morning is made of."""

from dataclasses import dataclass, field
from datetime import date
from time import process_time
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import list_queries
from doorstep.care.referrals.models import Referral
from doorstep.demo.bench import pages, people
from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.pages import Request
from doorstep.demo.county import heroes
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

CLIENTS = 8
# As many as eight clients can send in the time, with room.
_MOST = 250
_GROWN_UP = date(2000, 1, 1)
# As many are carried out in this process first: to count statements and processor time.
_TRIED = 33


@dataclass(kw_only=True)
class Bench:
    """The port of the served product and how long each measure runs."""

    port: int
    seconds: float
    _cookies: dict[str, str] = field(default_factory=dict)

    def measure(self, name: str) -> Figure:
        """Take one measure."""
        if name in ("referrals-submit", "referrals-accept"):
            return self._acts(name)
        requests = [self._get(who, path) for who, path in self._pages(name)]
        return pages.measured(
            name, requests, port=self.port, seconds=self.seconds, queries=pages.queries_of(requests, samples=2)
        )

    def _pages(self, name: str) -> list[tuple[str, str]]:
        simple = {
            "referrals-office": ("office", "referrals:office"),
            "referrals-treating": ("expert", "referrals:treating"),
            "referrals-own": ("family", "referrals:list"),
            "referrals-outcomes": ("family", "referrals:outcomes"),
            "referrals-worklist": ("office", "home"),
        }
        if name in simple:
            who, page = simple[name]
            return [(who, reverse(page))]
        if name == "referrals-detail":
            return [("office", reverse("referrals:detail", args=[key])) for key in self._waiting()[:200]]
        if name == "referrals-office-next":
            return [("office", f"{reverse('referrals:office')}?after={after}") for after in self._further()]
        if name == "referrals-cases":
            base = reverse("referrals:flow-cases")
            return [
                ("manager", f"{base}?{urlencode({'period': 'quarter', 'what': what})}")
                for what in ("open", "overdue", "stage:submitted", "outside:no-skill", "dark")
            ]
        period = "year" if name.endswith("year") else "month"
        return [("manager", f"{reverse('referrals:flow')}?period={period}")]

    def _further(self) -> list[str]:
        """Where pages of the office's list begin, from the second to the twentieth."""
        actor = people.staff_actor("office", day=timezone.localdate())
        found, after = [], ""
        for _page in range(20):
            with acting(actor):
                after = list_queries.list_incoming(actor=actor, after=after).next
            found.append(after)
        return found

    def _acts(self, name: str) -> Figure:
        requests = self._submits() if name == "referrals-submit" else self._accepts()
        tried, requests = requests[:_TRIED], requests[_TRIED:]
        # The first one warms what a process keeps, the second is counted.
        statements = max([pages.statements_of(one) for one in tried[:2]][1:], default=None)
        began = process_time()
        for request in tried[2:]:
            pages.send(request)
        spent = 1000 * (process_time() - began) / max(1, len(tried[2:]))
        shares = [requests[number::CLIENTS][:_MOST] for number in range(CLIENTS)]
        tally = pages.ask(shares, port=self.port, seconds=self.seconds, warm_up=0.5, rounds=1)
        times = [one for step in tally["times"].values() for one in step]
        return figure(
            name, times, clients=CLIENTS, seconds=tally["seconds"], queries=statements, faults=pages.faults_of(tally, {302}),
            remark=f"{len(times)} acts; {spent:.1f} ms of a server process each",
        )  # fmt: skip

    def _submits(self) -> list[Request]:
        with acting(system_actor(Purpose.INDICATORS)):
            drafts = list(
                # Children have somebody who signs for them: the form below says that the patient does.
                Referral.objects.filter(state="draft", source_id=heroes.HOME_UNIT, resident__birth_date__lt=_GROWN_UP)
                .order_by("id")
                .values_list("key", "target_id")[: CLIENTS * _MOST + _TRIED]
            )
        form = {
            "kind": "ordinary", "direction": "up", "aim": "department", "reviewer_id": heroes.FAMILY_DOCTOR,
            "impression": "急性下壁心肌梗死", "present_illness": "胸闷三天", "bed_requested": "on",
            "consent_signer": "本人", "consent_relation": "self", "verb": "submit", "patient_phone": "0731-5550100",
            "patient_address": "青石镇东风村 12 号",
        }  # fmt: skip
        return [
            self._post("family", reverse("referrals:edit", args=[key]), {**form, "target_id": target})
            for key, target in drafts
        ]

    def _accepts(self) -> list[Request]:
        return [
            self._post("office", reverse("referrals:act", args=[key, "accept"]), {"instructions": ""})
            for key in self._waiting()
        ]

    def _waiting(self) -> list[object]:
        office = people.staff_actor("office", day=timezone.localdate())
        with acting(system_actor(Purpose.INDICATORS)):
            rows = Referral.objects.filter(state="submitted", target_id=office.organization_id)
            return list(rows.order_by("id").values_list("key", flat=True)[: CLIENTS * _MOST + _TRIED])

    def _cookie(self, who: str) -> str:
        if who not in self._cookies:
            self._cookies[who] = people.cookie(who)
        return self._cookies[who]

    def _get(self, who: str, path: str) -> Request:
        return pages.get(path, headers={"Cookie": self._cookie(who)})

    def _post(self, who: str, path: str, data: dict[str, object]) -> Request:
        return {
            "method": "POST",
            "path": path,
            "headers": {"Cookie": self._cookie(who), "X-CSRFToken": people.CSRF},
            "expects": [302],
            "body": f"{urlencode(data)}&idempotency_key={{uuid}}",
        }
