"""Was a recording taken in this visit, or is it an old one, or is the cart's clock wrong?"""

from datetime import datetime, timedelta
from typing import Final

from doorstep.kernel.fhir.moments import CHINA

# A visit and its ECG belong to one day; a village without network sends in the evening what it took in the morning.
FRESH: Final = timedelta(hours=24)
# Clocks of carts go wrong by minutes; the recording of a later hour cannot have been taken yet.
AHEAD: Final = timedelta(minutes=15)


def doubt_of_time(taken_at: datetime | None, *, now: datetime) -> tuple[str, str] | None:
    """The sentence (Chinese, English) that asks to confirm when a recording was taken, or None when it is of this visit.

    A file that names no time is not doubted: its time is that of its arrival. An old file chosen by mistake would be read as
    the state of today, so the person is asked; nothing is refused for good, since earlier ECGs are brought in on purpose.
    """
    if taken_at is None or now - FRESH <= taken_at <= now + AHEAD:
        return None
    moment = taken_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    if taken_at > now:
        return (
            f"文件的采集时间是 {moment}，晚于现在，心电图机的时钟可能不准。请校准时钟；确认是本次采集的，请勾选后上传。",
            f"The file says it was taken at {moment}, which is still to come: the cart's clock may be wrong. Set the clock; "
            "tick the box if it was taken in this visit.",
        )
    return (
        f"文件的采集时间是 {moment}，不是本次采集的，可能选错了文件或心电图机时钟不准。确认要按既往心电图补录的，请勾选后上传。",
        f"The file says it was taken at {moment}, not in this visit: it may be the wrong file, or the cart's clock is wrong. "
        "Tick the box if you want to bring in an earlier ECG.",
    )


def examined_at(taken_at: datetime | None, *, arrived_at: datetime | None) -> datetime | None:
    """When the heart was in the state that a recording shows: never after its arrival, whatever the cart's clock says."""
    if taken_at is None or arrived_at is None:
        return taken_at or arrived_at
    return min(taken_at, arrived_at)
