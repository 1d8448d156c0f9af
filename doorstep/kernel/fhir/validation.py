"""Validation against R4: types, cardinality, choices, required codes, invariants and kinds of references.

hl7.org/fhir/R4/validation.html. What exists behind a reference is the record's to say.
"""

import functools
import re
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.fhir import narrative, primitives
from doorstep.kernel.fhir.definitions import Element, Rule, Type, resource_types, types
from doorstep.kernel.fhir.fhirpath.compiling import compiled, holds
from doorstep.kernel.fhir.fhirpath.nodes import Node

_LITERAL = re.compile(
    r"^(?:(?P<base>https?://[^\s?#]+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S+)?$"
)
_QUESTION = re.compile(r"^(?P<type>[A-Z][A-Za-z]+)\?\S+$")
_ELSEWHERE = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]*:\S+$")
_DEEPEST = 60
_PERIOD = Rule("per-1", "start <= end", "开始不应晚于结束 / starts before it ends")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (FHIRPath), its issue type (hl7.org/fhir/R4/valueset-issue-type.html), a sentence."""

    path: str
    code: str
    sentence: str


def problems(resource: Any, *, path: str = "") -> list[Problem]:
    """Everything that is wrong with a resource; `path` is where it stands, by custom its type."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or kind not in resource_types():
        return [
            Problem(path or "Resource", "structure", f"resourceType 不是 R4 的资源类型 / not a resource of R4: {kind}")
        ]
    walk = _Walk()
    walk.resource(resource, path or kind, None, 0)
    return walk.found


