"""What the codes of HL7's own tables mean in FHIR R4; codes beyond them go through the sender's mapping tables.

HL7 v2.5.1 chapter 2 appendix A and the v2 to FHIR code maps; gender also as GB/T 2261.1-2003.
"""

from doorstep.kernel.exchange import codes
from doorstep.kernel.exchange.formats import Fault, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json

# HL70001 and GB/T 2261.1.
GENDER = {
    "M": "male", "1": "male", "男": "male",
    "F": "female", "2": "female", "女": "female",
    "O": "other", "A": "other", "N": "other", "9": "other", "未说明": "other",
    "U": "unknown", "0": "unknown", "未知": "unknown",
}  # fmt: skip
# HL70004.
PATIENT_CLASS = {
    "I": ("IMP", "inpatient encounter"),
    "B": ("IMP", "inpatient encounter"),
    "O": ("AMB", "ambulatory"),
    "R": ("AMB", "ambulatory"),
    "E": ("EMER", "emergency"),
    "P": ("PRENC", "pre-admission"),
}
# HL70085.
OBSERVATION_STATUS = {
    "F": "final", "P": "preliminary", "R": "preliminary", "S": "preliminary", "B": "preliminary", "I": "registered",
    "O": "registered", "C": "corrected", "D": "entered-in-error", "W": "entered-in-error", "X": "cancelled", "U": "final",
}  # fmt: skip
# HL70123.
REPORT_STATUS = {
    "F": "final", "P": "preliminary", "R": "preliminary", "A": "partial", "C": "corrected", "M": "corrected", "X": "cancelled",
    "O": "registered", "I": "registered", "S": "registered", "Y": "registered", "Z": "registered",
}  # fmt: skip
# HL70078, and the arrows that Chinese laboratory systems print.
INTERPRETATION = {
    "L": "L", "H": "H", "LL": "LL", "HH": "HH", "N": "N", "A": "A", "AA": "AA", "S": "S", "R": "R", "I": "I", "U": "U", "D": "D",
    "<": "<", ">": ">", "↑": "H", "↓": "L", "↑↑": "HH", "↓↓": "LL", "POS": "POS", "NEG": "NEG", "阳性": "POS", "阴性": "NEG",
}  # fmt: skip
INTERPRETATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
# HL70119 (ORC-1) and HL70038 (ORC-5).
ORDER_CONTROL = {
    "NW": "active", "CA": "revoked", "OC": "revoked", "CR": "revoked", "DC": "revoked", "OD": "revoked", "DR": "revoked",
    "HD": "on-hold", "RL": "active", "XO": "active", "XX": "active", "RP": "active", "RU": "active", "RO": "active", "PA": "active",
    "CH": "active", "OK": "active", "SN": "active", "RE": "completed",
}  # fmt: skip
ORDER_STATUS = {
    "A": "active", "CA": "revoked", "CM": "completed", "DC": "revoked", "ER": "entered-in-error", "HD": "on-hold", "IP": "active",
    "RP": "revoked", "SC": "active",
}  # fmt: skip
# HL70485 and TQ-6.
PRIORITY = {"S": "stat", "A": "asap", "R": "routine", "P": "asap", "C": "urgent", "T": "urgent", "U": "urgent"}
# HL70278 (SCH-25).
APPOINTMENT_STATUS = {
    "BOOKED": "booked", "PENDING": "pending", "WAITLIST": "waitlist", "COMPLETE": "fulfilled", "CANCELLED": "cancelled",
    "CANCELED": "cancelled", "NOSHOW": "noshow", "DC": "cancelled", "DELETED": "entered-in-error", "STARTED": "arrived",
}  # fmt: skip
# HL70052.
DIAGNOSIS_USE = {
    "A": ("AD", "Admission diagnosis"),
    "W": ("CM", "Comorbidity diagnosis"),
    "F": ("DD", "Discharge diagnosis"),
}
# HL70396 names of code systems, as Chinese systems write them.
CODE_SYSTEMS = {
    "LN": systems.LOINC,
    "LOINC": systems.LOINC,
    "I10": systems.ICD10,
    "ICD10": systems.ICD10,
    "ICD-10": systems.ICD10,
    "UCUM": systems.UCUM,
}


def decided(task: Task, known: dict[str, str], *, table: str, code: str, place: str) -> str:
    """A code that must mean something: by HL7's table, else by the sender's mapping; a Fault when by neither."""
    found = known.get(code) or known.get(code.upper())
    if found:
        return found
    target = codes.target_of(task, table=table, code=code)
    if target is None:
        raise Fault("code-unknown", place, table=table, code=code)
    return target.code


def concept(task: Task, *, table: str, code: str, display: str, system: str = "") -> Json:
    """A CodeableConcept: the sender's own code and words, and the code that it is mapped to.

    A code of a known system stands as it is; a local one that nobody has decided is kept and listed.
    """
    own = CODE_SYSTEMS.get(system.upper())
    if own:
        return elements.concept(own, code, display)
    codings = []
    if code:
        target = codes.target_of(task, table=table, code=code, display=display)
        if target is not None:
            codings.append(elements.coding(target.system, target.code, target.display))
        codings.append(elements.coding(local_system(task, table), code, display))
    return elements.compact({"coding": codings, "text": display or code})


def local_system(task: Task, table: str) -> str:
    """The system of a sender's own codes or numbers."""
    return f"{systems.BASE}/NamingSystem/{task.connection.code}/{table}"
