"""A signed version as the printed report says it."""

from doorstep.care.diagnosis import queries
from doorstep.care.diagnosis.ecg.reading import read_recording
from doorstep.care.diagnosis.ecg.templates import BY_CODE
from doorstep.care.diagnosis.models import EcgOrder, ReportVersion
from doorstep.care.diagnosis.report import BY_NAME, CRITICAL_BY_CODE
from doorstep.care.diagnosis.report_pdf.facts import ReportFacts
from doorstep.care.diagnosis.report_pdf.render import render
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.files import queries as files
from doorstep.people.residents.rules import mask_number


def pdf_of(order: EcgOrder, version: ReportVersion, *, address: str) -> bytes:
    """The PDF of a version; `address` is where its code leads. Raises NotFound when the resident is closed to the reader."""
    resident = queries.people([order]).get(order.resident_id)
    if resident is None or order.recording_id is None or order.arrived_at is None:
        raise NotFound()
    content = version.content
    critical = CRITICAL_BY_CODE.get(content["critical_code"])
    return render(
        ReportFacts(
            centre=order.center.name,
            requester=order.source.name,
            report_number=f"{str(order.key)[:8].upper()}-{version.number}",
            name=resident.name,
            sex="male" if resident.gender == "male" else "female" if resident.gender == "female" else None,
            birth_date=resident.birth_date,
            resident_number=mask_number(resident.national_id),
            complaint=order.indication,
            recording=read_recording(files.content_of(file_id=order.recording_id)),
            measurements=tuple(
                (BY_NAME[name].zh, f"{value} {BY_NAME[name].unit}") for name, value in content["measurements"].items()
            ),
            findings=tuple(line for line in content["findings_text"].splitlines() if line.strip())
            or tuple(BY_CODE[code].zh for code in content["findings"] if code in BY_CODE),
            conclusion=content["conclusion_text"],
            critical=critical.zh if critical else "",
            reader=version.signer_name,
            verifier=version.signer_name,
            recorded_at=order.taken_at or order.arrived_at,
            reported_at=version.signed_at,
            url=address,
        )
    )
