"""Searches of a hospital system by families: token, date, quantity, reference chain, _include, composite; 20 a page.

The hospital sees every resident that the bench knows; what others have stays behind the wall and has to be passed over.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest
from urllib.parse import quote, urlencode

from doorstep.demo.bench.people import Person

_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_COUNT = ("_count", "20")


def families(people: Sequence[Person]) -> dict[str, list[str]]:
    """Paths of searches by family; a third of them name a patient, the others search everything that the hospital sees."""
    keys = [str(person.key) for person in people]
    names = sorted({person.name[:1] for person in people})
    codes = ("85354-9", "8867-4", "15074-8", "4548-4", "14647-2", "8302-2")
    return {
        "token": [
            *(_path("Observation", code=f"{_LOINC}|{code}", status="final") for code in codes),
            *(_path("Condition", code=code) for code in ("I10.x00", "E11.900")),
            *(_path("Observation", patient=key, category="vital-signs") for key in keys),
        ],
        "date": [
            *(_path("Observation", ("date", f"ge2026-{month:02}-01"), ("date", f"lt2026-{month + 1:02}-01")) for month in range(1, 10)),
            _path("Encounter", _sort="-date"),
            *(_path("Encounter", patient=key, date="ge2025-06-01", _sort="-date") for key in keys),
        ],
        "quantity": [
            *(_path("Observation", code="14647-2", **{"value-quantity": f"gt{value}|{_UCUM}|mmol/L"}) for value in (4, 5, 6)),
            *(_path("Observation", patient=key, **{"value-quantity": f"gt5|{_UCUM}|mmol/L"}) for key in keys),
        ],
        "chain": [
            *(_path("Observation", **{"patient.name": name, "code": "85354-9"}) for name in names),
            *(_path("Encounter", **{"patient.identifier": f"urn:oid:2.16.156.10011.1.3|{person.number}"}) for person in people),
        ],
        "include": [
            *(_path("Observation", code=code, _include="Observation:patient") for code in codes),
            *(_path("Encounter", ("patient", key), ("_include", "Encounter:patient"), ("_revinclude", "Observation:encounter")) for key in keys),
        ],
        "composite": [
            *(
                _path("Observation", **{"component-code-value-quantity": f"{_LOINC}|8480-6$gt{value}|{_UCUM}|mm[Hg]"})
                for value in range(130, 180, 5)
            ),
            *(_path("Observation", patient=key, **{"combo-code-value-quantity": f"8480-6$gt{140}"}) for key in keys),
        ],
    }  # fmt: skip


def mixed(people: Sequence[Person]) -> list[tuple[str, str]]:
    """Family and path in turn, so that each family is asked as often as the others."""
    lists = [[(family, path) for path in paths * 3] for family, paths in families(people).items()]
    shortest = min(map(len, lists))
    return [one for one in chain.from_iterable(zip_longest(*(paths[:shortest] for paths in lists))) if one]


def _path(type: str, *pairs: tuple[str, str], **more: str) -> str:
    return f"/fhir/{quote(type)}?{urlencode([*pairs, *more.items(), _COUNT])}"
