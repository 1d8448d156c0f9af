"""`doorstep administrator USERNAME`: the first person of an installation, or a new password for one who is locked out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import actions as organizations
from doorstep.people.organizations import queries as organization_queries
from doorstep.people.organizations.models import Organization
from doorstep.people.workforce import accounts, managing
from doorstep.people.workforce import queries as workforce

ROLE = "administrator"


class Command(BaseCommand):
    """Make an administrator at the top of the tree, and the top itself when nothing is there yet."""

    help = "Make the first administrator, or give one that is locked out a new temporary password."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user name and, for an empty installation, the name of the organisation on top."""
        parser.add_argument("username")
        parser.add_argument("--name", default="系统管理员", help="name of the person")
        parser.add_argument("--organization", default="", help="code of the organisation; without it the one on top")
        parser.add_argument("--organization-name", default="", help="name of the first organisation of an empty house")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print user name and temporary password, once."""
        try:
            with acting(system_actor(Purpose.IMPORT)) as actor:
                password = self._password(actor, options)
        except Refused as refused:
            fields = " ".join(f"{name}: {sentence}" for name, sentence in refused.fields.items())
            raise CommandError(f"{refused.message} {fields}".strip()) from refused
        self.stdout.write(f"{options['username']}  {password}")
        self.stderr.write(
            "临时密码 7 天内有效，首次登录须改密码并启用两步验证。/ The password is good for 7 days; at the first login"
            " an own password and a second factor are set up."
        )

    def _password(self, actor: Actor, options: dict[str, Any]) -> str:
        known = workforce.by_username(options["username"])
        if known is not None:
            if ROLE not in workforce.roles_held(practitioner_id=known.pk):
                raise CommandError(
                    f"{options['username']} 已有账号，但不是系统管理员，请换一个用户名。"
                    f" / {options['username']} is somebody else's account: choose another user name."
                )
            return accounts.renew(practitioner=known, factors=True, actor=actor)
        unit = self._unit(actor, options)
        new = managing.NewPractitioner(
            name=options["name"], gender="unknown", username=options["username"], facts=managing.Facts()
        )
        post = managing.NewPost(organization_id=unit.pk, role=ROLE, starts_on=timezone.localdate())
        return managing.hire(new=new, post=post, actor=actor).password

    def _unit(self, actor: Actor, options: dict[str, Any]) -> Organization:
        code, name = options["organization"], options["organization_name"]
        tops = organization_queries.tops()
        if code:
            found = organization_queries.by_code(code)
            if found is None:
                raise CommandError(f"没有代码为 {code} 的机构。/ There is no organisation {code}.")
            return found
        if not tops and name:
            facts = organizations.UnitFacts(code="TOP", name=name, kind=Organization.Kind.AUTHORITY.value)
            return organizations.found(facts=facts, parent_id=None, actor=actor)
        if len(tops) == 1:
            return tops[0]
        if tops:
            codes = "、".join(f"{unit.code} {unit.name}" for unit in tops[:10])
            raise CommandError(
                f"有多个顶层机构，请用 --organization 给出代码：{codes} / Several organisations stand on top:"
                " give one's code with --organization."
            )
        raise CommandError(
            "还没有任何机构，请用 --organization-name 给出第一个机构的名称，例如 “禾川县卫生健康局”。"
            " / There is no organisation yet: name the first with --organization-name."
        )
