"""What a linkage of lists answers; apart from the linkage itself, whose engines only batches load."""

from dataclasses import dataclass

from doorstep.people.identity.matching import Verdict


@dataclass(frozen=True, slots=True)
class Linked:
    """A pair that is worth a look: positions in the two lists, the verdict, and whether it links without a person's word."""

    left: int
    right: int
    verdict: Verdict
    automatic: bool
