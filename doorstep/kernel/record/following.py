"""What follows from the lines of an import: whom it follows for is kept with each batch, and made when no line is left.

The residents of a batch lie beside the pieces of lines, so that they come and go with the transaction that writes the batch: a worker
that dies forgets nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from django.db.models import QuerySet

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import derived
from doorstep.kernel.record.models import BulkImport, BulkPiece

# In place of the number of an input: the residents of a batch, and those of all batches in slices, each resident in one.
_OF_BATCH, _SLICE = -1, -2
# Residents of a slice, which is one transaction.
RESIDENTS = 500


def lines_of(load: BulkImport) -> QuerySet[BulkPiece]:
    """The pieces that hold lines."""
    return load.pieces.filter(input__gte=0)


@contextmanager
def remembered(load: BulkImport) -> Iterator[None]:
    """Write lines within the block; what follows from them is remembered instead of made."""
    with derived.later() as touched:
        yield
    if touched:
        _keep(load, _OF_BATCH, touched)


def step(load: BulkImport, *, actor: Actor) -> bool:
    """Make what follows for the next residents; False when nobody is left."""
    batches = list(load.pieces.filter(input=_OF_BATCH))
    if batches:
        _slice(load, batches)
        return True
    piece = load.pieces.filter(input=_SLICE).order_by("id").first()
    if piece is None:
        return False
    derived.catch_up(_read(piece), actor=actor)
    piece.delete()
    return True


def _slice(load: BulkImport, batches: list[BulkPiece]) -> None:
    """Put the residents of all batches together."""
    whole: derived.Touched = {}
    for batch in batches:
        for type, residents in _read(batch).items():
            whole.setdefault(type, set()).update(residents)
    everybody = sorted(set().union(*whole.values()))
    for start in range(0, len(everybody), RESIDENTS):
        some = set(everybody[start : start + RESIDENTS])
        _keep(load, _SLICE, {type: found for type, residents in whole.items() if (found := residents & some)})
    load.pieces.filter(id__in=[batch.pk for batch in batches]).delete()


def _keep(load: BulkImport, place: int, touched: derived.Touched) -> None:
    body = orjson.dumps({type: sorted(residents) for type, residents in touched.items()})
    BulkPiece.objects.create(bulk_import=load, input=place, first_line=0, body=body)


def _read(piece: BulkPiece) -> derived.Touched:
    return {type: set(residents) for type, residents in orjson.loads(bytes(piece.body)).items()}
