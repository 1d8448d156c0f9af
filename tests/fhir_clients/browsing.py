"""A person at a browser without scripts: follows pages, fills their forms."""

from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx


class Browser:
    """Cookies and the page that is open."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._client = httpx.Client(timeout=30)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def sign_in(self, username: str, password: str) -> None:
        """Log in on the page that everybody uses."""
        page = self._client.get(f"{self._origin}/accounts/login/")
        answer = self._submit(page, {"login": username, "password": password})
        assert answer.status_code == 302, answer.text

    def agree(self, address: str) -> str:
        """Let an app in; returns the address that it is called back at."""
        page = self._client.get(address)
        assert page.status_code == 200, page.text
        answer = self._submit(page, {"allow": "Authorize"})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def _submit(self, page: httpx.Response, values: dict[str, str]) -> httpx.Response:
        forms = _Forms(page.text)
        name = next(iter(values))
        action, fields = next((one for one in forms.found if name in one[1] or name in one[2]), forms.found[0])[:2]
        address = urljoin(str(page.url), action or str(page.url))
        return self._client.post(address, data={**fields, **values}, headers={"referer": str(page.url)})


class _Forms(HTMLParser):
    """The forms of a page: address, hidden, filled and ticked fields, names of buttons and boxes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, list[str]], set[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Gather what a form would send."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}, set()))
        elif self.found and tag == "input" and given.get("name"):
            if given.get("type") in ("submit", "checkbox", "radio"):
                self.found[-1][2].add(given["name"])
            if given.get("type") not in ("submit", "checkbox", "radio") or "checked" in given:
                self.found[-1][1].setdefault(given["name"], []).append(given.get("value", ""))
        elif self.found and tag == "button" and given.get("name"):
            self.found[-1][2].add(given["name"])
