"""From the tree of an expression to a function of a node and the resource that it stands in."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.decimals import Exact
from doorstep.kernel.fhir.fhirpath import functions
from doorstep.kernel.fhir.fhirpath.comparing import equal, order
from doorstep.kernel.fhir.fhirpath.nodes import Collection, Node, members
from doorstep.kernel.fhir.fhirpath.parsing import SyntaxFault, Tree, parse


@dataclass(frozen=True, slots=True)
class Context:
    """What %resource, %rootResource and %context mean, and $this."""

    resource: Node
    root: Node
    this: Node


Step = Callable[[Collection, Context], Collection]
_TRUE, _FALSE = [Node(True)], [Node(False)]


@functools.cache
def compiled(text: str) -> Callable[[Node, Node, Node], Collection]:
    """A function (node, its resource, the outermost resource) -> what the expression finds; raises SyntaxFault."""
    step = _step(parse(text))

    def found(node: Node, resource: Node, root: Node) -> Collection:
        return step([node], Context(resource, root, node))

    return found


def holds(found: Collection) -> bool | None:
    """An expression's result as true, false or unknown: a single thing that is not a boolean counts as true."""
    if not found:
        return None
    return found[0].value if len(found) == 1 and isinstance(found[0].value, bool) else True


def _step(tree: Tree) -> Step:
    return _STEPS[tree[0]](tree)


def _boolean(value: bool | None) -> Collection:
    if value is None:
        return []
    return _TRUE if value else _FALSE


def _constant_value(node: Node) -> Step:
    return lambda source, context: [node]


def _number(tree: Tree) -> Step:
    return _constant_value(Node(Exact(tree[1]) if "." in tree[1] else int(tree[1])))


def _named(tree: Tree) -> Step:
    name = tree[1]
    if name == "ucum":
        return _constant_value(Node(systems.UCUM))
    if name == "sct":
        return _constant_value(Node("http://snomed.info/sct"))
    if name == "loinc":
        return _constant_value(Node(systems.LOINC))
    if name == "resource":
        return lambda source, context: [context.resource]
    if name == "rootResource":
        return lambda source, context: [context.root]
    if name == "context":
        return lambda source, context: [context.this]
    raise SyntaxFault(f"unknown constant %{name}")


def _special(tree: Tree) -> Step:
    if tree[1] != "$this":
        raise SyntaxFault(f"{tree[1]} is not supported")
    return lambda source, context: source


def _member(tree: Tree) -> Step:
    _, source_tree, name = tree
    if source_tree is None:
        if name[0].isupper():
            # The type's own name at the beginning of a path stands for the resource itself.
            return lambda source, context: [
                one for one in source if name in ("Resource", "DomainResource") or one.kind() == name
            ]
        return lambda source, context: [child for one in source for child in members(one, name)]
    before = _step(source_tree)
    return lambda source, context: [child for one in before(source, context) for child in members(one, name)]


def _index(tree: Tree) -> Step:
    before, place = _step(tree[1]), _step(tree[2])

    def step(source: Collection, context: Context) -> Collection:
        found, wanted = before(source, context), place(source, context)
        number = wanted[0].value if len(wanted) == 1 else None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(found):
            return []
        return [found[number]]

    return step


def _sign(tree: Tree) -> Step:
    before = _step(tree[2])
    if tree[1] == "+":
        return before
    return lambda source, context: [
        Node(-one.value) for one in before(source, context) if isinstance(one.value, int | float)
    ]


def _type(tree: Tree) -> Step:
    _, operator, source_tree, name = tree
    before = _step(source_tree)
    if operator == "is":
        return lambda source, context: [Node(functions.is_type(one, name)) for one in before(source, context)[:1]]
    return lambda source, context: [one for one in before(source, context) if functions.is_type(one, name)]


def _call(tree: Tree) -> Step:
    _, source_tree, name, arguments = tree
    before = _step(source_tree) if source_tree is not None else None
    steps = [_step(argument) for argument in arguments]
    maker = functions.MAKERS.get(name)
    if maker is None:
        raise SyntaxFault(f"the function {name}() is not supported")
    run = maker(steps)
    if before is None:
        return run
    return lambda source, context: run(before(source, context), context)


def _operator(tree: Tree) -> Step:
    _, operator, left_tree, right_tree = tree
    left, right = _step(left_tree), _step(right_tree)
    if operator in ("and", "or", "xor", "implies"):
        return _logic(operator, left, right)
    if operator == "|":
        return lambda source, context: functions.distinct([*left(source, context), *right(source, context)])
    if operator in ("=", "!=", "~", "!~"):
        return _equality(operator, left, right)
    if operator in ("in", "contains"):
        within, of = (left, right) if operator == "in" else (right, left)

        def contained(source: Collection, context: Context) -> Collection:
            wanted = within(source, context)
            if not wanted:
                return []
            found = of(source, context)
            return _boolean(any(equal(wanted[0], one) for one in found))

        return contained
    if operator in ("<", ">", "<=", ">="):
        return _comparison(operator, left, right)
    return _arithmetic(operator, left, right)


def _logic(operator: str, left: Step, right: Step) -> Step:
    def step(source: Collection, context: Context) -> Collection:
        first = holds(left(source, context))
        if (operator == "and" and first is False) or (operator == "or" and first is True):
            return _boolean(first)
        if operator == "implies" and first is False:
            return _TRUE
        second = holds(right(source, context))
        return _boolean(functions.LOGIC[operator](first, second))

    return step


def _equality(operator: str, left: Step, right: Step) -> Step:
    negated = operator[0] == "!"

    def step(source: Collection, context: Context) -> Collection:
        first, second = left(source, context), right(source, context)
        if not first or not second:
            return [] if operator in ("=", "!=") else _boolean((not first and not second) is not negated)
        same = len(first) == len(second) and all(map(equal, first, second))
        return _boolean(same is not negated)

    return step


def _comparison(operator: str, left: Step, right: Step) -> Step:
    wanted = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (1, 0)}[operator]

    def step(source: Collection, context: Context) -> Collection:
        first, second = left(source, context), right(source, context)
        if len(first) != 1 or len(second) != 1:
            return []
        found = order(first[0], second[0])
        return _boolean(None if found is None else found in wanted)

    return step


def _arithmetic(operator: str, left: Step, right: Step) -> Step:
    def step(source: Collection, context: Context) -> Collection:
        first, second = left(source, context), right(source, context)
        if operator == "&":
            return [Node("".join(str(one.value) for one in (*first[:1], *second[:1])))]
        if len(first) != 1 or len(second) != 1:
            return []
        result = functions.calculated(operator, first[0].value, second[0].value)
        return [] if result is None else [Node(result)]

    return step


_STEPS: dict[str, Callable[[Tree], Step]] = {
    "number": _number,
    "text": lambda tree: _constant_value(Node(tree[1])),
    "boolean": lambda tree: _constant_value(Node(tree[1])),
    "empty": lambda tree: lambda source, context: [],
    "constant": _named,
    "special": _special,
    "member": _member,
    "index": _index,
    "sign": _sign,
    "type": _type,
    "call": _call,
    "operator": _operator,
}
