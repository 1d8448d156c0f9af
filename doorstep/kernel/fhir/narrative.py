"""The narrative of a resource: the XHTML that FHIR allows and nothing that could act (hl7.org/fhir/R4/narrative.html)."""

import re
from functools import lru_cache

_TAG = re.compile(
    r"<(?P<close>/)?(?P<name>[A-Za-z][A-Za-z0-9:]*)(?P<facts>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?)(?P<empty>/)?>"
    r"|<!--.*?-->|<\?xml[^>]*\?>|(?P<stray><)",
    re.S,
)
_FACT = re.compile(r"\s*([A-Za-z_:][\w:.\-]*)\s*=\s*(\"[^\"]*\"|'[^']*')|\s*(\S)")
_TAGS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "map",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "area",
        "del",
        "ins",
        "kbd",
        "address",
        "bdo",
        "font",
        "center",
    ]
)
_ADDRESSES = {"href", "src", "background"}
_SAFE_ADDRESS = re.compile(r"\s*(?:https?:|ftp:|mailto:|tel:|cid:|data:\s*image/|#|[^:]*$|[^:/?#]*[/?#])", re.I)


def fault_of(div: str) -> str:
    """What is wrong with a narrative's div, "" when nothing is."""
    if not div.lstrip().startswith(("<div", "<?xml", "<!--", "<xhtml:div")):
        return "text.div 应为一个 <div> / must be one <div>"
    open_tags: list[str] = []
    for close, name, facts, empty, stray in _TAG.findall(div):
        if stray:
            return "尖括号没有写完整 / a tag is not complete"
        if not name:
            continue
        if close:
            if not open_tags or open_tags.pop() != name:
                return f"</{name}> 没有对应的开始标签 / closes nothing"
            continue
        fault = _tag_fault(name, facts)
        if fault:
            return fault
        if not empty:
            open_tags.append(name)
    return f"<{open_tags[-1]}> 没有结束 / is not closed" if open_tags else ""


# The same few tags stand in every narrative.
@lru_cache(maxsize=4096)
def _tag_fault(name: str, facts: str) -> str:
    if name.rpartition(":")[2].lower() not in _TAGS:
        return f"不允许 <{name}> / <{name}> is not allowed"
    for fact in _FACT.finditer(facts):
        key = fact.group(1)
        if key is None:
            return f"<{name}> 的属性写法不对 / an attribute of <{name}> is not well formed"
        if key.lower().startswith("on") or (key.lower() in _ADDRESSES and not _SAFE_ADDRESS.match(fact.group(2)[1:-1])):
            return f"不允许属性 {key} / the attribute {key} is not allowed"
    return ""
