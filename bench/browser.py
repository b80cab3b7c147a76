"""A browser on one connection that is kept: sends cookies, follows nothing, and takes the time."""

import re
import time
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection, RemoteDisconnected
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from bench.installation import AGENT, PASSWORD

CSRF_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """An answer, and how long it took in seconds until its last byte was here."""

    status: int
    text: str
    seconds: float

    def find(self, pattern: str) -> str:
        """The first group of `pattern` in the page."""
        match = re.search(pattern, self.text)
        if match is None:
            raise RuntimeError(f"there is no {pattern} in the answer {self.status}: {self.text}")
        return unescape(match[1])


class Browser:
    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._cookies: dict[str, str] = {}
        self.csrf_token = ""

    def get(self, path: str) -> Answer:
        """Ask for a page."""
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """Send a form, with the token against forged ones."""
        body = urlencode(fields | {"csrf_token": self.csrf_token})
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def sign_in(self) -> None:
        """Sign the agent in through the form."""
        self.csrf_token = self.get("/login").find(CSRF_TOKEN.pattern)
        answer = self.post("/login", {"email": AGENT, "password": PASSWORD})
        if answer.status != 302:
            raise RuntimeError(f"signing in was answered with {answer.status}: {answer.text}")
        self.csrf_token = self.get("/orders").find(CSRF_TOKEN.pattern)

    def _ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {"Cookie": cookies, "Accept-Language": "en", **(headers or {})}
        try:
            started = time.perf_counter()
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
        except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server closes a connection that was idle while another page took its time.
            self._connection.close()
            started = time.perf_counter()
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
        page = response.read()
        seconds = time.perf_counter() - started
        for line in response.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(response.status, page.decode(), seconds)
