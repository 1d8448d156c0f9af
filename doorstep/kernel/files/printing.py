"""Printed papers: facts as JSON and drawings as SVG into one Typst page, with the house's own font. No network, no system fonts."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import orjson
import segno
import typst
from cvttf_NotoSansCJK_Regular import get_TTF_path


def typeset(
    template: Path,
    *,
    facts: Mapping[str, Any],
    at: datetime,
    drawings: Mapping[str, str] | None = None,
    kind: Literal["pdf", "png"] = "pdf",
    ppi: float | None = None,
) -> bytes:
    """The page of a template: `sys.inputs.facts` holds the facts as JSON, each drawing stands under its own name.

    Deterministic: the same facts at the same moment `at` give the same bytes.
    """
    return typst.compile(
        str(template),
        font_paths=[str(Path(get_TTF_path()).parent)],
        ignore_system_fonts=True,
        format=kind,
        ppi=ppi,
        timestamp=int(at.timestamp()),
        sys_inputs={"facts": orjson.dumps(dict(facts)).decode(), **(drawings or {})},
    )


def code_svg(text: str) -> str:
    """A QR code of this text as SVG."""
    target = BytesIO()
    segno.make(text, error="m").save(target, kind="svg", border=1, xmldecl=False)
    return target.getvalue().decode()
