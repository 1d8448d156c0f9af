"""Which results that exist already need not be repeated: a window of days by kind of examination.

Pure. 医疗机构检查检验结果互认管理办法（国卫医发〔2022〕6号）leaves the windows to the region; these are the platform's defaults and not
verified. The doctor's judgement stands above the mark.
"""

from dataclasses import dataclass
from datetime import date

SOURCE = "国卫医发〔2022〕6号"
VERIFIED = False
# R4 states of a report whose words stand.
FINAL = frozenset({"final", "amended", "corrected", "appended"})


@dataclass(frozen=True, slots=True)
class Window:
    """Results whose LOINC code or title fits are recognised for so many days."""

    days: int
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


WINDOWS: tuple[Window, ...] = (
    # The report's code, and the code by which one is ordered.
    Window(7, ("11524-6", "34534-8"), ("心电",)),
    Window(30, (), ("胸部", "X线", "X 线", "CT", "超声", "磁共振", "MR")),
    Window(7, (), ("血常规", "尿常规")),
    Window(90, (), ("乙肝", "丙肝", "艾滋", "梅毒")),
    Window(30, (), ("甲状腺", "肿瘤标志物")),
    Window(14, (), ("生化", "肝功能", "肾功能", "血脂", "血糖", "糖化")),
)


def window(*, code: str, title: str) -> Window | None:
    """The window that a kind of examination falls into; None when the list does not name it."""
    return next(
        (one for one in WINDOWS if code in one.codes or any(word in title for word in one.words)),
        None,
    )


def window_of(*, code: str, title: str) -> int | None:
    """For how many days a result of this kind is recognised; None when the list does not name it."""
    found = window(code=code, title=title)
    return None if found is None else found.days


def is_recognised(*, code: str, title: str, final: bool, on: date, day: date) -> bool | None:
    """Whether a result is recognised on a day: None when its kind is not on the list."""
    days = window_of(code=code, title=title)
    if days is None:
        return None
    return final and 0 <= (day - on).days <= days
