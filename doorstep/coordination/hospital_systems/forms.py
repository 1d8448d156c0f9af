"""Forms of connections: shape only."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.hospital_systems import faults, key_sets, labels
from doorstep.kernel.exchange.choices import ENCODINGS, KINDS, SENT_ENCODINGS, STATES, VERSIONS
from doorstep.kernel.exchange.mllp.senders import open_to_all

MOST_BYTES_OF_KEYS = 65_536


class SettingsForm(forms.Form):
    """What can be changed of a connection at any time."""

    name = forms.CharField(label=_("名称"), max_length=80, help_text=_("例如：HIS、检验系统。"))
    encoding = forms.ChoiceField(label=_("字符集"), choices=ENCODINGS, initial="auto")
    addresses = forms.CharField(
        label=_("允许的来源地址"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "每行一个 IP 地址或网段。HL7 消息只凭 MSH-3、MSH-4 自称是谁，请填发送方的地址；确实不能限定时填 0.0.0.0/0。"
        ),
    )
    any_address = forms.BooleanField(
        label=_("确认不限定来源地址"),
        required=False,
        help_text=_("能连到接收端口的任何机器都可以用这个名义发送结果。接收端口要求客户端证书时，请同时填写证书。"),
    )
    certificates = forms.CharField(
        label=_("允许的客户端证书"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "每行一个证书名称（DNS 名或 CN），例如 his.example.cn。接收端口要求客户端证书时填写，其他证书不能再用这个名义发送；留空则不限。"
        ),
    )
    accepts_training = forms.BooleanField(
        label=_("接收测试消息"),
        required=False,
        help_text=_("处理标识（MSH-11）不是 P 的消息也入档。联调结束后请关闭。"),
    )

    def __init__(self, *args: Any, kind: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection_kind = kind

    def clean(self) -> dict[str, Any]:
        """Over MLLP a message says itself whose it is: an address, or the word that any will do, is wanted."""
        facts = super().clean() or self.cleaned_data
        if facts.get("kind", self._connection_kind) == "mllp" and not (facts.get("addresses") or "").strip():
            self.add_error("addresses", _("请填写发送方的 IP 地址或网段；确实不能限定时填 0.0.0.0/0。"))
        elif self.asks_for_word and not facts.get("any_address"):
            said = _(
                "这个网段几乎包括所有机器，等于不限定来源。请改为发送方的地址；确实不能限定时，勾选下面的“确认不限定来源地址”。"
            )
            self.add_error("addresses", said)
        return facts

    @property
    def asks_for_word(self) -> bool:
        """Whether what was written bounds nobody, so that a person has to say that this is meant."""
        facts = getattr(self, "cleaned_data", self.initial)
        lines = str(facts.get("addresses") or "").split("\n")
        written = [line.strip() for line in lines if line.strip()]
        try:
            return bool(written) and open_to_all(written)
        except ValueError:
            # What is no address is told as such.
            return False

    def lines(self, name: str) -> tuple[str, ...]:
        """What stands in a field of several lines, one by one."""
        return tuple(line.strip() for line in self.cleaned_data[name].splitlines() if line.strip())


class ConnectionForm(SettingsForm):
    """A new connection."""

    organization = forms.TypedChoiceField(label=_("所属单位"), coerce=int)
    kind = forms.ChoiceField(label=_("接入方式"), choices=KINDS)
    application = forms.CharField(
        label=_("发送系统（MSH-3）"),
        max_length=180,
        required=False,
        help_text=_("与消息第 3 字段完全一致。文件夹接入不填。"),
    )
    facility = forms.CharField(
        label=_("发送机构（MSH-4）"), max_length=180, required=False, help_text=_("留空表示此系统的任何机构。")
    )
    field_order = (
        "name",
        "organization",
        "kind",
        "application",
        "facility",
        "encoding",
        "addresses",
        "any_address",
        "certificates",
        "accepts_training",
    )

    def __init__(self, *args: Any, units: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].choices = units  # type: ignore[attr-defined]


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each file for itself; raises ValidationError for what is none."""
        given = (data if isinstance(data, list | tuple) else [data]) or [None]
        # One empty file of many turns the others away no more: it is told of by its name once they are taken.
        full = [one for one in given if one is None or one.size]
        return [super(FilesField, self).clean(one, initial) for one in full or given[:1]]


