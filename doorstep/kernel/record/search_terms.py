"""Search parameters as terms: JSON that record_search (sql/3_page.sql) turns into conditions, values apart from SQL.

Rules of values, prefixes and modifiers: hl7.org/fhir/R4/search.html. A wrong value is refused (400) with a sentence.
"""

from collections.abc import Callable, Iterable
from itertools import product

from doorstep.kernel.fhir.parameters import Parameter, parameters, types
from doorstep.kernel.record import search_values as values
from doorstep.kernel.record.search_facts import indexed
from doorstep.kernel.record.search_index import number, small
from doorstep.kernel.record.search_values import Setting, Term, Unsupported, refused, split, unescaped

_MODIFIERS = {
    "token": {"text", "not", "in", "not-in", "above", "below", "of-type", "ofType"},
    "string": {"exact", "contains"},
    "reference": {"identifier"},
    "uri": {"above", "below"},
}
_LONGEST = 2000


def term_of(parameter: Parameter, modifier: str, text: str, setting: Setting) -> Term:
    """The term of one parameter with its modifier and its values, of which any may hold."""
    name = f"{parameter.code}:{modifier}" if modifier else parameter.code
    if not text or len(text) > _LONGEST:
        raise refused(f"查询参数 {name} 的值为空或过长", f"the value of {name} is empty or too long")
    if modifier == "missing":
        return _missing(parameter, name, text)
    if parameter.kind == "reference" and modifier and modifier not in _MODIFIERS["reference"]:
        # A type that the reference can point at; of a misspelt one nothing would ever be found.
        if modifier not in (parameter.targets or types()):
            raise Unsupported(name)
    elif modifier and modifier not in _MODIFIERS.get(parameter.kind, ()):
        raise Unsupported(name)
    if parameter.like and modifier in ("not", "not-in"):
        # Neither here nor there: none of the parameters that it stands for has the value.
        return {"k": "not", "c": term_of(parameter, modifier.removeprefix("not").removeprefix("-"), text, setting)}
    if parameter.like:
        return _joined([_like(parameter, like, modifier, text, setting) for like in parameter.like])
    parts = split(text, ",")
    if not all(parts):
        raise refused(f"查询参数 {name} 的值中有空项", f"an empty value in {name}")
    if parameter.kind == "token" and modifier in ("not", "not-in"):
        return {"k": "not", "c": _joined([_value(parameter, modifier, value, setting) for value in parts])}
    return _joined([_value(parameter, modifier, value, setting) for value in parts])


def _like(parameter: Parameter, like: tuple[str, str], modifier: str, text: str, setting: Setting) -> Term:
    other, target = like
    if parameter.kind == "reference" and target and modifier in ("", target):
        kept = [value for value in split(text, ",") if "/" not in value or value.rpartition("/")[0].endswith(target)]
        if not kept:
            return {"k": "none"}
        return term_of(parameters(parameter.type)[other], target, ",".join(kept), setting)
    if parameter.kind == "reference" and target and modifier != "identifier":
        return {"k": "none"}
    return term_of(parameters(parameter.type)[other], modifier, text, setting)


def _missing(parameter: Parameter, name: str, text: str) -> Term:
    if text not in ("true", "false"):
        raise refused(f"{name} 应为 true 或 false", f"{name} must be true or false")
    if parameter.code in ("_id", "_lastUpdated"):
        return {"k": "none"} if text == "true" else {"k": "and", "c": []}
    term: Term = {"k": "present", "v": small(f"{parameter.type}.{parameter.code}")}
    return {"k": "not", "c": term} if text == "true" else term


def _joined(terms: Iterable[Term]) -> Term:
    """Terms of which any may hold; those that look into the same index under the same name become one."""
    merged: list[Term] = []
    for term in terms:
        for one in merged:
            same = one["k"] == term["k"] and one.get("n") == term.get("n") and one.get("few") == term.get("few")
            if same and term["k"] in ("key", "link", "id"):
                one.update({**term, "v": [*one["v"], *term["v"]]})
                break
        else:
            merged.append(dict(term))
    if len(merged) == 1:
        return merged[0]
    return {"k": "or", "c": merged, **({"few": True} if merged and all(one.get("few") for one in merged) else {})}


_VALUES: dict[str, Callable[[Parameter, str, str, Setting], Term]] = {
    "token": values.token,
    "reference": values.reference,
    "date": values.date,
    "number": values.amount,
    "quantity": values.amount,
    "string": values.string,
    "uri": values.uri,
    "special": values.near,
}


def _value(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    if parameter.kind == "composite":
        return _composite(parameter, value, setting)
    return _VALUES[parameter.kind](parameter, modifier, value, setting)


def _composite(parameter: Parameter, value: str, setting: Setting) -> Term:
    parts = split(value, "$")
    if len(parts) != len(parameter.components) or not all(parts):
        form = "$".join(code for code, _ in parameter.components)
        raise refused(f"{parameter.code} 写作 {form}", f"{parameter.code} is {form}")
    table = parameters(parameter.type)
    if not indexed(parameter):
        found = [
            term_of(table[code], "", part, setting) for (code, _), part in zip(parameter.components, parts, strict=True)
        ]
        return {"k": "and", "c": found}
    firsts = [
        [f"r|{text}" for text in values.addresses(table[code], "", unescaped(part), setting)]
        if kind == "reference"
        else [values.token_form(part)]
        for (code, kind), part in zip(parameter.components[:-1], parts[:-1], strict=True)
    ]
    names = ["|".join((f"{parameter.type}.{parameter.code}", *chosen)) for chosen in product(*firsts)]
    code, kind = parameter.components[-1]
    last = table.get(code) or parameter
    return _joined(_composite_last(last, kind, name, parts[-1], setting) for name in names)


def _composite_last(last: Parameter, kind: str, name: str, value: str, setting: Setting) -> Term:
    """The last component's term, under the name that the first ones make."""
    if kind == "token":
        return {"k": "key", "v": [number(f"{name}|{values.token_form(value)}")]}
    if kind == "reference":
        texts = values.addresses(last, "", unescaped(value), setting)
        return {"k": "key", "v": [number(f"{name}|r|{text}") for text in texts]}
    return {**_VALUES[kind](last, "", value, setting), "n": number(name)}
