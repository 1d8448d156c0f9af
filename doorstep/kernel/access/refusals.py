"""What the house refuses, each with a sentence for the person and the status of the answer."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """An act that the house refuses; nothing of it is kept.

    `message` is a sentence that says what is wrong and what to do; `fields` gives the sentence per form field.
    """

    status = 422
    code = "refused"

    def __init__(self, message: object = "", *, fields: Mapping[str, object] | None = None, code: str = "") -> None:
        super().__init__(str(message))
        self.message = message
        self.fields = dict(fields or {})
        self.code = code or self.code


class NotPermitted(Refused):
    """The actor's role does not carry the permission."""

    status = 403
    code = "forbidden"

    def __init__(self, *, permission: str) -> None:
        super().__init__(_("您当前的岗位没有这项操作的权限。如工作需要，请切换岗位或联系本单位管理员。"))
        self.permission = permission


class NotFound(Refused):
    """Not there or not yours: both answer alike."""

    status = 404
    code = "not-found"

    def __init__(self, message: object = "") -> None:
        super().__init__(message or _("没有找到，或不在您可查看的范围内。请核对后再试。"))


class Conflict(Refused):
    """Somebody else was first, or the thing has moved on."""

    status = 409
    code = "conflict"
