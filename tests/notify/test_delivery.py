"""Real commands and a real server on the loopback address."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from competition.notify.delivery import DeliveryError, Notice, NoticeKind, check, deliver
from tests.queue.making import group_of, wait_for

NOTICE = Notice(NoticeKind.BEST, "shapes: the new best is e1: 43.12.", {"experiment": "e1", "score": 0.4312})


def script(folder: Path, text: str, name: str = "hook.sh") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"./{name}"


def send(target: str, folder: Path, notice: Notice = NOTICE, timeout_s: float = 5.0) -> None:
    deliver(target, notice, folder=folder, timeout_s=timeout_s)


def test_a_command_gets_the_message_and_runs_in_the_competitions_folder(tmp_path: Path) -> None:
    send(script(tmp_path, 'cat > got.json; echo "$COMP_EVENT|$COMP_EXPERIMENT|$COMP_TEXT|$1" > env.txt'), tmp_path)
    told = json.loads((tmp_path / "got.json").read_text())
    assert told == {"text": NOTICE.text, "event": "best", "experiment": "e1", "score": 0.4312}
    assert (tmp_path / "env.txt").read_text() == f"best|e1|{NOTICE.text}|\n"


def test_a_command_takes_arguments_and_no_shell_reads_them_or_a_name(tmp_path: Path) -> None:
    evil = "$(touch hacked); `touch hacked` 'x' \"y\" && touch hacked\n| touch hacked"
    notice = Notice(NoticeKind.FAILED, evil, {"experiment": evil})
    hook = script(tmp_path, 'echo "$1|$2" > args.txt; cat > got.json')
    send(f"{hook} 'two words' '$(touch hacked)'", tmp_path, notice)
    assert (tmp_path / "args.txt").read_text() == "two words|$(touch hacked)\n"
    assert json.loads((tmp_path / "got.json").read_text())["experiment"] == evil
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("./nowhere.sh", "./nowhere.sh cannot be started: No such file"),
        ("./plain.txt", "./plain.txt cannot be started: Permission denied"),
        ("./hook.sh", "./hook.sh ended with exit code 7: no such channel"),
        ("http://127.0.0.1:9/T0/secret", "127.0.0.1:9 did not take it: .*refused"),
    ],
)
def test_what_is_wrong_with_a_hook_is_said_without_its_secrets(target: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("no program")
    script(tmp_path, "echo trying; echo no such channel >&2; exit 7")
    with pytest.raises(DeliveryError, match=says) as caught:
        send(target, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    hangs = script(tmp_path, "echo $$ > pid.txt; sleep 60 & sleep 60")
    started = time.monotonic()
    with pytest.raises(DeliveryError, match=r"took longer than 0\.3 s and was ended"):
        send(hangs, tmp_path, timeout_s=0.3)
    assert time.monotonic() - started < 5
    group = int((tmp_path / "pid.txt").read_text())
    wait_for(lambda: not group_of(group))


class Server:
    """Notes what is posted; answers with a status, late if asked to."""

    def __init__(self, status: int = 200, *, late_s: float = 0.0) -> None:
        self.got: list[tuple[str, str | None, dict[str, object]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
                time.sleep(late_s)
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()

            def do_GET(self) -> None:
                outer.got.append((self.path, None, {}))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook/secret"

    @contextmanager
    def running(self) -> Iterator[str]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self.address
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def test_a_web_address_gets_json_that_chats_understand(tmp_path: Path) -> None:
    server = Server()
    with server.running() as address:
        send(address, tmp_path)
    path, kind, told = server.got[0]
    assert (path, kind) == ("/hook/secret", "application/json; charset=utf-8")
    assert told["text"] == NOTICE.text
    assert told["event"] == "best"
    assert len(server.got) == 1


@pytest.mark.parametrize(("status", "says"), [(404, "answers 404"), (500, "answers 500"), (302, "answers 302")])
def test_an_answer_other_than_success_is_trouble_and_a_redirect_is_not_followed(
    status: int, says: str, tmp_path: Path
) -> None:
    server = Server(status)
    with server.running() as address, pytest.raises(DeliveryError, match=says) as caught:
        send(address, tmp_path)
    assert "secret" not in str(caught.value)
    assert len(server.got) == 1, "once, and nowhere else"


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    server = Server(late_s=2.0)
    with server.running() as address, pytest.raises(DeliveryError, match="timed out"):
        send(address, tmp_path, timeout_s=0.2)


def test_a_url_of_apprise_gets_title_and_text_once(tmp_path: Path) -> None:
    server = Server()
    with server.running() as address:
        send(address.replace("http://", "json://"), tmp_path)
    path, _, posted = server.got[0]
    assert path == "/hook/secret"
    assert (posted["title"], posted["message"], posted["type"]) == ("comp: best e1", NOTICE.text, "success")
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("kind", "shown"),
    [(NoticeKind.FINISHED, "success"), (NoticeKind.FAILED, "failure"), (NoticeKind.STOPPED, "warning")],
)
def test_apprise_is_told_the_kind_of_message(kind: NoticeKind, shown: str, tmp_path: Path) -> None:
    server = Server()
    with server.running() as address:
        send(address.replace("http://", "json://"), tmp_path, Notice(kind, "a text"))
    assert (server.got[0][2]["type"], server.got[0][2]["title"]) == (shown, f"comp: {kind}")


@pytest.mark.parametrize("status", [404, 500, 302])
def test_apprise_does_not_get_through_and_no_part_of_its_url_is_shown(
    status: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = Server(status)
    with server.running() as address, pytest.raises(DeliveryError, match=f"JSON did not take it: .*{status}") as caught:
        url = address.replace("http://", "json://token%2Done:password2@") + "?+X-Key=header3&-key=value4"
        send(url, tmp_path)
    assert len(server.got) == 1, "once, and nowhere else"
    seen = str(caught.value) + "".join(capfd.readouterr())
    assert not [secret for secret in ("secret", "token", "password2", "header3", "value4") if secret in seen]


def test_apprise_is_given_up_in_time(tmp_path: Path) -> None:
    server = Server(late_s=3.0)
    with server.running() as address:
        started = time.monotonic()
        with pytest.raises(DeliveryError, match="JSON did not take it"):
            send(address.replace("http://", "json://"), tmp_path, timeout_s=0.5)
        assert time.monotonic() - started < 2.0


def test_commands_and_web_addresses_need_no_apprise_and_everything_else_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as the import system has it: "there is no such package"
    server = Server()
    with server.running() as address:
        send(address, tmp_path)
    send(script(tmp_path, "cat > got.json"), tmp_path)
    with pytest.raises(DeliveryError, match="mailto:// needs the package apprise, which is not installed") as caught:
        check("mailto://me:secret@example.org")
    assert "pip install 'competition[notify]'" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_only_urls_of_apprise_are_checked() -> None:
    check("./nowhere.sh")
    check("https://nowhere.invalid/x")
