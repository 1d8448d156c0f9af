"""The choices of forms, for layers that do not import models."""

from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.exchange.states import MessageState

KINDS = list(Connection.Kind.choices)
ENCODINGS = list(Connection.Encoding.choices)
STATES = list(MessageState.choices)
