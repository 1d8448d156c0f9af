"""What the worker does every second or so."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from doorstep.care.contracts import actions as contracts
from doorstep.care.contracts.groups import publish_team_panels
from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.referrals import actions as referrals
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.hospital_systems import waiting
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import (
    attending_actions,
    laying_actions,
    quota_actions,
    rebooking_actions,
    showing,
    waiting_actions,
)
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database import months
from doorstep.kernel.exchange import actions as exchange
from doorstep.kernel.jobs import stalled
from doorstep.kernel.jobs.running import Tick
from doorstep.kernel.record import bulk, importing
from doorstep.kernel.subscriptions import actions as subscriptions
from doorstep.kernel.worklist import actions as worklist
from doorstep.people.identity import actions as identity
from doorstep.people.identity import searching
from doorstep.people.residents import account_links
from doorstep.people.residents.groups import publish_key_groups
from doorstep.site.fhir.conformance import publish_definitions
from doorstep.steering.indicators import actions as indicators

# The pulse that pages watch: site_enter_staff reads it by this name.
CLOCKS = "clocks"
# How far back the frequent look at bookings goes; what took longer to commit waits for the slow one.
_BOOKED_LATELY = timedelta(minutes=2)


def seal_audit() -> int:
    """Seal what was written to the audit trail."""
    with acting(system_actor(Purpose.SEALING)):
        return audit.seal_batch()


class TasksStuck(Exception):
    """Overdue tasks could not be handed on: the clocks are not well, and their pulse stops until somebody has looked."""


def run_clocks() -> int:
    """Warn and escalate. Raises TasksStuck, after everything else is done and saved."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        touched, stuck = worklist.run_clocks(actor=actor), worklist.count_stuck()
    if stuck:
        raise TasksStuck(f"{stuck} overdue tasks cannot be handed on; the log says why")
    return touched


def revive_jobs() -> int:
    """Put the jobs of a worker that died back into the queue; handlers take effect once, so a second run is harmless."""
    return stalled.revive(silent_for=30)


def call_forgotten_lanes() -> int:
    """Call for work on messages of hospital systems that no job has taken."""
    with acting(system_actor(Purpose.EXCHANGE)):
        return exchange.call_forgotten()


def call_due_subscriptions() -> int:
    """Call for work on subscriptions: tries that are due, heartbeats, ends, and what no job has taken."""
    with acting(system_actor(Purpose.EXCHANGE)):
        return subscriptions.call_due()


def release_waiting_messages() -> int:
    """Let messages go on whose resident their hospital may see by now."""
    return waiting.release_seen()


def release_ecgs() -> int:
    """Put the cases of silent ECG readers back into the queue."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return diagnosis.release_stale(actor=actor)


def expire_holds() -> int:
    """Free the places whose hold has run out."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return scheduling.expire_holds(actor=actor)


def release_slots() -> int:
    """Release the days that fell due, and give on what nobody took out of the shares."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return laying_actions.release_due(actor=actor) + quota_actions.sink(actor=actor)


def serve_waiting() -> int:
    """End the waits of who has a place by now and the offers that were not answered; offer every place that somebody waits for."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        recent = timezone.now() - _BOOKED_LATELY
        settled = waiting_actions.settle_served(actor=actor, since=recent) + rebooking_actions.settle_found(actor=actor)
        return settled + waiting_actions.expire_offers(actor=actor) + waiting_actions.offer_freed(actor=actor)


def settle_waiting() -> int:
    """The same for what took long to commit, or was booked while no worker looked; and clinics see whoever waits for them."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return waiting_actions.settle_served(actor=actor) + waiting_actions.show_who_waits(actor=actor)


def show_slots() -> int:
    """Tell the record which slots turned busy or free."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return showing.show_turned(actor=actor)


def show_slots_again() -> int:
    """The same for what took long to commit, or moved while no worker looked."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return showing.show_turned(actor=actor, long=True)


def record_no_shows() -> int:
    """Close the bookings that nobody came to, and after midnight those of people who came and were not seen."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return scheduling.record_no_shows(actor=actor) + attending_actions.close_days(actor=actor)


def run_contract_terms() -> int:
    """Let contracts fall due, remind and expire."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return contracts.run_terms(actor=actor)


def _referrals(act: Callable[..., int]) -> Callable[[], int]:
    """An act of the referrals' clocks as a tick of its own: one that fails holds up no other."""

    def run() -> int:
        with acting(system_actor(Purpose.CLOCKS)) as actor:
            return act(actor=actor)

    return run


# Who did not come, offers that ran out, the silent, receivers that do not answer, follow-ups of the day, and those missed.
REFERRALS = {
    "arrivals": _referrals(referrals.expire_arrivals),
    "offers": _referrals(referrals.expire_offers),
    "silent": _referrals(referrals.pass_on_silent),
    "receivers": _referrals(referrals.time_out_receivers),
    "follow-ups": _referrals(referrals.fall_due),
    "missed": _referrals(referrals.miss_follow_ups),
}


