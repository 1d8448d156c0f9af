"""JSON Patch (RFC 6902), JSON Merge Patch (RFC 7396) and FHIRPath Patch (hl7.org/fhir/R4/fhirpatch.html) on a resource."""

import copy
from collections.abc import Callable
from typing import Any

from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.definitions import types
from doorstep.kernel.fhir.fhirpath.compiling import compiled
from doorstep.kernel.fhir.fhirpath.nodes import CHOICES, Collection, Node
from doorstep.kernel.fhir.fhirpath.parsing import SyntaxFault
from doorstep.kernel.fhir.outcome import FhirRefused

_MOST = 200
# A pattern of a stranger could keep the server busy for hours.
_COSTLY = ("matches", "replaceMatches")
# The resource and what was sent; the resource afterwards.
Patch = Callable[[dict[str, Any], Any], dict[str, Any]]


def json_patched(resource: dict[str, Any], operations: Any) -> dict[str, Any]:
    """The resource after a JSON Patch; raises FhirRefused (422) naming the operation that does not apply."""
    if not isinstance(operations, list) or len(operations) > _MOST:
        raise FhirRefused(400, "structure", f"JSON Patch 应为数组，最多 {_MOST} 步 / must be an array of operations")
    patched: Any = copy.deepcopy(resource)
    for number, operation in enumerate(operations):
        try:
            patched = _apply(patched, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise FhirRefused(
                422,
                "processing",
                f"JSON Patch 第 {number + 1} 步不能执行：{error} / operation {number + 1} does not apply",
            ) from error
    if not isinstance(patched, dict):
        raise FhirRefused(422, "processing", "补丁后不再是资源 / no resource is left after the patch")
    return patched


def merge_patched(resource: dict[str, Any], changes: Any) -> dict[str, Any]:
    """The resource with the changed members alone sent anew, null for what goes; raises FhirRefused (400)."""
    if not isinstance(changes, dict):
        raise FhirRefused(400, "structure", "JSON Merge Patch 应为对象 / must be an object")
    merged: dict[str, Any] = _merged(resource, changes)
    return merged


def _merged(value: Any, changes: Any) -> Any:
    if not isinstance(changes, dict):
        return copy.deepcopy(changes)
    kept = dict(value) if isinstance(value, dict) else {}
    for name, change in changes.items():
        if change is None:
            kept.pop(name, None)
        else:
            kept[name] = _merged(kept.get(name), change)
    return kept


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict):
        raise TypeError("an operation is an object")
    verb, path = operation["op"], _pointer(operation["path"])
    if verb == "test":
        if not exact.same(_at(document, path), operation["value"]):
            raise ValueError(f"test failed at {operation['path']}")
        return document
    if verb in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_at(document, source))
        if verb == "move":
            if path[: len(source)] == source and path != source:
                raise ValueError("a value cannot move into itself")
            document = _removed(document, source)
        return _added(document, path, value)
    if verb == "remove":
        return _removed(document, path)
    if verb == "add":
        return _added(document, path, copy.deepcopy(operation["value"]))
    if verb == "replace":
        _at(document, path)
        return _added(_removed(document, path), path, copy.deepcopy(operation["value"])) if path else operation["value"]
    raise ValueError(f"unknown op {str(verb)[:20]!r}")


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise ValueError("a path begins with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_place(document, part)]
    return document


def _place(container: Any, part: str, *, end: bool = False) -> Any:
    if isinstance(container, dict):
        return part
    if not isinstance(container, list):
        raise KeyError(part)
    if end and part == "-":
        return len(container)
    if not part.isdecimal() or (part != "0" and part.startswith("0")) or len(part) > 6:
        raise ValueError(f"{part!r} is not a place in an array")
    return int(part)


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    container = _at(document, path[:-1])
    place = _place(container, path[-1], end=True)
    if isinstance(container, dict):
        container[place] = value
    elif place > len(container):
        raise IndexError(f"the array has only {len(container)} values")
    else:
        container.insert(place, value)
    return document


def _removed(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    container = _at(document, path[:-1])
    del container[_place(container, path[-1])]
    return document


def fhirpath_patched(resource: dict[str, Any], parameters: Any) -> dict[str, Any]:
    """The resource after a FHIRPath Patch; raises FhirRefused naming the operation that does not apply."""
    steps = parameters.get("parameter") if isinstance(parameters, dict) else None
    if not isinstance(steps, list) or parameters.get("resourceType") != "Parameters" or len(steps) > _MOST:
        raise FhirRefused(
            400, "structure", "FHIRPath Patch 应为 Parameters / must be Parameters", "Parameters.parameter"
        )
    patched = copy.deepcopy(resource)
    for number, step in enumerate(steps):
        place = f"Parameters.parameter[{number}]"
        try:
            _step(patched, _parts(step))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise FhirRefused(
                422, "processing", f"FHIRPath Patch 第 {number + 1} 步不能执行：{error} / does not apply", place
            ) from error
    return patched


def _parts(step: Any) -> dict[str, Any]:
    if not isinstance(step, dict) or step.get("name") != "operation":
        raise ValueError("a step is a parameter named operation")
    found: dict[str, Any] = {}
    for part in step.get("part", []):
        name = part["name"]
        value = next((value for key, value in part.items() if key.startswith("value")), None)
        found[name] = _anonymous(part["part"]) if name == "value" and "part" in part else value
        if name == "value" and "part" not in part:
            found["kind"] = next(key for key in part if key.startswith("value")).removeprefix("value")
    return found


def _anonymous(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """An element without a type name of its own, given as parts."""
    found: dict[str, Any] = {}
    for part in parts:
        value = (
            _anonymous(part["part"])
            if "part" in part
            else next(value for key, value in part.items() if key.startswith("value"))
        )
        if part["name"] in found:
            earlier = found[part["name"]]
            found[part["name"]] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[part["name"]] = value
    return found


def _step(resource: dict[str, Any], parts: dict[str, Any]) -> None:
    verb, targets = parts["type"], _found(resource, parts["path"])
    if verb == "add":
        _add(_one(targets, parts["path"]), parts["name"], parts["value"], parts.get("kind", ""))
    elif verb == "insert":
        _list_at(resource, targets, parts["path"]).insert(_index(parts["index"]), parts["value"])
    elif verb == "delete":
        if len(targets) > 1:
            raise ValueError(f"{parts['path']} names more than one element")
        if targets:
            _drop(resource, targets[0])
    elif verb == "replace":
        target = _one(targets, parts["path"])
        if target.parent is None:
            raise ValueError("the resource itself cannot be replaced")
        target.parent[target.key] = parts["value"]
    elif verb == "move":
        values = _list_at(resource, targets, parts["path"])
        source, destination = _index(parts["source"]), _index(parts["destination"])
        if source >= len(values) or destination >= len(values):
            raise IndexError(f"there are only {len(values)} values")
        values.insert(destination, values.pop(source))
    else:
        raise ValueError(f"unknown type {str(verb)[:20]!r}")


def _found(resource: dict[str, Any], path: Any) -> Collection:
    if not isinstance(path, str) or any(f"{name}(" in path for name in _COSTLY):
        raise ValueError("path must be a FHIRPath without patterns")
    node = Node(resource)
    try:
        return compiled(path)(node, node, node)
    except (SyntaxFault, RecursionError) as error:
        raise ValueError(f"{path[:80]}: {error}") from error


def _one(targets: Collection, path: str) -> Node:
    if len(targets) != 1:
        raise ValueError(f"{path} names {len(targets)} elements, not one")
    return targets[0]


def _index(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a place is a whole number from 0")
    return value


def _list_at(resource: dict[str, Any], targets: Collection, path: str) -> list[Any]:
    if not targets or not isinstance(targets[0].parent, list):
        raise ValueError(f"{path} names no list")
    values: list[Any] = targets[0].parent
    return values


def _add(target: Node, name: Any, value: Any, kind: str) -> None:
    container = target.value
    if not isinstance(container, dict) or not isinstance(name, str):
        raise TypeError("only an element can be added to")
    if name.removesuffix("[x]") in CHOICES and name not in container and kind and name.endswith("[x]"):
        name = name.removesuffix("[x]") + kind
    earlier = container.get(name)
    if isinstance(earlier, list):
        earlier.append(value)
    elif earlier is None:
        container[name] = [value] if _repeats(container, name) else value
    else:
        raise ValueError(f"{name} has a value already")


def _repeats(container: dict[str, Any], name: str) -> bool:
    own = types().get(str(container.get("resourceType", "")))
    element = own.elements.get(name) if own else None
    if element is not None:
        return element.is_list
    # Below the resource the type is not written in the JSON: what repeats in every type that has it, repeats here.
    found = [one.elements[name].is_list for one in types().values() if name in one.elements]
    return bool(found) and all(found)


def _drop(resource: dict[str, Any], target: Node) -> None:
    if target.parent is None:
        raise ValueError("the resource itself cannot be deleted")
    del target.parent[target.key]
    if isinstance(target.parent, list) and not target.parent:
        _without_empty(resource, target.parent)


def _without_empty(node: Any, emptied: list[Any]) -> None:
    """Take away the member whose list has become empty: FHIR allows no empty arrays."""
    if isinstance(node, dict):
        for name, value in list(node.items()):
            if value is emptied:
                del node[name]
            else:
                _without_empty(value, emptied)
    elif isinstance(node, list):
        for part in node:
            _without_empty(part, emptied)
