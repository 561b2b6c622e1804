import time
from pathlib import Path

import pytest

from competition.notify.delivery import Notice, NoticeKind
from competition.notify.messenger import Messenger
from tests.notify.test_delivery import NOTICE, script


@pytest.mark.parametrize("url", ["nosuchservice://abcdefgh/token", "slack://abcdefgh", "discord://"])
def test_a_url_that_apprise_cannot_read_is_reported_at_once_and_once(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reported: list[str] = []
    messenger = Messenger(url, tmp_path, on_trouble=reported.append, timeout_s=5.0)
    messenger.check()
    assert len(reported) == 1
    assert f"apprise cannot read the {url.partition('://')[0]}:// URL" in reported[0]
    messenger.send(NOTICE)
    messenger.close()
    assert len(reported) == 1
    seen = reported[0] + "".join(capfd.readouterr())
    assert "abcdefgh" not in seen
    assert "token" not in seen


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


def test_whatever_goes_wrong_later_messages_are_delivered(tmp_path: Path) -> None:
    def fail(_trouble: str) -> None:
        raise BrokenPipeError

    works = script(tmp_path, 'echo "$COMP_TEXT" >> got.txt')
    messenger = Messenger(works, tmp_path, on_trouble=fail, timeout_s=5)
    for text in ("first \ud800, which no environment holds", "second"):
        messenger.send(Notice(NoticeKind.FAILED, text))
    messenger.close()
    messenger.send(Notice(NoticeKind.FAILED, "after the end"))
    assert (tmp_path / "got.txt").read_text() == "second\n"


def test_who_sends_nothing_waits_for_nothing(tmp_path: Path) -> None:
    Messenger("./nowhere", tmp_path, on_trouble=pytest.fail, timeout_s=5.0).close()