class _Walk:
    """One walk through a resource; `found` collects what is wrong."""

    __slots__ = ("_types", "found")

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self._types = types()

    def resource(self, value: Any, path: str, root: Node | None, depth: int) -> None:
        """Check a resource, its own, contained or of a Bundle's entry."""
        kind = value.get("resourceType") if isinstance(value, dict) else None
        own = self._types.get(kind) if isinstance(kind, str) and kind in resource_types() else None
        if own is None:
            self._add(path, "structure", f"resourceType 不是 R4 的资源类型 / not a resource of R4: {kind}")
            return
        node = Node(value)
        self.parts(value, own, path, _Place(node, root or node, depth))
        contained = value.get("contained")
        if contained is not None:
            self._contained(value, contained, path)

    def parts(self, value: dict[str, Any], own: Type, path: str, place: "_Place") -> None:
        """Check the members of an object against its type."""
        if place.depth > _DEEPEST:
            self._add(path, "too-long", "嵌套过深 / nested too deeply")
            return
        elements = own.elements
        chosen: dict[str, str] = {}
        for name, part in value.items():
            element = elements.get(name)
            if element is None:
                if name != "resourceType":
                    self._companion(name, value, own, path, place)
                continue
            if element.choice:
                if element.choice in chosen:
                    self._add(
                        f"{path}.{element.choice}",
                        "structure",
                        f"只能有一种类型，收到 {chosen[element.choice]} 和 {name} / only one type may be given",
                    )
                chosen[element.choice] = name
            if element.accepts is not None and not element.is_list and element.accepts(part):
                continue
            self._member(part, element, f"{path}.{element.choice or name}", place)
        for name, members in own.required:
            if not any(member in value or f"_{member}" in value for member in members):
                self._add(f"{path}.{name}", "required", f"缺少必填项 {name} / {name} is required")
        for rule in own.rules:
            if rule.concerns(value):
                self._rule(rule, Node(value, type=_plain(own.name)), path, place)

    def _member(self, part: Any, element: Element, path: str, place: "_Place") -> None:
        if element.is_list:
            if not isinstance(part, list):
                self._add(path, "structure", "应为数组 / must be an array")
            elif not part:
                self._add(path, "structure", "数组不能为空 / an array must not be empty")
            else:
                for number, one in enumerate(part):
                    if one is not None or not element.is_primitive:
                        self._value(one, element, f"{path}[{number}]", place)
        elif isinstance(part, list):
            self._add(path, "structure", "只能有一个值，收到数组 / only one value is allowed")
        else:
            self._value(part, element, path, place)
        for rule in element.rules:
            for one in part if isinstance(part, list) else [part]:
                if rule.concerns(one):
                    self._rule(rule, Node(one, type=_plain(element.type)), path, place)

    def _value(self, value: Any, element: Element, path: str, place: "_Place") -> None:
        kind = element.type
        if element.is_primitive:
            fault = primitives.fault_of(kind, value)
            if not fault and kind == "xhtml":
                fault = narrative.fault_of(value)
                if fault:
                    self._add(path, "invariant", f"txt-1: {fault}")
                    return
            if fault:
                self._add(path, "value", fault)
            elif element.codes is not None and value not in element.plain_codes:
                self._add(
                    path,
                    "code-invalid",
                    f"代码 {str(value)[:60]!r} 不在规定的值集中 / not a code of the required value set",
                )
            return
        if not isinstance(value, dict):
            self._add(path, "structure", f"应为 {kind} 对象 / must be an object of type {kind}")
            return
        if not value or (len(value) == 1 and "id" in value and kind != "Resource"):
            self._add(path, "invariant", "ele-1: 不能为空 / must have a value or children")
            return
        if kind == "Resource":
            self.resource(
                value, path, place.root if path.rpartition(".")[2].startswith("contained[") else None, place.depth + 1
            )
            return
        self.parts(value, self._types[kind], path, _Place(place.resource, place.root, place.depth + 1))
        special = _SPECIAL.get(kind)
        if special is not None:
            special(self, value, element, path, place)

    def reference(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """A reference is well written, of an allowed type, and its contained resource is there."""
        text = value.get("reference")
        if not isinstance(text, str):
            return
        if text.startswith("#"):
            kinds = _contained_kinds(place.root.value, place.resource.value)
            if text == "#":
                return
            if text[1:] not in kinds:
                self._add(path, "invariant", f"ref-1: 资源内没有 {text[:80]} / nothing contained has this id")
            else:
                self._target(kinds[text[1:]], element, path)
            return
        literal = _LITERAL.match(text) or _QUESTION.match(text)
        if literal is not None:
            outside = "base" in literal.groupdict() and literal["base"]
            if literal["type"] in resource_types():
                self._target(literal["type"], element, path)
            elif not outside:
                self._add(f"{path}.reference", "value", f"没有资源类型 {literal['type']} / there is no such type")
        elif not _ELSEWHERE.match(text):
            self._add(f"{path}.reference", "value", f"不是合法的引用：{text[:80]!r} / not a reference")

    def _target(self, kind: str, element: Element, path: str) -> None:
        if element.targets and kind not in element.targets:
            allowed = "、".join(sorted(element.targets))
            self._add(path, "structure", f"不能引用 {kind}，只能引用 {allowed} / may not refer to {kind}")

    def concept(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """One coding of a concept with a required binding is of its value set."""
        if element.codes is None:
            return
        codings = value.get("coding")
        if not isinstance(codings, list) or not any(_is_bound(one, element.codes) for one in codings):
            self._add(path, "code-invalid", "没有一个编码属于规定的值集 / no coding is of the required value set")

    def coding(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """A coding with a required binding is of its value set."""
        if element.codes is not None and not _is_bound(value, element.codes):
            self._add(path, "code-invalid", "编码不属于规定的值集 / not a coding of the required value set")

    def extension(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """An extension has a value or extensions, not both."""
        has_value = any(name.startswith("value") or name.startswith("_value") for name in value)
        if has_value == ("extension" in value):
            self._add(
                path, "invariant", "ext-1: 扩展应有值或下级扩展，且只有其一 / an extension has a value or extensions"
            )

    def quantity(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """A coded unit names its system."""
        if "code" in value and "system" not in value:
            self._add(path, "invariant", "qty-3: 有单位代码时必须有 system / a code needs its system")

    def period(self, value: dict[str, Any], element: Element, path: str, place: "_Place") -> None:
        """A period does not end before it starts."""
        if "start" in value and "end" in value:
            self._rule(_PERIOD, Node(value), path, place)

    def _companion(self, name: str, value: dict[str, Any], own: Type, path: str, place: "_Place") -> None:
        """The id and extensions of a primitive, in a member that begins with "_"."""
        part = value[name]
        element = own.elements.get(name[1:]) if name.startswith("_") else None
        if element is None or not element.is_primitive:
            self._add(f"{path}.{name}", "structure", f"没有元素 {name[:60]} / there is no element {name[:60]} here")
            return
        parts = part if element.is_list and isinstance(part, list) else [part]
        if isinstance(part, list) and not element.is_list:
            self._add(f"{path}.{name}", "structure", "只能有一个值，收到数组 / only one value is allowed")
            return
        beside = value.get(name[1:])
        for number, one in enumerate(parts):
            where = f"{path}.{element.path_name}" + (f"[{number}]" if element.is_list else "")
            if isinstance(one, dict) and one:
                self.parts(one, self._types["Element"], where, _Place(place.resource, place.root, place.depth + 1))
            elif one is not None or not isinstance(beside, list) or number >= len(beside):
                self._add(where, "structure", "原始值的扩展应为对象 / extensions of a primitive are an object")

    def _contained(self, value: dict[str, Any], contained: Any, path: str) -> None:
        if not isinstance(contained, list):
            return
        inside = [one for one in contained if isinstance(one, dict)]
        for number, one in enumerate(inside):
            where = f"{path}.contained[{number}]"
            given = one.get("meta")
            meta = given if isinstance(given, dict) else {}
            if "contained" in one:
                self._add(path, "invariant", "dom-2: 内含资源不能再内含资源 / contained resources contain none")
            if "versionId" in meta or "lastUpdated" in meta:
                self._add(path, "invariant", "dom-4: 内含资源没有版本 / contained resources have no versions")
            if "security" in meta:
                self._add(path, "invariant", "dom-5: 内含资源没有安全标签 / contained resources have no labels")
            if not isinstance(one.get("id"), str):
                self._add(f"{where}.id", "required", "内含资源必须有 id / a contained resource needs an id")
        named = _texts_with_hash(value)
        for number, one in enumerate(inside):
            if f"#{one.get('id')}" not in named and "#" not in _texts_with_hash(one):
                self._add(
                    path,
                    "invariant",
                    f"dom-3: 内含资源 {one.get('id')} 没有被引用 / nobody refers to it (contained[{number}])",
                )

    def _rule(self, rule: Rule, node: Node, path: str, place: "_Place") -> None:
        try:
            kept = holds(compiled(rule.expression)(node, place.resource, place.root))
        except (TypeError, ValueError, IndexError, AttributeError, KeyError, RecursionError):
            # What the rule speaks of is not of its type, which has been said already.
            return
        if kept is False:
            self._add(path, "invariant", f"{rule.key}: {rule.human}")

    def _add(self, path: str, code: str, sentence: str) -> None:
        if len(self.found) < 100:
            self.found.append(Problem(path, code, sentence))


class _Place:
    """Where the walk stands: the resource, the outermost one that contains it, and how deep."""

    __slots__ = ("depth", "resource", "root")

    def __init__(self, resource: Node, root: Node, depth: int) -> None:
        self.resource = resource
        self.root = root
        self.depth = depth


_SPECIAL: dict[str, Any] = {
    "Reference": _Walk.reference,
    "CodeableConcept": _Walk.concept,
    "Coding": _Walk.coding,
    "Extension": _Walk.extension,
    "Quantity": _Walk.quantity,
    "Age": _Walk.quantity,
    "Duration": _Walk.quantity,
    "Count": _Walk.quantity,
    "Distance": _Walk.quantity,
    "Period": _Walk.period,
}


@functools.cache
def _plain(name: str) -> str:
    """The type's name for FHIRPath; parts of a type have none."""
    return "" if "." in name else name


def _is_bound(coding: Any, codes: dict[str, frozenset[str]]) -> bool:
    if not isinstance(coding, dict):
        return False
    system, code = coding.get("system", ""), coding.get("code")
    return isinstance(system, str) and isinstance(code, str) and code in codes.get(system, ())


def _contained_kinds(*resources: Any) -> dict[str, str]:
    return {
        str(one.get("id")): str(one.get("resourceType"))
        for resource in resources
        for one in (resource.get("contained") if isinstance(resource.get("contained"), list) else [])
        if isinstance(one, dict)
    }


def _texts_with_hash(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} if value.startswith("#") else set()
    found: set[str] = set()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            found |= _texts_with_hash(part)
    return found
