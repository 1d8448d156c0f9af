"""`demo_accounts`: the table of demo accounts, as bin/run and `bin/doorstep accounts` print it."""

import unicodedata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from doorstep.demo.accounts import PASSWORD, listed
from doorstep.demo.tracings import FOLDER, PURPOSES


class Command(BaseCommand):
    """Print who may sign in, with what."""

    help = "Print the demo accounts."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per account, then how to sign in."""
        accounts = listed()
        if not accounts:
            self.stdout.write("没有演示账号 / There are no demo accounts.")
            return
        self.stdout.write(f"演示账号，密码均为 / Demo accounts, all with the password {PASSWORD}")
        for one in accounts:
            columns = (_wide(one.username, 13), _wide(one.role_label, 22), _wide(one.display_name, 9))
            self.stdout.write(f"  {''.join(columns)}{one.organization_name}")
        folder = Path(settings.DATA) / FOLDER
        if folder.exists():
            self.stdout.write(f"可上传的心电图文件 / ECG files to upload: {folder}")
            for name, purpose in PURPOSES.items():
                self.stdout.write(f"  {_wide(name, 22)}{purpose}")
        self.stdout.write(
            "工作人员的动态码显示在登录页上 / Codes of staff: on the login page, or bin/doorstep otp USERNAME"
        )


def _wide(text: str, width: int) -> str:
    """Padded to a width in which a Chinese character takes two places."""
    taken = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(1, width - taken)
