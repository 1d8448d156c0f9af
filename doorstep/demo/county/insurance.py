"""Who is insured how in the made-up county: shares by age and by town or village [own estimate, unverified].

Drawn from a stream of its own, so that nothing else of a county changes with it.
"""

import numpy as np

from doorstep.demo.county.columns import Array, texts
from doorstep.demo.county.residents import ResidentBatch

PLACE = "禾川县"
KINDS = ("resident", "employee", "public", "self-pay")
_ADULT_DAYS = 18 * 365
# Shares of employees' insurance by age from 18: in a village, in a street of the county seat.
_EMPLOYED = {False: 0.06, True: 0.42}
_PUBLIC, _NONE = 0.004, 0.012


def insurance_kinds(batch: ResidentBatch, *, seed: int, today: np.datetime64) -> Array:
    """The kind of insurance of each resident of a batch; the heroes have the one of villagers."""
    part = batch.residents
    count, first = len(part), int(part.column("id")[0])
    draw = np.random.default_rng([seed, 620417, first]).random(count)
    adult = (today - part.column("birth_date")).astype(np.int64) >= _ADULT_DAYS
    # Who belongs to a centre itself, without a village clinic between, lives in a street.
    in_town = part.column("clinic_id") == part.column("unit_id")
    employed = np.where(in_town, _EMPLOYED[True], _EMPLOYED[False])
    kind = np.zeros(count, dtype=np.int64)
    kind[adult & (draw < employed)] = 1
    kind[adult & (draw > 1 - _PUBLIC - _NONE)] = 2
    kind[draw > 1 - _NONE] = 3
    if first == 1:
        kind[:] = 0
    return texts(KINDS)[kind]
