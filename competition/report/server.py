"""The team's page over HTTP: one address, GET and HEAD, made anew when something has changed."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from competition.config.settings import Settings
from competition.errors import CompError
from competition.paths import Paths
from competition.report.overview import overview
from competition.store.engine import Store

IDLE_S = 30.0
"""A connection that says nothing for so long is closed."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LivePage:
    """The page of this moment; made anew only when the database or what stands on the page beside it has changed."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._lock = threading.Lock()
        self._stamp: object = None
        self._made = (b"", "")

    def now(self) -> tuple[bytes, str]:
        """The page, and a tag that changes when the page does."""
        with self._lock:
            stamp = sorted(_stamps(self._store.paths))
            if stamp != self._stamp:
                html = overview(self._store, self._settings, live=True)
                tag = hashlib.sha256(html.encode()).hexdigest()[:16]
                self._made = html.replace('data-version=""', f'data-version="{tag}"', 1).encode(), tag
                self._stamp = stamp
            return self._made


class PageServer(ThreadingHTTPServer):
    """Serves a page. Bound to other machines' reach, it answers only those who know the token in its address."""

    daemon_threads = True

    def __init__(self, page: LivePage, host: str, port: int) -> None:
        """Bind to the address; port 0 takes a free one.

        Raises:
            CompError: the address cannot be bound to.
        """
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise CompError(
                f"Cannot serve on {host}:{port}: {error}.", hint="Give another --port, or --host."
            ) from error
        self.page = page
        self.token = None if _is_loopback(host) else secrets.token_urlsafe(16)
        self._host = host

    @property
    def url(self) -> str:
        """Where the page is."""
        address = f"http://{self._host}:{self.server_port}/"
        return f"{address}?token={self.token}" if self.token else address

    def admits(self, path: str, host: str) -> bool:
        """Whether a request may see the page.

        On this machine alone, its Host must name this machine, so that no page of another origin can read it by
        pointing its own name here.
        """
        if self.token is None:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or _is_loopback(name)
        given = parse_qs(urlsplit(path).query).get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self.token.encode())


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = IDLE_S
    server_version, sys_version = "comp", ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing: the terminal is the user's, and the address holds the token."""

    def _answer(self, *, with_body: bool) -> None:
        if not self.server.admits(self.path, self.headers.get("Host", "")):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        if urlsplit(self.path).path != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            body, tag = self.server.page.now()
        except CompError as error:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain=str(error))
            return
        self.send_response(HTTPStatus.OK)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("ETag", f'"{tag}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _stamps(paths: Paths) -> Iterator[tuple[str, int, int]]:
    """What changes when the page should: every experiment's progress goes through the database."""
    for path in (paths.database, paths.database_log, paths.eda_summary, *_ensemble_files(paths)):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        yield str(path), found.st_mtime_ns, found.st_size


def _ensemble_files(paths: Paths) -> list[Path]:
    folders = paths.ensembles.iterdir() if paths.ensembles.is_dir() else ()
    return [paths.ensemble(folder.name).explanation for folder in folders]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