class FileForm(forms.Form):
    """Files for the connection of somebody who cannot reach its folder."""

    given = FilesField(
        label=_("文件"),
        widget=_Files(attrs={"accept": ".xlsx,.xls,.csv,.xml"}),
        help_text=_("Excel、CSV 或共享文档（XML），可以一次选多个；同一个文件再传一次不会重复入档。"),
        error_messages={"required": _("请选择要上传的文件。"), "empty": _("选中的文件是空的，请重新导出。")},
    )


class LineForm(forms.Form):
    """Where a system listens, and what it is told."""

    host = forms.CharField(
        label=_("接收主机"), max_length=200, help_text=_("医院接口机的 IP 地址或主机名，例如 10.1.2.3。")
    )
    port = forms.IntegerField(
        label=_("端口"), min_value=1, max_value=65_535, help_text=_("对方 MLLP 监听的端口，例如 6661。")
    )
    version = forms.ChoiceField(
        label=_("HL7 版本"), choices=VERSIONS, initial="2.4", help_text=_("对方接口文档写明的版本（MSH-12）。")
    )
    encoding = forms.ChoiceField(label=_("发送字符集"), choices=SENT_ENCODINGS, initial="utf-8")
    secure = forms.BooleanField(label=_("使用 TLS 加密"), required=False)
    kinds = forms.MultipleChoiceField(
        label=_("发送内容"),
        choices=labels.SENT,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请至少选择一类消息。")},
    )


