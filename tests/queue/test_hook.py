"""Real commands and a real server on the loopback address."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from competition.queue import hook
from competition.queue.hook import HookError, Messenger, Notice, NoticeKind, call
from tests.queue.making import group_of, wait_for

NOTICE = Notice(NoticeKind.BEST, "shapes: the new best is e1: 43.12.", {"experiment": "e1", "score": 0.4312})


def script(folder: Path, text: str, name: str = "hook.sh") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"./{name}"


def deliver(target: str, folder: Path, notice: Notice = NOTICE, timeout_s: float = 5.0) -> None:
    call(target, notice, folder=folder, timeout_s=timeout_s)


def test_a_command_gets_the_message_and_runs_in_the_competitions_folder(tmp_path: Path) -> None:
    deliver(script(tmp_path, 'cat > got.json; echo "$COMP_EVENT|$COMP_EXPERIMENT|$COMP_TEXT|$1" > env.txt'), tmp_path)
    told = json.loads((tmp_path / "got.json").read_text())
    assert told == {"text": NOTICE.text, "event": "best", "experiment": "e1", "score": 0.4312}
    assert (tmp_path / "env.txt").read_text() == f"best|e1|{NOTICE.text}|\n"


def test_a_command_takes_arguments_and_no_shell_reads_them_or_a_name(tmp_path: Path) -> None:
    evil = "$(touch hacked); `touch hacked` 'x' \"y\" && touch hacked\n| touch hacked"
    notice = Notice(NoticeKind.FAILED, evil, {"experiment": evil})
    hook = script(tmp_path, 'echo "$1|$2" > args.txt; cat > got.json')
    deliver(f"{hook} 'two words' '$(touch hacked)'", tmp_path, notice)
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
    with pytest.raises(HookError, match=says) as caught:
        deliver(target, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    hangs = script(tmp_path, "echo $$ > pid.txt; sleep 60 & sleep 60")
    started = time.monotonic()
    with pytest.raises(HookError, match=r"took longer than 0\.3 s and was ended"):
        deliver(hangs, tmp_path, timeout_s=0.3)
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
        deliver(address, tmp_path)
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
    with server.running() as address, pytest.raises(HookError, match=says) as caught:
        deliver(address, tmp_path)
    assert "secret" not in str(caught.value)
    assert len(server.got) == 1, "once, and nowhere else"


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    server = Server(late_s=2.0)
    with server.running() as address, pytest.raises(HookError, match="timed out"):
        deliver(address, tmp_path, timeout_s=0.2)


def numbered(number: int) -> Notice:
    return Notice(NoticeKind.FINISHED, f"message {number}")


def test_sending_never_waits_and_messages_arrive_in_order(tmp_path: Path) -> None:
    slow = script(tmp_path, 'sleep 0.1; echo "$COMP_TEXT" >> got.txt')
    said: list[str] = []
    messenger = Messenger(slow, tmp_path, on_trouble=said.append, timeout_s=5.0)
    started = time.monotonic()
    for number in range(5):
        messenger.send(numbered(number))
    assert time.monotonic() - started < 0.1
    messenger.close()
    assert (tmp_path / "got.txt").read_text().splitlines() == [f"message {n}" for n in range(5)]
    assert said == []


def test_trouble_is_said_once_until_the_hook_has_worked_again_and_nothing_is_tried_twice(tmp_path: Path) -> None:
    flaky = script(tmp_path, 'echo "$COMP_TEXT" >> got.txt; test "$COMP_TEXT" = "message 2"')
    said: list[str] = []
    messenger = Messenger(flaky, tmp_path, on_trouble=said.append, timeout_s=5.0)
    for number in range(5):
        messenger.send(numbered(number))
    messenger.close()
    assert len(said) == 2, "for message 0, and again for message 3"
    assert (tmp_path / "got.txt").read_text().splitlines() == [f"message {n}" for n in range(5)]


def test_a_hook_that_hangs_holds_up_the_end_for_one_timeout_at_most(tmp_path: Path) -> None:
    hangs = script(tmp_path, 'echo "$COMP_TEXT" >> got.txt; sleep 60')
    said: list[str] = []
    messenger = Messenger(hangs, tmp_path, on_trouble=said.append, timeout_s=0.4)
    for number in range(200):
        messenger.send(numbered(number))
    started = time.monotonic()
    messenger.close()
    assert time.monotonic() - started < 2.0
    assert len(said) == 1
    assert 1 <= len((tmp_path / "got.txt").read_text().splitlines()) <= 3


def test_whatever_goes_wrong_later_messages_are_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_trouble: str) -> None:
        raise BrokenPipeError

    def sometimes(_target: str, notice: Notice, **_: object) -> None:
        if notice.text == "first":
            raise UnicodeError("surrogates not allowed")
        delivered.append(notice.text)

    delivered: list[str] = []
    monkeypatch.setattr(hook, "call", sometimes)
    messenger = Messenger("./hook", tmp_path, on_trouble=fail, timeout_s=5)
    for text in ("first", "second"):
        messenger.send(Notice(NoticeKind.FAILED, text))
    messenger.close()
    messenger.send(Notice(NoticeKind.FAILED, "after the end"))
    assert delivered == ["second"]


def test_who_sends_nothing_waits_for_nothing(tmp_path: Path) -> None:
    Messenger("./nowhere", tmp_path, on_trouble=pytest.fail, timeout_s=5.0).close()
