"""The ICD-10 code beside an impression: it belongs to the words for which it was chosen, and goes when these become others."""

from doorstep.kernel.fhir import systems
from doorstep.kernel.terminology import queries as terminology


def code_for(*, impression: str, code: str, coded: str, known: str) -> str:
    """The code of an impression as it reads now: the one that stands, the one of the terminology for these very words, or "".

    `coded` are the words for which the code `known` was chosen. A code typed anew stays, and so does one whose name or former words the
    impression still holds ("高血压" grown to "高血压 3 级"). A code of other words would say a diagnosis that nobody made.
    """
    now, before = impression.strip(), coded.strip()
    if now == before or code != known:
        return code
    if code and any(words and words in now for words in (before, _name_of(code))):
        return code
    found = terminology.find(system=systems.ICD10, text=now, limit=5) if now else []
    return next((one.code for one in found if now in (one.zh, one.en)), "")


def _name_of(code: str) -> str:
    found = terminology.lookup(system=systems.ICD10, codes=[code]).get(code)
    return found.zh if found else ""
