import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest

from competition.errors import CompError
from competition.report.server import LivePage, PageServer
from competition.store import ideas
from competition.store.engine import Store
from tests.report.planting import SETTINGS


@contextmanager
def serving(store: Store, host: str = "127.0.0.1") -> Iterator[PageServer]:
    with PageServer(LivePage(store, SETTINGS), host, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: PageServer, path: str = "/", *, method: str = "GET", host: str | None = None
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, headers={"Host": f"127.0.0.1:{server.server_port}" if host is None else host})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply, text


def test_the_page_is_made_anew_when_the_database_has_changed(store: Store) -> None:
    with serving(store) as server:
        first, text = ask(server)
        assert (first.status, first.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "No experiment yet" in text
        tag = first.headers["ETag"]
        assert f"data-version={tag}" in text
        same, body = ask(server, method="HEAD")
        assert (same.headers["ETag"], body) == (tag, "")
        ideas.add(store, "lovasz loss", source=None, member_id=1, member="ann")
        changed, text = ask(server)
        assert changed.headers["ETag"] != tag
        assert "lovasz loss" in text


def test_there_is_nothing_else_and_nothing_to_write(store: Store) -> None:
    with serving(store) as server:
        assert ask(server, "/comp.db")[0].status == 404
        assert ask(server, "/../competition.yaml")[0].status == 404
        for method in ("POST", "PUT", "DELETE"):
            assert ask(server, method=method)[0].status == 501


def test_another_origin_cannot_read_it_by_pointing_its_name_here(store: Store) -> None:
    with serving(store) as server:
        assert ask(server, host="localhost:1")[0].status == 200
        assert ask(server, host="[::1]:1")[0].status == 200
        assert ask(server, host="evil.example")[0].status == 403
        assert ask(server, host="")[0].status == 403


def test_beyond_this_machine_it_takes_the_token(store: Store) -> None:
    with serving(store, "0.0.0.0") as server:  # which holds this machine's own addresses too
        assert server.token is not None
        assert server.url == f"http://0.0.0.0:{server.server_port}/?token={server.token}"
        assert ask(server, f"/?token={server.token}", host="team.example")[0].status == 200
        for path in ("/", "/?token=", "/?token=%ED%95%9C", f"/?token={server.token}x"):
            assert ask(server, path)[0].status == 403
    with serving(store) as server:
        assert server.token is None
        assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_a_port_in_use_is_an_error_that_says_so(store: Store) -> None:
    with serving(store) as server, pytest.raises(CompError, match=f"127.0.0.1:{server.server_port}"):
        PageServer(LivePage(store, SETTINGS), "127.0.0.1", server.server_port)
