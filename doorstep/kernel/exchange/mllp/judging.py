"""What is said of a message before it is stored: by its envelope alone."""

from doorstep.kernel.exchange.formats import format_of
from doorstep.kernel.exchange.mllp import acknowledgement as answers
from doorstep.kernel.exchange.mllp.acknowledgement import SUPPORTED_VERSIONS, Verdict
from doorstep.kernel.exchange.mllp.envelope import Envelope
from doorstep.kernel.exchange.mllp.senders import Caller, Sender

FORMAT = "hl7v2"


def judge(envelope: Envelope, sender: Sender | None, caller: Caller) -> Verdict:
    """Accepted, or the first reason why not."""
    if sender is None or not sender.may_call(caller):
        return answers.UNKNOWN_SENDER
    return judge_content(envelope, sender)


def judge_content(envelope: Envelope, sender: Sender) -> Verdict:
    """The same of a message whose sender was let in already."""
    training = envelope.processing_id not in ("", "P")
    faults = (
        (not envelope.control_id, answers.NO_CONTROL_ID),
        (not envelope.type, answers.NO_TYPE),
        (not envelope.readable, answers.UNREADABLE),
        # Senders that leave the version out are read like 2.4, the version most in use.
        (bool(envelope.version) and envelope.version not in SUPPORTED_VERSIONS, answers.UNKNOWN_VERSION),
        (training and not sender.connection.accepts_training, answers.UNKNOWN_PROCESSING),
    )
    return next((verdict for found, verdict in faults if found), None) or _judge_type(envelope)


def _judge_type(envelope: Envelope) -> Verdict:
    taken = format_of(FORMAT).types
    if f"{envelope.type}^{envelope.event}" in taken:
        return answers.ACCEPTED
    known = {one.partition("^")[0] for one in taken}
    return answers.UNKNOWN_EVENT if envelope.type in known else answers.UNKNOWN_TYPE
