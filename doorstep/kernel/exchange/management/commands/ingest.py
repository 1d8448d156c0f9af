"""`doorstep ingest`: takes in HL7 v2 messages over MLLP and watches folders."""

import asyncio
import contextlib
import signal
import ssl
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.exchange.mllp.server import Limits, Server


class Command(BaseCommand):
    """Run one ingest process until SIGINT or SIGTERM; every answered message is on the disk."""

    help = "Take in HL7 v2 messages over MLLP."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to listen, the limits, and the certificates of TLS."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8002)
        parser.add_argument("--megabytes", type=float, default=10, help="largest message")
        parser.add_argument("--pause", type=float, default=30, help="longest pause inside a message, in seconds")
        parser.add_argument("--certificate", default="", help="PEM file of the server's certificate: turns TLS on")
        parser.add_argument("--certificate-key", default="", help="PEM file of its key")
        parser.add_argument("--client-authority", default="", help="PEM file: senders must show a certificate of it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; an address that cannot be had is a sentence."""
        try:
            tls = _tls(options["certificate"], options["certificate_key"], options["client_authority"])
            self._safely = " and TLS" if tls else ""
            limits = Limits(message_bytes=int(options["megabytes"] * 1024 * 1024), pause_seconds=options["pause"])
            asyncio.run(self._serve(limits, options["host"], options["port"], tls))
        except OSError as error:
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error}") from error

    async def _serve(self, limits: Limits, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        task = asyncio.create_task(Server(limits=limits).serve(host=host, port=port, tls=tls, ready=self._say))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def _say(self, host: str, port: int) -> None:
        self.stdout.write(f"HL7 v2 over MLLP{self._safely} on {host}:{port}")
        self.stdout.flush()


def _tls(certificate: str, key: str, authority: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority or None)
    context.load_cert_chain(certificate, key or None)
    if authority:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
