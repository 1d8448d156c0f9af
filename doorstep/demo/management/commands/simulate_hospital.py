"""`doorstep simulate-hospital`: sends real-looking traffic of the lead hospital to a running ingest."""

import ssl
import time
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from doorstep.demo.hospital.patients import connect_lead_hospital, patients_of
from doorstep.demo.hospital.traffic import Hospital
from doorstep.demo.hospital.wire import Sender, code_of

_THIS_MACHINE = ("127.0.0.0/8", "::1")


class Command(BaseCommand):
    """Send a number of messages and say how they were answered and how fast."""

    help = "Send real-looking HL7 v2 messages of the lead hospital of the demo county."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to send, how many, and what a careless sender does."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8002, help="port of bin/doorstep ingest")
        parser.add_argument("--messages", type=int, default=200)
        parser.add_argument("--seed", type=int, default=int(time.time()))
        parser.add_argument("--charset", choices=["utf-8", "gb18030"], default="utf-8")
        parser.add_argument("--window", type=int, default=1, help="answers outstanding; 1 waits for each")
        parser.add_argument("--twice", action="store_true", help="send everything twice")
        parser.add_argument("--shuffle", action="store_true", help="send in any order")
        parser.add_argument(
            "--authority", default="", help="PEM file: the receiver's certificate is of it; turns TLS on"
        )
        parser.add_argument("--certificate", default="", help="PEM file of the sender's certificate")
        parser.add_argument("--certificate-key", default="", help="PEM file of its key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send; a receiver that is not there is a sentence."""
        # To this machine it calls from this machine; elsewhere nobody here knows from which address it will come.
        here = _THIS_MACHINE if options["host"] in ("127.0.0.1", "::1", "localhost") else ()
        connection = connect_lead_hospital(addresses=here)[0]
        patients = patients_of(connection, limit=max(options["messages"] // 3, 1))
        if not patients:
            raise CommandError("The lead hospital may see no resident yet: open a visit or a referral there first.")
        texts = self._texts(options, patients)
        tls = _tls(options["authority"], options["certificate"], options["certificate_key"])
        started = time.perf_counter()
        try:
            sender = Sender(host=options["host"], port=options["port"], charset=options["charset"], tls=tls)
            codes = Counter(code_of(answer) for answer in sender.send_all(texts, window=options["window"]))
        except OSError as error:
            raise CommandError(
                f"No answer at {options['host']}:{options['port']} ({error}): start bin/run, or bin/doorstep ingest,"
                " and name its port with --port: bin/run prints it, two after the port of the pages."
            ) from error
        sender.close()
        seconds = time.perf_counter() - started
        answers = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
        self.stdout.write(f"{len(texts)} messages in {seconds:.1f} s ({len(texts) / seconds:.0f} a second): {answers}")

    def _texts(self, options: dict[str, Any], patients: list[Any]) -> list[str]:
        random = Random(options["seed"])
        start = timezone.now() - timedelta(days=14)
        hospital = Hospital(random, start, charset=options["charset"], tag=f"S{options['seed'] % 100_000:05}")
        texts: list[str] = []
        while len(texts) < options["messages"]:
            texts += [text for _application, text in hospital.day(patients)]
        del texts[options["messages"] :]
        if options["twice"]:
            texts += texts
        if options["shuffle"]:
            random.shuffle(texts)
        return texts


def _tls(authority: str, certificate: str, key: str) -> ssl.SSLContext | None:
    if not authority:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise CommandError(f"The files of the certificates cannot be used: {error}") from error
    return context
