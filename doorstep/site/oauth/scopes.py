"""The scopes that can be asked for: any well-formed SMART v2 scope, within what the operator gave the client."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from oauth2_provider.scopes import BaseScopes

from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.scopes import LAUNCH, is_scope, parse

INTROSPECTION = "introspection"
# What an app can do without, and the person may not want.
_LEFT_OUT = ("offline_access", "online_access")
# What a person reads instead of a type's name; a type that is not here is named as it is.
_KINDS = {
    "*": gettext_lazy("健康档案的全部内容"),
    "AllergyIntolerance": gettext_lazy("过敏史"),
    "Appointment": gettext_lazy("预约"),
    "CarePlan": gettext_lazy("康复与随访计划"),
    "CareTeam": gettext_lazy("家庭医生团队"),
    "Composition": gettext_lazy("病历文书"),
    "Condition": gettext_lazy("诊断与健康问题"),
    "Consent": gettext_lazy("知情同意"),
    "Contract": gettext_lazy("家庭医生签约"),
    "Coverage": gettext_lazy("医保"),
    "Device": gettext_lazy("植入物与设备"),
    "DiagnosticReport": gettext_lazy("检查检验报告"),
    "DocumentReference": gettext_lazy("病历文书"),
    "Encounter": gettext_lazy("就诊记录"),
    "Goal": gettext_lazy("健康目标"),
    "ImagingStudy": gettext_lazy("影像图片"),
    "Immunization": gettext_lazy("预防接种"),
    "Location": gettext_lazy("就诊地点"),
    "Media": gettext_lazy("影像图片"),
    "MedicationDispense": gettext_lazy("用药"),
    "MedicationRequest": gettext_lazy("用药"),
    "MedicationStatement": gettext_lazy("用药"),
    "Observation": gettext_lazy("测量与检验结果"),
    "Organization": gettext_lazy("医疗机构"),
    "Patient": gettext_lazy("姓名、电话、住址等基本信息"),
    "Practitioner": gettext_lazy("医务人员姓名"),
    "PractitionerRole": gettext_lazy("医务人员姓名"),
    "Procedure": gettext_lazy("治疗操作"),
    "QuestionnaireResponse": gettext_lazy("量表与随访表"),
    "RelatedPerson": gettext_lazy("家属与联系人"),
    "ServiceRequest": gettext_lazy("检查申请与转诊"),
    "Specimen": gettext_lazy("标本"),
    "Task": gettext_lazy("办理进度"),
}


def told(scopes: Iterable[str]) -> list[str]:
    """What an app of a person asks for, a line per thing and none twice, for the page on which the person agrees."""
    scopes = list(scopes)
    lines = [line for scope, line in SmartScopes().get_all_scopes().items() if scope in scopes]
    kinds = [kind for context, kind, _verbs in parse(" ".join(scopes)).granted]
    # Whoever reads everything reads each kind of it.
    shown = ["*"] if "*" in kinds else kinds
    lines += [_("查看%(kind)s") % {"kind": _KINDS.get(kind, kind)} for kind in shown]
    return list(dict.fromkeys(lines))


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of what an app asks for. `optional` ones the person may leave out; `parts` are kinds that "everything" is made of."""

    name: str
    words: str
    optional: bool
    parts: tuple[tuple[str, str], ...] = ()


def choices(scopes: Iterable[str]) -> list[Choice]:
    """What an app of a person asks for, a line per thing: the person narrows it before agreeing."""
    scopes = list(scopes)
    named = SmartScopes().get_all_scopes()
    fixed = dict.fromkeys(line for scope, line in named.items() if scope in scopes and scope not in _LEFT_OUT)
    found = [Choice("", line, optional=False) for line in fixed]
    found += [Choice(scope, named[scope], optional=True) for scope in scopes if scope in _LEFT_OUT]
    kinds = [kind for _context, kind, _verbs in parse(" ".join(scopes)).granted]
    shown = ["*"] if "*" in kinds else kinds
    lines = dict.fromkeys(str(_KINDS.get(kind, kind)) for kind in shown)
    every = dict.fromkeys(str(words) for kind, words in _KINDS.items() if kind != "*") if "*" in kinds else {}
    parts = tuple((words, words) for words in every)
    return found + [Choice(words, _("查看%(kind)s") % {"kind": words}, optional=True, parts=parts) for words in lines]


def kept(asked: str, lines: Iterable[str]) -> str:
    """The scopes of which the person left the line ticked; of "everything" the kinds that were ticked instead."""
    chosen = set(lines)
    scopes: list[str] = []
    for scope in asked.split():
        granted = parse(scope).granted
        if not granted:
            scopes += [scope] if scope not in _LEFT_OUT or scope in chosen else []
            continue
        context, kind, _verbs = granted[0]
        if str(_KINDS.get(kind, kind)) in chosen:
            scopes.append(scope)
        elif kind == "*":
            letters = scope.partition(".")[2]
            scopes += [
                f"{context}/{one}.{letters}" for one, words in _KINDS.items() if one != "*" and str(words) in chosen
            ]
    return " ".join(dict.fromkeys(scopes))


class _Any(dict[str, str]):
    """The toolkit's page looks every scope up; the words of our page come from `told`."""

    def __missing__(self, scope: str) -> str:
        """The scope itself."""
        return scope


class SmartScopes(BaseScopes):  # type: ignore[misc]
    """Scopes are checked by the validator; this names them."""

    def get_all_scopes(self) -> dict[str, str]:
        """Descriptions of the scopes that have a name of their own; `told` describes the others."""
        return _Any(
            {
                "openid": _("知道您是谁"),
                "fhirUser": _("知道您是谁"),
                "profile": _("知道您是谁"),
                "launch": _("知道正在看哪位居民"),
                "launch/patient": _("知道是哪位居民"),
                "offline_access": _("您不在线时也能读取，最长 30 天不用则失效"),
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
            if kind != "*" and kind not in resource_types():
                return False
            covering = [one for one in allowed.granted if one[0] == context and one[1] in ("*", kind)]
            if not all(any(verb in one[2] for one in covering) for verb in verbs):
                return False
    return True
