"""Which element an invariant is about: while it is not there, the invariant holds and need not be asked.

Most invariants of R4 are written "x.empty() or …" or "x.exists() implies …", and most resources have no x.
"""

from doorstep.kernel.fhir.fhirpath.parsing import Tree, parse


def guard_of(expression: str) -> str:
    """The child of the context without which an expression is never false; "" when there is no such one."""
    return _true_without(parse(expression))


def _true_without(tree: Tree) -> str:
    """The child without which this is true."""
    if tree[0] == "call" and tree[2] == "empty":
        return _begins_with(tree[1])
    if tree[0] == "call" and tree[2] == "not" and tree[1] is not None:
        return _false_without(tree[1])
    if tree[0] == "operator" and tree[1] == "or":
        return _true_without(tree[2]) or _true_without(tree[3])
    if tree[0] == "operator" and tree[1] == "implies":
        return _false_without(tree[2]) or _true_without(tree[3])
    return ""


def _false_without(tree: Tree) -> str:
    """The child without which this is false."""
    if tree[0] == "call" and tree[2] == "exists":
        return _begins_with(tree[1])
    if tree[0] == "operator" and tree[1] == "and":
        return _false_without(tree[2]) or _false_without(tree[3])
    return ""


# What finds nothing in nothing.
_STRICT = {"where", "select", "first", "last", "tail", "as", "ofType", "distinct"}


def _begins_with(tree: Tree | None) -> str:
    """The child of the context that a path begins with, where the path finds nothing without it."""
    while tree is not None:
        if tree[0] == "member" and tree[1] is None:
            return str(tree[2]) if tree[2][:1].islower() else ""
        if tree[0] not in ("member", "index") and not (tree[0] == "call" and tree[2] in _STRICT):
            return ""
        tree = tree[1]
    return ""
