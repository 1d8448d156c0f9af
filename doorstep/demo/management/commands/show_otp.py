"""`show_otp USERNAME`: the one-time code of a demo account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.accounts import demo_code
from doorstep.kernel.access.models import User


class Command(BaseCommand):
    """Print the code of this moment; real accounts have no such door."""

    help = "Print the one-time code of a demo account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user name."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print six digits alone, so that a script can read them."""
        user = User.objects.filter(username=options["username"]).first()
        code = demo_code(user) if user else ""
        if not code:
            name = options["username"]
            raise CommandError(f"没有演示账号 {name}，或它没有动态码 / No demo account {name} with a one-time code.")
        self.stdout.write(code)
