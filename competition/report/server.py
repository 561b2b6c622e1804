"""The team's page over HTTP: one address, GET and HEAD, rendered again when something has changed.

Needs the extra `serve` (starlette and uvicorn); importing this module without it raises MissingExtraError.
"""

import hashlib
import secrets
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from competition.config.settings import Settings
from competition.errors import CompError, MissingExtraError
from competition.paths import Paths
from competition.report.overview import overview
from competition.store.engine import Store

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.routing import Route
except ModuleNotFoundError as error:
    raise MissingExtraError.of("`comp serve`", package=error.name, extra="serve") from error

KEEP_ALIVE_S = 30
"""An open connection without a request is closed after this time."""
LAST_ANSWERS_S = 5
"""How long a request that is being answered may hold up the end."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LivePage:
    """The page as it is now; rendered again only when the database, or a file that it shows, has changed."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._lock = threading.Lock()
        self._stamps: object = None
        self._rendered = (b"", "")

    def now(self) -> tuple[bytes, str]:
        """The page in UTF-8, and a tag that changes when the page does.

        Raises:
            CompError: the database or a file that the page shows cannot be read.
        """
        with self._lock:  # requests come from several threads, and rendering takes a second
            stamps = sorted(_stamps(self._store.paths))
            if stamps != self._stamps:
                html = overview(self._store, self._settings, live=True)
                tag = hashlib.sha256(html.encode()).hexdigest()[:16]
                self._rendered = html.replace('data-version=""', f'data-version="{tag}"', 1).encode(), tag
                self._stamps = stamps
            return self._rendered


class PageServer:
    """Serves a page on one address. If other machines can reach it, it asks for the token in its URL."""

    def __init__(self, page: LivePage, host: str, port: int) -> None:
        """Bind to the address; port 0 takes a free one.

        Raises:
            CompError: the address is not one of this machine's, or the port is taken.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family)
        except (OSError, OverflowError, UnicodeError) as error:
            raise CompError(
                f"Cannot serve on {host}:{port}: {error}.", hint="Give another --port, or --host."
            ) from error
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self.token = None if _is_loopback(host) else secrets.token_urlsafe(16)
        self._page = page
        self._server = uvicorn.Server(
            uvicorn.Config(
                # Only GET (with HEAD) is answered; every path is checked for the token before it is "not found".
                Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET"])]),
                lifespan="off",
                ws="none",
                http="h11",
                # No request is logged: the terminal is the user's, and the address holds the token. Bugs are shown.
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=LAST_ANSWERS_S,
            )
        )

    @property
    def is_everywhere(self) -> bool:
        """Whether it listens on every network interface of this machine."""
        return self.host in ("0.0.0.0", "::")

    @property
    def url(self) -> str:
        """A URL that a browser can open, the token included."""
        host = _own_address(self._socket.family) if self.is_everywhere else self.host
        url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        return f"{url}?token={self.token}" if self.token else url

    def run(self) -> None:
        """Answer requests until Ctrl-C, or until `stop`."""
        try:
            self._server.run(sockets=[self._socket])
        except KeyboardInterrupt:  # uvicorn sends itself the signal again when it has closed everything
            return
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`, which goes on in another thread."""
        self._server.should_exit = True

    def _answer(self, request: Request) -> Response:
        if not self._admits(request):
            return PlainTextResponse("Forbidden: open the address that `comp serve` printed.\n", 403)
        if request.url.path != "/":
            return PlainTextResponse("Not found: there is one page, at /.\n", 404)
        try:
            body, tag = self._page.now()
        except CompError as error:
            return PlainTextResponse(f"{error}\n", 503)
        return HTMLResponse(body, headers={**_HEADERS, "ETag": f'"{tag}"'})

    def _admits(self, request: Request) -> bool:
        if self.token is not None:
            given = request.query_params.get("token", "")
            return secrets.compare_digest(given.encode(), self.token.encode())
        # Without a token, the Host must name this machine: else a page of another origin could point a name of its own
        # at 127.0.0.1 and read ours through the user's browser (DNS rebinding).
        return _is_loopback(_host_name(request.headers.get("Host", "")))


def _stamps(paths: Paths) -> Iterator[tuple[str, int, int]]:
    """Path, time and size of each file that the page shows; jobs in progress show in the database."""
    for path in (paths.database, paths.database_log, paths.eda_summary, *_explanations(paths)):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        yield str(path), status.st_mtime_ns, status.st_size


def _explanations(paths: Paths) -> list[Path]:
    folders = paths.ensembles.iterdir() if paths.ensembles.is_dir() else ()
    return [paths.ensemble(folder.name).explanation for folder in folders]


def _host_name(header: str) -> str:
    """The host of a Host header without its port; empty if it is malformed."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _own_address(family: int) -> str:
    """The address of this machine that others reach it by; its name if it is in no network."""
    elsewhere = (
        "2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1"
    )  # reserved for documentation: RFC 3849, 5737
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))  # UDP: chooses the interface, sends nothing
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
