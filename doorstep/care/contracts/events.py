"""What happens to family-doctor contracts."""

from doorstep.kernel.events.event import Event


class ContractDrafted(Event):
    """An agreement was written down and waits for the signature."""


class ContractSigned(Event):
    """A resident and a team signed."""


class ContractFellDue(Event):
    """The renewal window of a contract has opened."""


class ContractRenewed(Event):
    """A contract was followed by a new one."""


class ContractExpired(Event):
    """A contract ended without renewal."""


class ContractTerminated(Event):
    """A contract was ended before its time; `details` holds the coded reason."""