class SpanForm(forms.Form):
    """A span of time, at most a week."""

    since = forms.DateTimeField(label=_("从"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(label=_("到"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    def clean(self) -> dict[str, Any]:
        """The end is after the beginning, and the span short enough to be looked over."""
        facts: dict[str, Any] = super().clean() or {}
        since, until = facts.get("since"), facts.get("until")
        if since and until and until <= since:
            self.add_error("until", _("结束时间应晚于开始时间。"))
        elif since and until and until - since > timedelta(days=7):
            self.add_error("until", _("一次最多 7 天，请分段。"))
        return facts

    def span(self) -> tuple[datetime, datetime]:
        """From when until when."""
        return self.cleaned_data["since"], self.cleaned_data["until"]


class AgainForm(SpanForm):
    """A span of time that is to be replayed, and in which direction."""

    direction = forms.ChoiceField(label=_("方向"), choices=[("out", _("发给对方的")), ("in", _("收到的"))])
    field_order = ("direction", "since", "until")


class SearchForm(forms.Form):
    """What is looked for among messages."""

    control_id = forms.CharField(label=_("消息控制号"), max_length=199, required=False)
    patient = forms.CharField(label=_("患者号码（完整）"), max_length=40, required=False)
    type = forms.CharField(label=_("消息类型"), max_length=40, required=False)
    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *STATES], required=False)
    connection = forms.UUIDField(required=False, widget=forms.HiddenInput)
    error_kind = forms.CharField(max_length=24, required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class RefusedForm(forms.Form):
    """What is looked for among refusals."""

    control_id = forms.CharField(label=_("消息控制号"), max_length=199, required=False)
    reason = forms.ChoiceField(
        label=_("拒收原因"),
        choices=[("", _("全部")), *((reason, kind.title) for reason, kind in faults.REFUSALS.items())],
        required=False,
    )
    all = forms.BooleanField(label=_("也列出已处理的"), required=False)
    connection = forms.UUIDField(required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class CodeForm(forms.Form):
    """What a sender's code means."""

    target_system = forms.ChoiceField(label=_("目标体系"), choices=labels.TARGETS)
    target_code = forms.CharField(label=_("目标代码"), max_length=60, required=False)
    target_display = forms.CharField(label=_("名称"), max_length=200, required=False)


class DismissForm(forms.Form):
    """Why two patients are not one."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明核对了哪些证件。")},
    )


class DropForm(forms.Form):
    """Why a notification is given up."""

    reason = forms.CharField(
        label=_("放弃的理由"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("例如：接收方已自行补取。"),
        error_messages={"required": _("请写明放弃的理由，例如接收方已自行补取。")},
    )


class KeysForm(forms.Form):
    """The public keys of a system, and what it may ask for."""

    display = forms.CharField(label=_("名称"), max_length=100, help_text=_("例如：检验系统 LIS。"))
    keys_file = forms.FileField(
        label=_("公钥文件"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".json,.jwks,application/json"}),
        help_text=_("对方导出的公钥集（JWKS，JSON 文件）；也可以粘贴在下面。"),
        error_messages={"empty": _("选中的文件是空的，请让对方重新导出。")},
    )
    keys = forms.CharField(
        label=_("公钥集（JWKS）"), required=False, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    )
    scopes = forms.CharField(
        label=_("允许的范围"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_(
            "空格或换行分开。例如 system/Observation.rs 只读测量与检验，system/*.cruds 全部读写。只给用得到的。"
        ),
    )
    issuer = forms.CharField(
        label=_("CDS Hooks 的 iss"),
        max_length=500,
        required=False,
        help_text=_("只有调用 CDS Hooks 的系统填写；留空即为编号。"),
    )
    jku = forms.URLField(
        label=_("公钥地址 jku"),
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=_("对方公布公钥集的 HTTPS 地址；不勾选下一项时只核对，不读取。"),
    )
    follows_jku = forms.BooleanField(
        label=_("公钥以这个地址为准"),
        required=False,
        help_text=_("不用上传或粘贴：现在从地址读取；以后对方换新公钥，遇到新的 kid 时自动重读，每分钟最多一次。"),
    )

    keep = forms.BooleanField(
        label=_("平稳更换：已发出的令牌用到期满（最多 5 分钟）"),
        required=False,
        help_text=_("旧私钥已外泄时不要勾选：旧令牌会马上作废。只增加公钥时令牌不受影响。"),
    )

    def clean(self) -> dict[str, Any]:
        """The keys are those of the address, if it is followed, else of the file, if one was chosen."""
        facts = super().clean() or {}
        file = facts.get("keys_file")
        if facts.get("follows_jku"):
            self._read(facts)
        elif file:
            try:
                facts["keys"] = file.read(MOST_BYTES_OF_KEYS).decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("keys_file", _("不是文本文件，请选择 JSON 格式的公钥集。"))
        elif not facts.get("keys") and "keys_file" not in self.errors:
            self.add_error("keys_file", _("请选择公钥文件，或把公钥集粘贴在下面。"))
        return facts

    def _read(self, facts: dict[str, Any]) -> None:
        if not facts.get("jku"):
            if "jku" not in self.errors:
                self.add_error("jku", _("请填写公钥地址。"))
            return
        try:
            facts["keys"] = key_sets.read(facts["jku"])
        except key_sets.NotRead as error:
            self.add_error("jku", str(error))


class SystemForm(KeysForm):
    """A new system."""

    name = forms.SlugField(
        label=_("编号（client_id）"),
        max_length=50,
        help_text=_("小写字母、数字和连字符，登记后不能改，例如 lis-county。"),
        error_messages={"invalid": _("只能用字母、数字、下划线和连字符。")},
    )
    organization = forms.TypedChoiceField(
        label=_("所属单位"), coerce=int, help_text=_("系统以这个单位的身份读写，看得到的不会多于该单位。")
    )
    field_order = ("display", "name", "organization", "keys_file", "keys", "jku", "follows_jku", "scopes", "issuer")

    def __init__(self, *args: Any, units: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].choices = units  # type: ignore[attr-defined]


class RulesForm(forms.Form):
    """What a system may do besides reading and writing: register residents, and where it is notified."""

    registers = forms.BooleanField(
        label=_("可登记居民"),
        required=False,
        help_text=_("居民在本单位窗口时由此系统建档，效力与登记页相同：登记后 30 天内可查阅。"),
    )
    hosts = forms.CharField(
        label=_("允许通知的主机"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("每行一个主机名，可带端口，例如 his.example.cn:8443；只用 HTTPS。留空则不能新建订阅。"),
    )
    attempts = forms.IntegerField(
        label=_("连续失败几次后停发"), min_value=1, max_value=30, help_text=_("停发后由工程师恢复，积压的通知不丢。")
    )
    first_wait = forms.IntegerField(
        label=_("首次重试间隔（秒）"), min_value=1, max_value=3_600, help_text=_("之后每次加倍。")
    )
    longest_wait = forms.IntegerField(label=_("最长重试间隔（秒）"), min_value=1, max_value=86_400)
    timeout = forms.IntegerField(label=_("应答时限（秒）"), min_value=1, max_value=60)

    def lines(self) -> tuple[str, ...]:
        """The hosts, one by one."""
        return tuple(line.strip() for line in self.cleaned_data["hosts"].splitlines() if line.strip())
