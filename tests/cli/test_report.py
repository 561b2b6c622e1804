import signal
import subprocess
import sys
from pathlib import Path
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


def test_serve_shows_it_until_it_is_interrupted(ready: Path) -> None:
    command = [sys.executable, "-m", "competition", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ready) as serving:
        try:
            assert serving.stdout is not None
            url = serving.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            with urlopen(url, timeout=20) as reply:
                assert "No experiment yet" in reply.read().decode()
        finally:
            serving.send_signal(signal.SIGINT)
        assert serving.wait(timeout=20) == 0
    assert not Paths(ready).report_page.exists()
