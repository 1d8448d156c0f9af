"""The weights by which two records are compared: of every field its levels, and how often each occurs.

Fellegi and Sunter, "A Theory for Record Linkage" (1969): a level that occurs with probability m among records of one
person and with u among records of two weighs log2(m / u). The figures are ours, estimated on the invented county with
seeded misspellings (口径待核, docs/open-checks.md); a consortium re-estimates them on its own list.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of likeness of a field. `frequent`: u is the share of the value itself, so that a rare name weighs more."""

    code: str
    m: float
    u: float
    frequent: bool = False


# The last level of a field is "different"; a field that one of the two records lacks weighs nothing.
LEVELS: dict[str, tuple[Level, ...]] = {
    "number": (
        Level("same", 0.94, 1e-8),
        Level("typo", 0.045, 1e-6),
        Level("different", 0.015, 1.0),
    ),
    "name": (
        Level("same", 0.86, 2e-4, frequent=True),
        Level("homophone", 0.06, 4e-4),
        Level("near-sound", 0.02, 6e-4),
        Level("one-character", 0.045, 0.02),
        Level("different", 0.015, 0.98),
    ),
    "birth_date": (
        Level("same", 0.93, 4e-5),
        Level("swapped", 0.025, 4e-5),
        Level("one-digit", 0.03, 1.5e-3),
        Level("different", 0.015, 0.998),
    ),
    "gender": (Level("same", 0.995, 0.5), Level("different", 0.005, 0.5)),
    "phone": (Level("same", 0.55, 2e-5, frequent=True), Level("different", 0.45, 1.0)),
    "address": (
        Level("same", 0.45, 1e-4, frequent=True),
        Level("near", 0.25, 2e-3),
        Level("different", 0.30, 0.998),
    ),
}
# The share below which a frequent value is not thought rarer: one person's own misspelling is no proof.
RAREST = {"name": 1e-5, "phone": 5e-6, "address": 5e-6}

# From this probability on two records are linked without a person's word, and shown to one for a decision.
AUTOMATIC = 0.9999
REVIEW = 0.5
