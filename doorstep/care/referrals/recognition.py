"""Which results that travel with a patient need not be repeated: a window of days by kind of examination.

Pure. 医疗机构检查检验结果互认管理办法（国卫医发〔2022〕6号）leaves the windows to the region; these are the platform's defaults and not
verified. The receiving doctor's judgement stands above the mark.
"""

from dataclasses import dataclass
from datetime import date

SOURCE = "国卫医发〔2022〕6号"
VERIFIED = False


@dataclass(frozen=True, slots=True)
class Window:
    """Results whose LOINC code or title fits are recognised for so many days."""

    days: int
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


WINDOWS: tuple[Window, ...] = (
    Window(7, ("11524-6",), ("心电",)),
    Window(30, (), ("胸部", "X线", "X 线", "CT", "超声", "磁共振", "MR")),
    Window(7, (), ("血常规", "尿常规")),
    Window(90, (), ("乙肝", "丙肝", "艾滋", "梅毒")),
    Window(30, (), ("甲状腺", "肿瘤标志物")),
    Window(14, (), ("生化", "肝功能", "肾功能", "血脂", "血糖", "糖化")),
)


def window_of(*, code: str, title: str) -> int | None:
    """For how many days a result of this kind is recognised; None when the list does not name it."""
    for window in WINDOWS:
        if code in window.codes or any(word in title for word in window.words):
            return window.days
    return None


def is_recognised(*, code: str, title: str, final: bool, on: date, day: date) -> bool | None:
    """Whether a result is recognised on a day: None when its kind is not on the list."""
    days = window_of(code=code, title=title)
    if days is None:
        return None
    return final and 0 <= (day - on).days <= days
