"""A systemd user unit that keeps a worker running: as text, and how to enable it."""

import hashlib
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

_UNIT = """\
[Unit]
Description=comp worker of {name}

[Service]
Type=exec
ExecStart={command}
# A stop asks the worker alone: it lets its jobs save, and ends whatever is left of them itself.
KillMode=mixed
TimeoutStopSec=90
# A job that is out of memory is a failed job; the worker goes on.
OOMPolicy=continue
# A worker that was killed comes back. One that has said what is wrong (exit code 1 or 2) waits for somebody to mend it.
Restart=on-failure
RestartPreventExitStatus=1 2
RestartSec=10

[Install]
WantedBy=default.target
"""


def unit(name: str, folder: Path, options: Sequence[str]) -> str:
    """The unit of a worker for the competition called `name` in `folder`, started with these options."""
    command = [sys.executable, "-m", "competition", "worker", "--dir", str(folder), *options]
    return _UNIT.format(name=_plain(name), command=" ".join(_quoted(word) for word in command))


def how_to_enable(name: str, folder: Path, options: Sequence[str]) -> str:
    """The commands that put the unit in place and start it, and those to look after it."""
    unit_name = unit_name_of(name, folder, options)
    place = f"~/.config/systemd/user/{unit_name}"
    return (
        "To install it, as yourself:\n"
        "  mkdir -p ~/.config/systemd/user\n"
        f"  comp worker --install-service {shlex.join(['--dir', str(folder), *options])} > {place}\n"
        "  systemctl --user daemon-reload\n"
        f"  systemctl --user enable --now {unit_name}\n"
        "  loginctl enable-linger            # it goes on when you log out, and starts with the machine\n"
        f"Then `systemctl --user status {unit_name}`, `journalctl --user -fu {unit_name}`, `comp status --watch`."
    )


def unit_name_of(name: str, folder: Path, options: Sequence[str]) -> str:
    """`comp-camvid-1f0c2a.service`: the digits tell other folders and other workers of one competition apart.

    What systemd takes in no name becomes a hyphen.
    """
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.") or "worker"
    digits = hashlib.sha256("\0".join([str(folder), *options]).encode()).hexdigest()[:6]
    return f"comp-{plain}-{digits}.service"


def _plain(text: str) -> str:
    """Text for people: `%` would start a specifier, and a backslash at the end another line."""
    return text.replace("%", "%%").replace("\\", "/").replace("\n", " ")


def _quoted(word: str) -> str:
    """A word of ExecStart: `$` and `%` stand for themselves when doubled (systemd.service(5), COMMAND LINES)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w@%+=:,./-]+", escaped) else f'"{escaped}"'
