"""What is measured, with the bars that it must hold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must hold; None where nothing is asked. Times in milliseconds are the most, rates and shares the least."""

    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    slowest_ms: float | None = None
    queries: int | None = None
    per_second: float | None = None
    # Share of the rate of the bare view, and of the measure's own yardstick.
    of_bare: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table: its words and its bar."""

    title: str
    bar: Bar = Bar()


PAGE = Bar(p95_ms=50.0, queries=12)
ACT = Bar(p95_ms=12.0)

YARDSTICKS: dict[str, str] = {
    "select-1": "SELECT by key, 1 client",
    "select-4": "pgbench -S, 4 clients",
    "bare-view": "bare Django view with one SELECT, 4 clients",
}

MEASURES: dict[str, Measure] = {
    "find-initials": Measure("find a resident by initials", PAGE),
    "find-name": Measure("find a resident by name", PAGE),
    "find-phone": Measure("find a resident by phone", PAGE),
    "find-number": Measure("find a resident by national id", PAGE),
    "worklist": Measure("open a worklist of 50 (family doctor)", PAGE),
    "worklist-ecg": Measure("open a worklist of 50 (ECG reader's home)", PAGE),
    "queue-ecg": Measure("open the ECG queue of 50", PAGE),
    "record-page": Measure("open a resident's page with the timeline", PAGE),
    "record": Measure("the whole record, in process, 1 client", Bar(p95_ms=15.0, queries=8)),
    "record-long": Measure("open a record of 5,000 entries, in process, 1 client", Bar(p95_ms=100.0, queries=8)),
    "transition-visit": Measure("transition with four traces: a visit ends", ACT),
    "transition-ecg": Measure("transition with four traces: an ECG is claimed and released", ACT),
    "slots": Measure("hold and book a place, 32 clients"),
    "contested": Measure("last places, 32 clients: tries"),
    "booking": Measure("book over HTTP in one act, 64 clients, 200 clinics", Bar(per_second=700.0, share=0.06)),
    "booking-burst": Measure("20,000 requests for 500 places, sold out included", Bar(p99_ms=300.0)),
    "booking-killed": Measure("book while web and database are killed in turn"),
    "fhir-read": Measure("FHIR read with a token", Bar(p95_ms=50.0, queries=12, of_bare=0.6)),
    "fhir-search": Measure("FHIR search with a token", PAGE),
    **{
        f"fhir-{family}": Measure(f"FHIR search of 20: {words}", bar)
        for family, words, bar in (
            ("mixed", "six families in turn", Bar(per_second=450.0)),
            ("token", "by code and status", Bar()),
            ("date", "by date, in the order of dates", Bar()),
            ("quantity", "by value in any unit", Bar()),
            ("chain", "through the patient", Bar()),
            ("include", "with what is referred to", Bar()),
            ("composite", "by code and value of one component", Bar()),
        )
    },
    "fhir-bundles": Measure("transaction Bundles of 100 observations, validated", Bar(per_second=700.0)),
    "fhir-import": Measure("an operator's import of NDJSON, lines", Bar(share=0.35)),
    "fhir-export": Measure("the job of an export, lines", Bar(share=0.5)),
    "fhir-validate": Measure("validation on one core, beside pydantic's fhir.resources", Bar(share=30.0)),
    # A page that a person waits for longer than this looks frozen.
    "writes": Measure("64 clients writing at once", Bar(slowest_ms=10_000.0)),
}

# bin/bench referrals: on a house full of open referrals. An act carries everything: form, benefits, sight, four traces.
BOARD = Bar(p95_ms=100.0, queries=12)
REFERRALS: dict[str, Measure] = {
    "referrals-office": Measure("the office's list of 50, green first", BOARD),
    "referrals-office-next": Measure("the office's list, further pages", BOARD),
    "referrals-detail": Measure("one referral beside the office's list", BOARD),
    "referrals-treating": Measure("the specialists' list", BOARD),
    "referrals-own": Measure("the family doctor's list: back and sent", BOARD),
    "referrals-outcomes": Measure("how it ended", BOARD),
    "referrals-worklist": Measure("the office's first page", BOARD),
    "referrals-flow": Measure("the board of flows, 30 days (manager)", BOARD),
    "referrals-flow-year": Measure("the board of flows, a year (manager)", BOARD),
    "referrals-cases": Measure("the cases behind a figure", BOARD),
    "referrals-submit": Measure("submit over HTTP: acts", Bar(per_second=100.0, queries=12)),
    "referrals-accept": Measure("accept over HTTP: acts", Bar(per_second=100.0, queries=12)),
}


def chosen(names: list[str]) -> list[str]:
    """The measures whose names begin with one of these, in the table's order; all without names."""
    return [known for known in MEASURES if not names or any(known.startswith(name) for name in names)]
