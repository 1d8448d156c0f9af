"""Columns that the database makes of a name's spelling, for search."""

from django.db import models
from django.db.models.functions import Replace

from doorstep.people.residents.rules import NEAR_SOUNDS, WORD_ENDS, WORD_MARKS


def sound_of(column: str) -> Replace:
    """The pinyin of a column with near sounds folded together, as `rules.sound` folds them."""
    (first, second), *others = NEAR_SOUNDS
    folded = Replace(column, models.Value(first), models.Value(second))
    for one, other in others:
        folded = Replace(folded, models.Value(one), models.Value(other))
    return folded


class WordsOf(models.Func):
    """The words of a name in Latin letters, each behind a blank, as `rules.words` parts them; null for every other name."""

    template = (
        "CASE WHEN %(expressions)s ~ '[A-Za-z]' THEN ' ' || translate(lower(regexp_replace("
        "normalize(%(expressions)s::text, NFKD), '[\u0300-\u036f]', '', 'g')), '%(ends)s%(marks)s', '%(blanks)s') END"
    )
    output_field = models.TextField()

    def __init__(self, column: str) -> None:
        marks = WORD_MARKS.replace("'", "''")
        super().__init__(column, ends=WORD_ENDS, marks=marks, blanks=" " * len(WORD_ENDS))
