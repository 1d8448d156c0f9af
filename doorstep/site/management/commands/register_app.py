"""`doorstep app NAME`: an app of others that residents or staff let in, opened from records where it says so."""

from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from oauth2_provider.models import Application

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting


class Command(BaseCommand):
    """Register an app for codes with PKCE; with --launch it stands on the page of every record."""

    help = "Register an app of others (SMART App Launch)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take its name as client id, what people read, and its addresses."""
        parser.add_argument("name")
        parser.add_argument("--display", required=True, help="what people read")
        parser.add_argument("--redirect", required=True, help="where codes are sent; several with blanks")
        parser.add_argument("--launch", default="", help="where the app waits to be opened from a record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the client id."""
        for address in [*options["redirect"].split(), *filter(None, [options["launch"]])]:
            parts = urlsplit(address)
            if parts.scheme not in ("https", "http") or not parts.netloc:
                raise CommandError(f"{address} 不是完整的网址 / is not a whole address")
        with acting(system_actor(Purpose.IMPORT)) as actor:
            Application.objects.update_or_create(
                client_id=options["name"],
                defaults={
                    "name": options["display"],
                    "redirect_uris": options["redirect"],
                    "client_type": Application.CLIENT_PUBLIC,
                    "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
                },
            )
            if options["launch"]:
                access.register_app(
                    name=options["name"], display=options["display"], address=options["launch"], actor=actor
                )
        self.stdout.write(options["name"])
