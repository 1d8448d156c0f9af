"""The choices of forms, for layers that do not import models."""

from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.exchange.states import MessageState

# The connection of a system that calls with its token is made by its first document.
KINDS = [one for one in Connection.Kind.choices if one[0] != Connection.Kind.API]
ENCODINGS = list(Connection.Encoding.choices)
AUTO, UTF8 = Connection.Encoding.AUTO.value, Connection.Encoding.UTF8.value
VERSIONS = list(Connection.Version.choices)
# Of what we send there is nothing declared that could be followed.
SENT_ENCODINGS = [one for one in ENCODINGS if one[0] != Connection.Encoding.AUTO]
STATES = list(MessageState.choices)
