"""Our operations as OperationDefinitions (hl7.org/fhir/R4/operationdefinition.html): those that R4 does not define itself."""

from dataclasses import dataclass, field

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json
from doorstep.site.fhir.profiles import head

_BASE = f"{systems.BASE}/OperationDefinition/"


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter: what goes in, or with `out` what comes back."""

    name: str
    type: str
    words: str
    needed: bool = False
    many: bool = False
    out: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its code, the type it stands on ("" for the whole system), whether it changes anything, and its parameters."""

    code: str
    type: str
    title: str
    description: str
    changes: bool
    given: tuple[Given, ...] = field(default_factory=tuple)
    # On one resource, and whether it stands on the type as well.
    instance: bool = False
    on_type: bool = True

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{_BASE}{self.type.lower()}-{self.code}" if self.type else f"{_BASE}{self.code}"


_ORIGIN = Given("origin", "code", "Whose share of the places: own, contract, referral, community or open.")
_BASED_ON = Given("basedOn", "string", "The ServiceRequest of the referral that the place is for.")
OPERATIONS = (
    Operation(
        "find",
        "Slot",
        "查找号源",
        "Slots with a place left.",
        changes=False,
        given=(
            Given(
                "organization",
                "string",
                "Organizations that have the slots; all of the consortium without it.",
                many=True,
            ),
            Given("specialty", "string", "Words of the department."),
            Given("start", "dateTime", "Not before."),
            Given("end", "dateTime", "Not after."),
            _ORIGIN,
            Given("_count", "integer", "At most so many, up to 200; 50 without it."),
            Given(
                "return", "Bundle", "A searchset of Slots, each with the extension places-left.", needed=True, out=True
            ),
        ),
    ),
    Operation(
        "hold",
        "Slot",
        "占号",
        "Keeps a place for a patient for some minutes. With the header Idempotency-Key a resend is answered the same and keeps no second place.",
        changes=True,
        given=(
            Given("slot", "Reference", "The Slot.", needed=True),
            Given("patient", "Reference", "The Patient.", needed=True),
            _ORIGIN,
            Given("minutes", "integer", "1 to 30."),
            _BASED_ON,
            Given("hold", "string", "The number of the hold.", needed=True, out=True),
            Given("until", "instant", "Until when it is kept.", needed=True, out=True),
            Given("slot", "Reference", "The Slot.", needed=True, out=True),
        ),
    ),
    Operation(
        "release",
        "Slot",
        "放号",
        "Gives a held place back; one that has gone already is no fault.",
        changes=True,
        given=(
            Given("hold", "string", "The number of the hold.", needed=True),
            Given("released", "boolean", "Whether there was something to give back.", needed=True, out=True),
        ),
    ),
    Operation(
        "book",
        "Appointment",
        "预约",
        "Books a held place, or a slot in one act. With the header Idempotency-Key a resend answers the first Appointment again.",
        changes=True,
        given=(
            Given("hold", "string", "The number of a hold."),
            Given("slot", "Reference", "The Slot, without a hold."),
            Given("patient", "Reference", "The Patient.", needed=True),
            _ORIGIN,
            _BASED_ON,
            Given("return", "Appointment", "The Appointment.", needed=True, out=True),
        ),
    ),
    Operation(
        "change",
        "Appointment",
        "改约",
        "Moves a booking to another slot: the old time is given back and the new one booked, both or neither. Sent once more it answers the same.",
        changes=True,
        given=(
            Given("appointment", "Reference", "The Appointment.", needed=True),
            Given("slot", "Reference", "The Slot of the new time.", needed=True),
            Given("origin", "code", "Whose share of the places; that of the old one without it."),
            Given("return", "Appointment", "The new Appointment; the old one is cancelled.", needed=True, out=True),
        ),
    ),
    Operation(
        "cancel",
        "Appointment",
        "退号",
        "Gives a booking back.",
        changes=True,
        given=(
            Given("appointment", "Reference", "The Appointment.", needed=True),
            Given("reason", "string", "Why."),
            Given("return", "Appointment", "The Appointment as it is then.", needed=True, out=True),
        ),
    ),
    Operation(
        "import",
        "",
        "批量导入",
        "Takes NDJSON in, as the body, as parts of the request or as Binaries: docs/fhir/bulk.md. Answers 202 with Content-Location.",
        changes=True,
        given=(
            Given("inputFormat", "string", "application/fhir+ndjson."),
            Given("inputSource", "uri", "Read over."),
            Given("input", "string", "Inputs, each with a type and an address within the request.", many=True),
        ),
    ),
    Operation(
        "cda",
        "DocumentReference",
        "共享文档",
        "POST on the type takes one CDA R2 document (WS/T 500) as application/xml, GET on an instance gives it back as it was sent.",
        changes=True,
        given=(Given("document", "Binary", "The document: the body of the request, or of the answer.", needed=True),),
        instance=True,
    ),
    *(
        Operation(
            "cda",
            type,
            "共享文档",
            "The resource as CDA R2 document (WS/T 500), application/xml.",
            changes=False,
            given=(Given("return", "Binary", "The document: the body of the answer.", needed=True, out=True),),
            instance=True,
            on_type=False,
        )
        for type in ("Composition", "DiagnosticReport", "Encounter")
    ),
)


def operation_definitions() -> list[Json]:
    """Every operation of ours."""
    return [_definition(one) for one in OPERATIONS]


def of_type(type: str) -> list[tuple[str, str]]:
    """The operations of a type, "" for the whole system, with their addresses; for the CapabilityStatement."""
    return [(one.code, one.url) for one in OPERATIONS if one.type == type]


def _definition(one: Operation) -> Json:
    begun = head("OperationDefinition", one.url, title=one.title, description=one.description)
    return {
        **begun,
        "kind": "operation",
        "affectsState": one.changes,
        "code": one.code,
        **({"resource": [one.type]} if one.type else {}),
        "system": not one.type,
        "type": bool(one.type) and one.on_type,
        "instance": one.instance,
        "parameter": [
            {
                "name": given.name,
                "use": "out" if given.out else "in",
                "min": int(given.needed),
                "max": "*" if given.many else "1",
                "documentation": given.words,
                "type": given.type,
            }
            for given in one.given
        ],
    }
