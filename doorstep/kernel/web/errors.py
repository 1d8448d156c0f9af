"""Error pages: each says what happened, what was kept and what to do; machines get their own layer's answer."""

import errno
import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from psycopg_pool import PoolTimeout

from doorstep.kernel.web.pages import render, wants_part

log = logging.getLogger("doorstep.web")

MachineAnswer = Callable[[HttpRequest, int, str], HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The three sentences of an error page (lazy msgids)."""

    title: Any
    happened: Any
    kept: Any
    next: Any
    icon: str = "alert-circle"


NOTHING_SAVED = gettext_lazy("本次操作没有保存任何内容，此前已保存的内容不受影响。")

EXPLANATIONS: dict[int, Explanation] = {
    400: Explanation(
        title=gettext_lazy("请求无法识别"),
        happened=gettext_lazy("系统读不懂浏览器送来的内容，可能是地址被改动或页面停留过久。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请返回上一页，刷新后重新填写。"),
    ),
    403: Explanation(
        title=gettext_lazy("没有权限"),
        happened=gettext_lazy("您当前的岗位不能进行这项操作。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("如果您有多个岗位，请回到首页，在右上角切换后再试；确需此权限时，请联系本单位的系统管理员。"),
        icon="lock",
    ),
    404: Explanation(
        title=gettext_lazy("找不到这个页面"),
        happened=gettext_lazy("地址不存在，或者这份资料不在您的工作范围之内。"),
        kept=gettext_lazy("您没有改动任何内容。"),
        next=gettext_lazy("请核对地址，或回到首页从菜单进入。"),
        icon="search-off",
    ),
    405: Explanation(
        title=gettext_lazy("此页面不支持这种操作"),
        happened=gettext_lazy("浏览器用了这个地址不接受的方式。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请回到上一页，用页面上的按钮操作。"),
    ),
    409: Explanation(
        title=gettext_lazy("内容已被他人更新"),
        happened=gettext_lazy("在您操作之前，另一位同事已经处理了这件事，或状态已经变化。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请看过最新状态后再决定。"),
        icon="arrows-exchange",
    ),
    413: Explanation(
        title=gettext_lazy("文件太大"),
        happened=gettext_lazy("上传的内容超过了 25 MB。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请压缩或分开上传；心电文件通常小于 1 MB，请确认选对了文件。"),
        icon="file-off",
    ),
    422: Explanation(
        title=gettext_lazy("内容需要更正"),
        happened=gettext_lazy("有几项内容不符合要求。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请返回上一页，按提示更正后再提交。"),
    ),
    429: Explanation(
        title=gettext_lazy("操作过于频繁"),
        happened=gettext_lazy("短时间内请求过多，系统暂时不再受理。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请等一分钟后再试。"),
        icon="hourglass",
    ),
    500: Explanation(
        title=gettext_lazy("系统出错了"),
        happened=gettext_lazy("系统内部发生错误，不是您的操作问题。错误已经记录。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请稍后重试；如再次出现，请把下面的编号告诉系统管理员。紧急情况请按本单位预案用电话联系。"),
        icon="alert-triangle",
    ),
    503: Explanation(
        title=gettext_lazy("数据库暂时连接不上"),
        happened=gettext_lazy("系统正在启动、备份或恢复，暂时不能读写数据。"),
        kept=NOTHING_SAVED,
        next=gettext_lazy("请等一分钟后刷新页面；您填写的内容仍在浏览器的上一页里。紧急情况请按本单位预案用电话联系。"),
        icon="database-off",
    ),
}
# Reading is refused as well: who looked at a record must be written down.
FULL = Explanation(
    title=gettext_lazy("服务器存储空间已满"),
    happened=gettext_lazy("服务器的存储空间或内存已用完，暂时不能查看和保存资料。"),
    kept=NOTHING_SAVED,
    next=gettext_lazy(
        "请立即通知系统管理员；您填写的内容仍在浏览器的上一页里，恢复后可重新提交。紧急情况请按本单位预案用电话联系。"
    ),
    icon="database-off",
)
FORGED = Explanation(
    title=gettext_lazy("页面已过期"),
    happened=gettext_lazy("安全校验没有通过：页面停留过久、您在别处退出了登录，或浏览器禁用了 Cookie。"),
    kept=NOTHING_SAVED,
    next=gettext_lazy("请返回上一页，刷新后再提交。"),
    icon="shield-x",
)
_machine_answers: dict[str, MachineAnswer] = {}


def answer_under(prefix: str, answer: MachineAnswer) -> None:
    """Let a layer of machines (for example /fhir) give its own error bodies below a path prefix."""
    _machine_answers[prefix] = answer


def error_page(
    request: HttpRequest,
    status: int,
    *,
    happened: str = "",
    reference: str = "",
    explanation: Explanation | None = None,
) -> HttpResponse:
    """Return the error page; machines below /fhir get JSON, htmx gets the sentences alone."""
    shown = explanation or EXPLANATIONS.get(status, EXPLANATIONS[500])
    sentence = happened or str(shown.happened)
    for prefix, machine in {"/fhir": operation_outcome, **_machine_answers}.items():
        if request.path == prefix or request.path.startswith(prefix + "/"):
            return machine(request, status, sentence)
    newest = _came_from(request) if status == HTTPStatus.CONFLICT else ""
    context = {"status": status, "shown": shown, "happened": sentence, "reference": reference, "newest": newest}
    template = "errors/part.html" if wants_part(request) else "errors/page.html"
    return render(request, template, context, status)


def _came_from(request: HttpRequest) -> str:
    """The page of this house from which the act was sent, to be read anew; "" when the browser names none."""
    named = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(named, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(named)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def operation_outcome(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """Return the plainest FHIR OperationOutcome, used until the FHIR layer installs its own answer."""
    codes = {400: "invalid", 403: "forbidden", 404: "not-found", 409: "conflict", 413: "too-long", 422: "processing"}
    issue = {"severity": "error", "code": codes.get(status, "exception"), "diagnostics": sentence}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return JsonResponse(body, status=status, content_type="application/fhir+json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400; a body over the limit reaches us here and is a 413."""
    return error_page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403; a sentence given to PermissionDenied is shown."""
    return error_page(request, 403, happened=str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404; says the same for "not there" and "not yours"."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500; a lost database or a full one is a 503, everything else carries a reference number that is in the log."""
    error = sys.exc_info()[1]
    away, full = database_is_away(error), database_is_full(error)
    if away or full:
        log.error("database full" if full else "database away", exc_info=error)
        response = error_page(request, 503, explanation=FULL if full else None)
        response.headers["Retry-After"] = "60"
        return response
    reference = secrets.token_hex(4).upper()
    log.error("unhandled error, reference %s, %s %s", reference, request.method, request.path, exc_info=error)
    return error_page(request, 500, reference=reference)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW; the technical reason goes to the log only."""
    log.warning("csrf refused: %s %s", reason, request.path)
    return error_page(request, 403, explanation=FORGED)


def database_is_away(error: BaseException | None) -> bool:
    """Whether the error, or one that caused it, means that the database cannot be reached."""
    for one in _causes(error):
        if isinstance(one, PoolTimeout | InterfaceError):
            return True
        # A connection lost or refused has no SQLSTATE or one of classes 08 and 57P, or is one too many; a lock time-out is another matter.
        if isinstance(one, OperationalError):
            state = getattr(one.__cause__, "sqlstate", None)
            if state is None or state.startswith(("08", "57P", "53300")):
                return True
    return False


def database_is_full(error: BaseException | None) -> bool:
    """Whether the error, or one that caused it, means that no room is left: for the database on its disk or in memory, or for a file."""
    return any(
        getattr(one, "sqlstate", None) in ("53100", "53200")
        or (isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT))
        for one in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what caused it, and so on; each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