def expire_referrals() -> int:
    """All clocks of the referrals, one after the other."""
    return sum(run() for run in REFERRALS.values())


def watch_referrals() -> int:
    """Find open referrals that are on nobody's list, and count the boards of flows anew that people look at."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return referrals.watch_dark(actor=actor) + referrals.refresh_boards(actor=actor)


def gather_merged_rows() -> int:
    """Let rows that were written for a record in the moment of its merge follow the others."""
    with acting(system_actor(Purpose.MERGE)) as actor:
        return identity.gather_late_rows(actor=actor)


def expire_exports() -> int:
    """Throw away the files of bulk exports whose time is over."""
    return bulk.expire(actor=system_actor(Purpose.EXPORT))


def forget_imports() -> int:
    """Throw away what imports of long ago were and had refused."""
    return importing.forget(actor=system_actor(Purpose.IMPORT))


def end_guardianships() -> int:
    """Write as ended what children's accounts lost with the 18th birthday, with the apps that were let in through it."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return account_links.end_at_majority(actor=actor)


def search_doubles() -> int:
    """Have the index searched for records of one person, once a night."""
    with acting(system_actor(Purpose.MERGE)) as actor:
        return searching.call_at_night(now=timezone.localtime(), actor=actor)


def free_beds() -> int:
    """Free the beds whose keeping has run out."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return beds.run_out_holds(actor=actor)


def propose_going_home() -> int:
    """Look through the wards for patients who may go home; who was asked and does not answer is passed over."""
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        return referrals.pass_on_unanswered(actor=actor) + referrals.propose_down(actor=actor)


def make_rooms() -> int:
    """Make the partitions of the months to come before their first row arrives."""
    return months.make_rooms()


def publish_measures() -> int:
    """Tell the record what every unit reached in the month that has ended."""
    with acting(system_actor(Purpose.INDICATORS)) as actor:
        return indicators.publish_last_month(actor=actor)


def publish_groups() -> int:
    """Tell the record which groups of residents there are: of new units and teams, and under new names."""
    with acting(system_actor(Purpose.HANDLER)) as actor:
        return publish_key_groups(actor=actor) + publish_team_panels(actor=actor)


def publish_conformance() -> int:
    """Tell the record what this server is, after its code has changed."""
    with acting(system_actor(Purpose.HANDLER)) as actor:
        return publish_definitions(actor=actor)


# What a life may hang on has a thread of its own: nothing slow stands before it.
URGENT_TICKS: list[Tick] = [
    Tick(name=CLOCKS, seconds=1, run=run_clocks, watched=True),
    Tick(name="ecg-leases", seconds=5, run=release_ecgs),
    Tick(name="holds", seconds=1, run=expire_holds),
]

TICKS: list[Tick] = [
    Tick(name="revive-jobs", seconds=10, run=revive_jobs),
    Tick(name="exchange-lanes", seconds=10, run=call_forgotten_lanes),
    Tick(name="subscriptions", seconds=2, run=call_due_subscriptions),
    Tick(name="exchange-waiting", seconds=30, run=release_waiting_messages),
    Tick(name="seal-audit", seconds=1, run=seal_audit),
    Tick(name="slots-shown", seconds=2, run=show_slots),
    Tick(name="slots-shown-again", seconds=60, run=show_slots_again),
    Tick(name="waiting-list", seconds=2, run=serve_waiting),
    Tick(name="waiting-list-again", seconds=300, run=settle_waiting),
    Tick(name="slot-release", seconds=20, run=release_slots),
    Tick(name="contract-terms", seconds=900, run=run_contract_terms),
    *(Tick(name=f"referrals-{name}", seconds=10, run=run) for name, run in REFERRALS.items()),
    Tick(name="referrals-watched", seconds=30, run=watch_referrals),
    Tick(name="beds", seconds=5, run=free_beds),
    Tick(name="down-proposals", seconds=600, run=propose_going_home),
    Tick(name="merged-rows", seconds=60, run=gather_merged_rows),
    Tick(name="exports", seconds=3600, run=expire_exports),
    Tick(name="imports", seconds=3600, run=forget_imports),
    Tick(name="guardianships", seconds=900, run=end_guardianships),
    Tick(name="doubles", seconds=3600, run=search_doubles),
    Tick(name="no-shows", seconds=600, run=record_no_shows),
    Tick(name="measures", seconds=3600, run=publish_measures),
    Tick(name="definitions", seconds=86_400, run=publish_conformance),
    Tick(name="groups", seconds=3600, run=publish_groups),
    Tick(name="months", seconds=3600, run=make_rooms),
]

# What a lived day of the demonstration lets happen by the clock.
LIVED = (run_clocks, release_ecgs, expire_referrals)
