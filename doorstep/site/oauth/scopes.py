"""The scopes that can be asked for: any well-formed SMART v2 scope, within what the operator gave the client."""

from typing import Any

from django.utils.translation import gettext as _
from oauth2_provider.scopes import BaseScopes

from doorstep.kernel.fhir.scopes import LAUNCH, is_scope, parse

INTROSPECTION = "introspection"
_VERBS = {"c": "新增", "r": "读取", "u": "修改", "d": "删除", "s": "查询"}


class Described(dict[str, str]):
    """What a scope means, for the page on which a person agrees."""

    def __missing__(self, scope: str) -> str:
        """The words of a resource scope."""
        found = parse(scope).granted
        if not found:
            return scope
        _context, kind, verbs = found[0]
        words = "、".join(_VERBS[verb] for verb in verbs)
        return _("%(verbs)s%(kind)s") % {"verbs": words, "kind": _("全部健康档案资料") if kind == "*" else kind}


class SmartScopes(BaseScopes):  # type: ignore[misc]
    """Scopes are checked by the validator; this names them."""

    def get_all_scopes(self) -> dict[str, str]:
        """Descriptions; resource scopes are described as they are asked for."""
        return Described(
            {
                "openid": _("知道您是谁"),
                "fhirUser": _("知道您是谁"),
                "profile": _("知道您是谁"),
                "launch": _("从本系统打开应用"),
                "launch/patient": _("知道是哪位居民"),
                "offline_access": _("您不在线时继续使用"),
                "online_access": _("您在线时使用"),
                INTROSPECTION: _("查验令牌"),
            }
        )

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Every scope that has a name of its own."""
        return [*LAUNCH, INTROSPECTION]

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """None: a client says what it needs."""
        return []


def within(asked: list[str], given: str) -> bool:
    """Whether all the asked scopes are known and covered by the given ones."""
    allowed, named = parse(given), set(given.split())
    for scope in asked:
        if scope in named:
            continue
        if not is_scope(scope) or scope in LAUNCH:
            return False
        for context, kind, verbs in parse(scope).granted:
            covering = [one for one in allowed.granted if one[0] == context and one[1] in ("*", kind)]
            if not all(any(verb in one[2] for one in covering) for verb in verbs):
                return False
    return True
