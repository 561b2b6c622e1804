import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from competition.errors import CompError
from competition.report.server import LivePage, PageServer
from competition.store import ideas
from competition.store.engine import Store
from tests.conftest import Comp
from tests.report.planting import SETTINGS


@contextmanager
def serving(store: Store, host: str = "127.0.0.1") -> Iterator[PageServer]:
    server = PageServer(LivePage(store, SETTINGS), host, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def ask(
    server: PageServer, path: str = "/", *, method: str = "GET", host: str | None = None, at: str = "127.0.0.1"
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection(at, server.port, timeout=20)
    connection.request(method, path, headers={"Host": f"127.0.0.1:{server.port}" if host is None else host})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply, text


def test_the_page_is_rendered_again_when_the_database_has_changed(store: Store) -> None:
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


def test_no_answer_may_be_kept_framed_or_sent_on(store: Store) -> None:
    with serving(store) as server:
        headers = ask(server)[0].headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert "Server" not in headers


def test_there_is_nothing_else_and_nothing_to_write(store: Store) -> None:
    with serving(store) as server:
        assert ask(server, "/comp.db")[0].status == 404
        assert ask(server, "/../competition.yaml")[0].status == 404
        for method in ("POST", "PUT", "DELETE"):
            assert ask(server, method=method)[0].status == 405


def test_another_origin_cannot_read_it_by_pointing_its_name_here(store: Store) -> None:
    with serving(store) as server:
        assert ask(server, host="localhost:1")[0].status == 200
        assert ask(server, host="[::1]:1")[0].status == 200
        assert ask(server, host="evil.example")[0].status == 403
        assert ask(server, host="")[0].status == 403


def test_malformed_hosts_and_reset_connections_print_nothing_and_stop_nothing(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(store) as server:
        assert ask(server, host="[")[0].status in (400, 403)
        for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01 no HTTP\r\n\r\n"):
            caller = socket.create_connection(("127.0.0.1", server.port))
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends a reset
            caller.sendall(sent)
            caller.close()
        assert ask(server)[0].status == 200
    assert capfd.readouterr() == ("", "")


def test_a_damaged_database_is_an_answer_that_says_so(store: Store) -> None:
    with serving(store) as server:
        assert ask(server)[0].status == 200
        for file in (store.paths.database_log, store.paths.database):
            file.unlink(missing_ok=True)
        store.paths.database.write_bytes(b"no database at all" * 1000)
        reply, text = ask(server)
    assert reply.status == 503
    assert str(store.paths.database) in text


def test_beyond_this_machine_it_takes_the_token(store: Store) -> None:
    with serving(store, "0.0.0.0") as server:  # which holds this machine's own addresses too
        assert server.token is not None
        assert server.url.endswith(f":{server.port}/?token={server.token}")
        assert ask(server, f"/?token={server.token}", host="team.example")[0].status == 200
        for path in ("/", "/?token=", "/?token=%ED%95%9C", f"/?token={server.token}x", "/comp.db"):
            assert ask(server, path)[0].status == 403
    with serving(store) as server:
        assert server.token is None
        assert server.url == f"http://127.0.0.1:{server.port}/"


def test_the_url_can_be_opened_if_it_listens_on_all_interfaces(store: Store) -> None:
    with serving(store, "0.0.0.0") as server:
        host = server.url.removeprefix("http://").partition(":")[0]
        assert host != "0.0.0.0"
        assert ask(server, f"/?token={server.token}", at=host)[0].status == 200


def test_an_address_of_ipv6_stands_in_brackets(store: Store) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"there is no IPv6 here: {error}")
    with serving(store, "::1") as server:
        assert server.url == f"http://[::1]:{server.port}/"
        assert ask(server, host=f"[::1]:{server.port}", at="::1")[0].status == 200


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid", "x" * 300])
def test_an_address_that_is_not_this_machines_is_an_error_that_names_it(store: Store, host: str) -> None:
    with pytest.raises(CompError, match=f"Cannot serve on {host}:0"):
        PageServer(LivePage(store, SETTINGS), host, 0)


def test_a_port_in_use_is_an_error_that_says_so(store: Store) -> None:
    with serving(store) as server, pytest.raises(CompError, match=f"127.0.0.1:{server.port}"):
        PageServer(LivePage(store, SETTINGS), "127.0.0.1", server.port)


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_its_packages_one_message_names_the_extra(
    package: str, comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # as the import system has it: "there is no such package"
    monkeypatch.delitem(sys.modules, "competition.report.server")
    said = comp.error("serve")
    assert f"`comp serve` needs the package {package}" in said
    assert "pip install 'competition[serve]'" in said
