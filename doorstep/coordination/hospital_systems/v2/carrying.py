"""A message over MLLP and its acknowledgement (HL7 v2.5.1 chapter 2, 2.9; appendix C)."""

import socket

from django.utils.translation import gettext as _

from doorstep.coordination.hospital_systems.v2.reading import Read
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.exchange.mllp.envelope import EnvelopeFault, open_envelope
from doorstep.kernel.exchange.mllp.framing import Found, Framer, Piece, frame
from doorstep.kernel.subscriptions.sending import HEARD, Answer

# An acknowledgement is a few lines; more is something else.
LARGEST_ANSWER = 64 * 1024
_TAKEN, _ERROR, _REJECTED = ("AA", "CA"), ("AE", "CE"), ("AR", "CR")


def carry(line: socket.socket, message: bytes) -> Answer:
    """Send a message and wait for its answer; raises OSError when the line breaks before."""
    line.sendall(frame(message))
    framer = Framer(limit=LARGEST_ANSWER)
    while True:
        data = line.recv(4096)
        if not data:
            raise ConnectionResetError
        for piece in framer.feed(data):
            judged = _judged(piece, open_envelope(message).control_id)
            if judged is not None:
                return judged


def _judged(piece: Piece, control_id: str) -> Answer | None:
    """What an answer says; None for one to another message, as of a sender that had given up waiting for it."""
    if piece.found is not Found.MESSAGE:
        return None
    try:
        said = Read(open_envelope(piece.data).text).first("MSA")
    except (EnvelopeFault, Fault):
        said = None
    if said is None:
        return Answer(_("接收方的应答不是 HL7 确认消息（没有 MSA）。"), "answer", alive=True)
    if said.text(2) != control_id:
        return None
    code, words = said.text(1).upper(), said.text(3)
    if code in _TAKEN:
        return HEARD
    sentence = _("接收方应答 %(code)s：%(words)s") % {"code": code, "words": words or _("没有说明原因")}
    if code in _REJECTED:
        return Answer(sentence, "rejected", alive=True, final=True)
    return Answer(sentence, "error" if code in _ERROR else "answer", alive=True)
