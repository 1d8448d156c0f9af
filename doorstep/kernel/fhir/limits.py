"""How often one client may ask: a bucket for each, filled steadily, in the memory of the process."""

import threading
import time

from django.conf import settings

from doorstep.kernel.fhir.outcome import FhirRefused

# Beyond this many clients the fullest buckets are forgotten: they limit nobody.
_MOST = 10_000
_lock = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}


def spend(client: str) -> None:
    """Count one request of a client; raises FhirRefused (429) with Retry-After when it asks too often."""
    rate = settings.FHIR_REQUESTS_A_MINUTE / 60
    now = time.monotonic()
    with _lock:
        # Ten seconds' worth may come at once.
        full = rate * 10
        left, since = _buckets.get(client, (full, now))
        left = min(full, left + (now - since) * rate)
        if left < 1:
            wait = max(1, round((1 - left) / rate))
            raise FhirRefused(
                429,
                "throttled",
                f"请求过于频繁，请 {wait} 秒后再试 / too many requests: try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )
        if len(_buckets) >= _MOST:
            _buckets.clear()
        _buckets[client] = (left - 1, now)
