"""Which role gives which: the matrix as it stands, and what no chain of gifts can reach."""

from hypothesis import given
from hypothesis import strategies as st

from doorstep.people.workforce.rules import APART, clash, may_give
from doorstep.site.roles import ROLES

KEYS = sorted(ROLES)


@given(st.sampled_from(KEYS), st.sampled_from(KEYS), st.booleans())
def test_may_give_only_what_the_matrix_names(giver: str, role: str, own_unit: bool) -> None:
    given_here = may_give(ROLES[giver], ROLES[role], own_unit=own_unit)
    named = role in ROLES[giver].gives or (not own_unit and role in ROLES[giver].gives_below)
    assert given_here == named
    if given_here:
        assert "WORKFORCE_MANAGE" in ROLES[giver].permissions


def test_may_give_never_reaches_oversight_from_a_manager() -> None:
    reached, edge = {"manager"}, ["manager"]
    while edge:
        giver = ROLES[edge.pop()]
        for role in KEYS:
            if role not in reached and may_give(giver, ROLES[role], own_unit=False):
                reached.add(role)
                edge.append(role)
    assert not reached & {"auditor", "administrator", "engineer", "supervisor"}


def test_may_give_knows_no_unknown_role() -> None:
    assert not may_give(None, ROLES["nurse"], own_unit=False)
    assert not may_give(ROLES["administrator"], None, own_unit=False)


def test_clash_is_the_same_from_both_sides() -> None:
    for pair in APART:
        first, second = sorted(pair)
        assert clash(first, {second}) == second
        assert clash(second, {first}) == first
    assert clash("nurse", {"auditor"}) == ""
