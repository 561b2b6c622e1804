import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import urlopen

import pytest

from competition.paths import Paths
from tests.conftest import Comp
from tests.report.parsing import read


def test_report_writes_the_page_and_says_where(comp: Comp, ready: Path) -> None:
    ran = comp("report")
    assert (ran.code, ran.out) == (0, "")
    page = Paths(ready).report_page
    assert str(page) in ran.err.replace("\n", "")
    assert "No experiment yet" in read(page).text


def test_report_draws_the_pictures_that_no_worker_came_to(comp: Comp, predicted: Path) -> None:
    gallery = Paths(predicted).gallery("b1")
    assert not gallery.exists()
    assert "gallery.png" in comp("report").err
    assert gallery.is_file()
    assert "data:image" in Paths(predicted).report_page.read_text(encoding="utf-8")
    assert "gallery.png" not in comp("report").err


def test_pictures_that_cannot_be_drawn_stop_no_report(comp: Comp, predicted: Path) -> None:
    Paths(predicted).job("b1", 1).oof.unlink()
    ran = comp("report")
    said = " ".join(ran.err.split())
    assert ran.code == 0
    assert "The pictures of b1 could not be drawn" in said
    assert "comp retry b1 --folds 1 --finished-too" in said
    assert Paths(predicted).report_page.is_file()


def test_open_hands_the_page_to_the_browser(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = ready / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    subprocess.run([sys.executable, "-m", "competition", "report", "--open"], check=True, cwd=ready)
    assert (ready / "opened").read_text().strip() == Paths(ready).report_page.as_uri()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], SplitResult]]:
    """`comp serve` in a process of its own, and the URL that it printed."""
    command = [sys.executable, "-m", "competition", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            assert process.stdout is not None
            yield process, urlsplit(process.stdout.readline().strip())
        finally:
            process.kill()


def test_serve_shows_it_until_it_is_interrupted(ready: Path) -> None:
    with serving(ready) as (process, url):
        assert (url.scheme, url.hostname, url.query) == ("http", "127.0.0.1", "")
        with urlopen(url.geturl(), timeout=20) as reply:
            assert "No experiment yet" in reply.read().decode()
        with socket.create_connection((url.hostname, url.port)):  # a browser's, which stays open and says nothing
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "Ctrl-C ends it.\n")
    assert not Paths(ready).report_page.exists()


def test_serve_on_all_interfaces_prints_a_url_that_opens(ready: Path) -> None:
    with serving(ready, "--host", "0.0.0.0") as (process, url):
        assert url.hostname != "0.0.0.0"
        with urlopen(url.geturl(), timeout=20) as reply:
            assert "No experiment yet" in reply.read().decode()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "listens on every network interface" in " ".join(err.split())
