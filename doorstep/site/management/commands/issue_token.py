"""`doorstep token NAME`: a bearer token for a hospital system that calls /fhir."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from oauth2_provider.models import Application

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations


class Command(BaseCommand):
    """Issue, or renew, the token of a system; it is printed once and kept only as a hash."""

    help = "Print a new bearer token for a hospital system."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the system's name and, for a new one, the code of its organisation."""
        parser.add_argument("name")
        parser.add_argument("--jwks", default="", help="file of public keys: the system signs assertions instead")
        parser.add_argument("--scope", default="system/*.rs", help="the scopes of a system that signs assertions")
        parser.add_argument("--issuer", default="", help="iss of its CDS Hooks JWTs, when that is not its name")
        parser.add_argument("--jku", default="", help="the one address that its JWTs may name as the place of its keys")
        parser.add_argument("--organization", default="", help="code of the organisation, for a system that is new")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token alone, so that a script can read it."""
        with acting(system_actor(Purpose.IMPORT)) as actor:
            unit = organizations.for_client(name=options["name"], code=options["organization"])
            if unit is None:
                raise CommandError(
                    f"没有名为 {options['name']} 的接入系统；新系统请用 --organization 给出机构代码"
                    f" / no system {options['name']}: give the code of its organisation with --organization"
                )
            if options["jwks"]:
                _register(options, unit.id, f"{unit.name} HIS", actor)
                self.stdout.write(options["name"])
                return
            token = access.issue_token(
                name=options["name"], display=f"{unit.name} HIS", organization_id=unit.id, actor=actor
            )
        self.stdout.write(token)


def _register(options: dict[str, Any], organization_id: int, display: str, actor: Actor) -> None:
    """Let the system of these keys ask for tokens by signed assertions (SMART Backend Services)."""
    try:
        jwks = json.loads(Path(options["jwks"]).read_text(encoding="utf-8"))
        JWKSet.from_json(json.dumps(jwks))
    except (OSError, ValueError, JWException) as error:
        raise CommandError(f"{options['jwks']} 不是 JWKS 文件 / is not a file of keys: {error}") from error
    if any("d" in key for key in jwks.get("keys", [])):
        raise CommandError("JWKS 中有私钥，请只登记公钥 / the file holds a private key: register public keys only")
    access.register_keys(
        name=options["name"],
        display=display,
        organization_id=organization_id,
        jwks=jwks,
        scopes=options["scope"],
        issuer=options["issuer"],
        jku=options["jku"],
        actor=actor,
    )
    Application.objects.update_or_create(
        client_id=options["name"],
        defaults={
            "name": display,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
        },
    )
