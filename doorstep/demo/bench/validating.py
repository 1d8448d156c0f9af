"""Our validation beside pydantic's, the models of `fhir.resources`, on one core over the official examples and mutants of them.

The models are those of R4B, which is R4 but for some types; what R4B changed is left out, of both.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.conformance import examples
from doorstep.demo.conformance.mutants import mutants_of
from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.validation import problems

# Each tenth example that is no giant, and of each so many mutants.
_STEP, _LARGEST, _MUTANTS = 10, 100_000, 3
# Other elements in R4B than in R4 (hl7.org/fhir/R4B/versions.html).
_CHANGED = frozenset(
    ["ActivityDefinition", "Bundle", "DeviceDefinition", "Evidence", "EvidenceReport", "EvidenceVariable", "PlanDefinition", "Subscription"]
)  # fmt: skip
_ROUNDS = 3


@dataclass(slots=True)
class Verdicts:
    """What both said of the same resources, by the kind of the resource: "original", or the fault that a mutant has."""

    same: Counter[str] = field(default_factory=Counter)
    only_ours: Counter[str] = field(default_factory=Counter)
    only_theirs: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The verdicts in words."""
        total = self.same.total() + self.only_ours.total() + self.only_theirs.total()
        return [
            f"equal verdicts: {self.same.total():,} of {total:,} ({self.same.total() / max(1, total):.1%})",
            *(f"  only we refuse, {kind}: {count}" for kind, count in self.only_ours.most_common()),
            *(f"  only pydantic refuses, {kind}: {count}" for kind, count in self.only_theirs.most_common()),
            *(f"    {sample}" for sample in self.samples),
        ]


def measure() -> tuple[list[Figure], Verdicts]:
    """Resources a second of processor time, ours and theirs, and how their verdicts differ."""
    paths = [path for path in examples.files()[::_STEP] if path.stat().st_size < _LARGEST]
    texts = [(path, path.read_bytes()) for path in paths]
    chosen = [(path, text) for path, text in texts if _is_of_both(json.loads(text)["resourceType"])]
    own = [exact.loads(text) for _, text in chosen]
    plain = [json.loads(text) for _, text in chosen]
    verdicts = _verdicts([path for path, _ in chosen], own)
    ours = _figure("fhir-validate", own, lambda one: not problems(one))
    theirs = _figure("fhir-validate/pydantic", plain, _pydantic_accepts)
    ours.share = ours.per_second / theirs.per_second
    ours.remark = verdicts.lines()[0]
    return [ours, theirs], verdicts


def _is_of_both(type: str) -> bool:
    if type in _CHANGED:
        return False
    try:
        get_fhir_model_class(type)
    except ValueError:
        return False
    return True


def _pydantic_accepts(resource: dict[str, Any]) -> bool:
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (ValidationError, TypeError, AttributeError):
        # What it cannot judge it does not take: a list where it expects a text ends in an error of its own.
        return False
    return True


def _figure(name: str, resources: Sequence[dict[str, Any]], accepts: Callable[[dict[str, Any]], bool]) -> Figure:
    """The best of some rounds: times of one process on one core, without the first, which builds models and rules."""
    times = []
    for _round in range(_ROUNDS):
        begun = time.process_time()
        for one in resources:
            accepts(one)
        times.append(time.process_time() - begun)
    best = min(times)
    found = figure(name, [best / len(resources) * 1000], clients=1, seconds=best)
    found.per_second = len(resources) / best
    return found


def _verdicts(paths: Sequence[Path], resources: Sequence[dict[str, Any]]) -> Verdicts:
    found = Verdicts()
    for number, (path, resource) in enumerate(zip(paths, resources, strict=True)):
        _compare(found, "original", path, resource)
        if not problems(resource):
            for mutant in mutants_of(resource, count=_MUTANTS, seed=number):
                _compare(found, mutant.kind, path, mutant.resource)
    return found


def _compare(found: Verdicts, kind: str, path: Path, resource: dict[str, Any]) -> None:
    # As they would come over the wire: their own decimals for each.
    ours, theirs = not problems(resource), _pydantic_accepts(json.loads(exact.dumps(resource)))
    if ours == theirs:
        found.same[kind] += 1
        return
    (found.only_theirs if ours else found.only_ours)[kind] += 1
    if kind == "original" and len(found.samples) < 20:
        found.samples.append(f"{path.name}: {'pydantic' if ours else 'we'} alone")
