"""Sessions in the database; the reading that begins every page is written as SQL once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from doorstep.kernel.database.remembered import Remembered

_LIVE = Remembered(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now)[:1])


class SessionStore(db.SessionStore):
    """SESSION_ENGINE: Django's sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        """The session with this key; a key without one is dropped, as Django does, so that nobody chooses a key."""
        found = _LIVE.one(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found
