"""Which warning signs a recovery plan begins with: those of the disease, and those of what the patient takes.

The signs of medicines are this house's own, after what their package inserts warn of: bleeding under antiplatelets and anticoagulants, low
glucose under insulin and sulfonylureas, a slow pulse under beta blockers, digoxin and amiodarone (docs/open-checks.md). The doctor changes them.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from doorstep.care.referrals import texts

# Of each sign the groups of the house's list, and the stems of names of those that carry no code.
_OF_MEDICINES: Final[tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]] = (
    (
        texts.BLEEDING,
        frozenset({"antiplatelet", "p2y12", "doac", "vka"}),
        ("阿司匹林", "氯吡格雷", "替格瑞洛", "吲哚布芬", "西洛他唑", "华法林", "沙班", "达比加群", "肝素"),
    ),
    (
        texts.LOW_GLUCOSE,
        frozenset({"basal-insulin", "premixed-insulin", "sulfonylurea"}),
        ("胰岛素", "格列齐特", "格列美脲", "格列吡嗪", "格列喹酮", "格列本脲", "瑞格列奈", "那格列奈", "消渴丸"),
    ),
    (
        texts.PULSE,
        frozenset({"beta-blocker", "digoxin", "amiodarone"}),
        ("洛尔", "地高辛", "胺碘酮", "维拉帕米", "地尔硫", "伊伐布雷定"),
    ),
)


def signs_of(disease: str, medicines: Iterable[Mapping[str, str]], *, groups: Mapping[str, str]) -> list[str]:
    """The signs of a disease ("" for none that is known) and of medicines, as lines with `name` and, where it has one, `code`."""
    lines = list(medicines)
    taken = {groups.get(str(line.get("code", "")), "") for line in lines}
    names = [str(line.get("name", "")) for line in lines]
    found = list(texts.SIGNS_OF.get(disease, texts.WARNING_SIGNS[:4]))
    for sign, of_groups, stems in _OF_MEDICINES:
        named = any(stem in name for name in names for stem in stems)
        if sign not in found and (named or not of_groups.isdisjoint(taken)):
            found.append(sign)
    return found
