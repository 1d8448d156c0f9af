"""Who acts: the person's session and post, a hospital system, or the system itself for a named purpose."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from doorstep.kernel.access.refusals import NotPermitted


class ActorKind(StrEnum):
    """What kind of somebody acts."""

    STAFF = "staff"
    RESIDENT = "resident"
    CLIENT = "client"  # a hospital system with a bearer token
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Purpose(StrEnum):
    """The named purposes under which the system itself reads and writes across residents."""

    HANDLER = "handler"  # a reaction to an event
    CLOCKS = "clocks"  # warnings, escalation and expiry
    SEALING = "sealing"  # sealing and verifying the audit trail
    INDICATORS = "indicators"  # counting what happened
    PREREAD = "preread"  # the machine's first look at a recording
    IMPORT = "import"  # loading and restoring by an operator
    EXPORT = "export"  # writing a list out by an operator
    MERGE = "merge"  # moving the rows of one person's two records together and apart
    VERIFY = "verify"  # saying whether a printed report is genuine
    EXCHANGE = "exchange"  # storing and ordering the messages of other systems
    SIGN_IN = "sign-in"  # finding the account and its posts


@dataclass(frozen=True, slots=True)
class Actor:
    """One acting somebody; bound to a transaction by `session.bind` and passed to every action.

    `reach` holds the organisations whose rows of work the actor handles; `record_reach` those whose care relationships
    make residents visible to the actor. Both come from the session's post, never from a form.
    """

    kind: ActorKind
    display_name: str = ""
    user_id: int | None = None
    post_id: int | None = None
    role: str = ""
    role_label: str = ""
    organization_id: int | None = None
    organization_name: str = ""
    consortium_id: int | None = None
    practitioner_id: int | None = None
    permissions: frozenset[str] = frozenset()
    reach: tuple[int, ...] = ()
    record_reach: tuple[int, ...] = ()
    resident_ids: tuple[int, ...] = ()
    # The one resident whom the app of this actor was opened for; None where no app narrows the sight.
    only_resident_id: int | None = None
    purpose: str = ""
    address: str = ""
    request_id: str = ""
    # A mark of the person's session, never its key; "" where there is none.
    session: str = ""
    # The short name of the hospital system that acts, "" for people.
    client: str = ""
    # What the app is called through which a person acts; "" where there is none.
    app: str = ""
    other_posts: tuple[tuple[int, str], ...] = field(default=(), compare=False)

    @property
    def is_staff(self) -> bool:
        """Whether a person with a post acts."""
        return self.kind is ActorKind.STAFF

    @property
    def is_system(self) -> bool:
        """Whether the system itself acts, for `purpose`."""
        return self.kind is ActorKind.SYSTEM

    def may(self, permission: str) -> bool:
        """Whether the actor's role carries the permission; the system carries all."""
        return self.is_system or str(permission) in self.permissions

    def check(self, permission: str) -> None:
        """Raise NotPermitted when the actor's role lacks the permission."""
        if not self.may(permission):
            raise NotPermitted(permission=str(permission))

    def reaches(self, organization_id: int | None) -> bool:
        """Whether rows of work of this organisation are the actor's to handle."""
        return self.is_system or (organization_id is not None and organization_id in self.reach)

    def with_permissions(self, permissions: Iterable[str]) -> "Actor":
        """Return the same actor with other permissions."""
        return replace(self, permissions=frozenset(str(name) for name in permissions))


ANONYMOUS = Actor(kind=ActorKind.ANONYMOUS)


# How the trail and histories call the system; pages say it in the language of their reader.
SYSTEM_NAME = "系统"


def system_actor(purpose: Purpose, *, consortium_id: int | None = None) -> Actor:
    """Return the system acting for one named purpose."""
    return Actor(kind=ActorKind.SYSTEM, display_name=SYSTEM_NAME, purpose=purpose.value, consortium_id=consortium_id)
