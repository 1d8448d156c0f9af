"""The trace of a report as SVG in millimetres: 25 mm/s, 10 mm/mV, three rows of four leads and a rhythm row."""

from typing import Final

import numpy as np

from doorstep.care.diagnosis.ecg.recording import Recording

SPEED_MM: Final = 25.0
GAIN_MM: Final = 10.0
ROW_MM: Final = 28.0
PULSE_MM: Final = 8.0
WIDTH_MM: Final = 260.0
HEIGHT_MM: Final = 4 * ROW_MM + 4
_ROWS: Final = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
_SECONDS: Final = 10.0
_POINTS_PER_SECOND: Final = 250


def trace_svg(recording: Recording) -> str:
    """SVG of exactly `WIDTH_MM` x `HEIGHT_MM`; what is shown at that size is true to scale."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm"'
        f' viewBox="0 0 {WIDTH_MM:g} {HEIGHT_MM:g}">',
        f'<rect width="{WIDTH_MM:g}" height="{HEIGHT_MM:g}" fill="#fffafa"/>',
        _grid(1, "#f6d5d6", 0.08),
        _grid(5, "#e9a3a7", 0.16),
    ]
    for number, row in enumerate(_ROWS):
        baseline = 3 + ROW_MM * (number + 0.6)
        parts.append(_pulse(baseline))
        seconds = min(_SECONDS, recording.duration) / len(row)
        for column, lead in enumerate(row):
            left = PULSE_MM + column * seconds * SPEED_MM
            parts.append(_path(recording, lead, (left, baseline), column * seconds, seconds))
            parts.append(_name(lead, left + 1, baseline - 10.5))
    return "".join([*parts, "</svg>"])


def _grid(step: int, colour: str, width: float) -> str:
    columns = "".join(f"M{x} 0V{HEIGHT_MM:g}" for x in range(0, int(WIDTH_MM) + 1, step))
    rows = "".join(f"M0 {y}H{WIDTH_MM:g}" for y in range(0, int(HEIGHT_MM) + 1, step))
    return f'<path d="{columns}{rows}" stroke="{colour}" stroke-width="{width}" fill="none"/>'


def _pulse(baseline: float) -> str:
    """1 mV for 0.2 s."""
    return (
        f'<path d="M1 {baseline:g}h1v{-GAIN_MM:g}h{0.2 * SPEED_MM:g}v{GAIN_MM:g}h0.6" stroke="#14181f"'
        ' stroke-width="0.25" fill="none"/>'
    )


def _path(recording: Recording, lead: str, origin: tuple[float, float], start: float, seconds: float) -> str:
    left, baseline = origin
    step = max(1, round(recording.sampling_hz / _POINTS_PER_SECOND))
    samples = recording.lead(lead)
    zero = float(np.median(samples))
    first, last = round(start * recording.sampling_hz), round((start + seconds) * recording.sampling_hz)
    # an R wave is narrower than a step on fast carts: each step keeps its farthest sample
    part = samples[first:last].astype(np.float64) - zero
    part = part[: part.size // step * step].reshape(-1, step)
    values = part[np.arange(part.shape[0]), np.abs(part).argmax(axis=1)]
    x = left + np.arange(values.size) * step / recording.sampling_hz * SPEED_MM
    y = baseline - values / 1000 * GAIN_MM
    points = " ".join(f"{a:.2f},{b:.2f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" stroke="#14181f" stroke-width="0.26" stroke-linejoin="round" fill="none"/>'


def _name(lead: str, x: float, y: float) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="3.2" font-family="Noto Sans CJK TC" fill="#14181f">{lead}</text>'
