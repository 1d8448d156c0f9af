"""QR codes as inline SVG, so that they print sharp and need no second request."""

import io

import segno
from markupsafe import Markup


def qr_svg(text: str, label: str, scale: int = 4) -> Markup:
    """Return a QR code of the text with error correction M; label is what a screen reader says."""
    stream = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        stream,
        kind="svg",
        scale=scale,
        border=2,
        xmldecl=False,
        svgns=True,
        title=label,
        svgclass="ds-qr",
        lineclass=None,
    )
    return Markup(stream.getvalue().decode())  # noqa: S704 - segno escapes the title and draws only paths
