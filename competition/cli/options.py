"""What several commands share: options, each declared once, groups of commands, and what each opens first."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.errors import CompError

if TYPE_CHECKING:
    from competition.store.engine import Store

DirOption = Annotated[
    Path | None,
    typer.Option("--dir", help="The competition's folder, or one inside it.", show_default="here"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
AsOption = Annotated[
    str | None,
    typer.Option("--as", metavar="MEMBER", help="Who you are.", show_default="$COMP_MEMBER, else your login"),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Do it without the right to; it is recorded.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the configuration."),
]
FoldsOption = Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")]
FoldOption = Annotated[int | None, typer.Option("--fold", min=0, help="One fold.", show_default="all")]


def add_group(app: typer.Typer, name: str, *, help: str) -> typer.Typer:  # noqa: A002 - Typer calls it that
    """A command of `app` that has commands of its own, to add them to."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=help)
    app.add_typer(group, name=name)
    return group


def say_new_spelling(old: str, new: str) -> None:
    """Say on stderr that an old spelling is used, and the new one."""
    from competition.cli.show import output

    output.say(f"`{old}` is now `{new}`. The old spelling works in this version only.")


def parse_folds(text: str | None) -> tuple[int, ...] | None:
    """`0,2` as (0, 2).

    Raises:
        CompError: it is not a list of fold numbers.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise CompError(f"--folds {text!r} is not a list of fold numbers such as 0,1.")
    return tuple(int(part) for part in parts)


def acting_member(store: "Store", given: str | None) -> str:
    """Who is acting: --as, else COMP_MEMBER, else the login if that is a member's name.

    Raises:
        UnknownNameError: the name is no member's; the members are listed.
    """
    from competition.errors import UnknownNameError
    from competition.store import members

    named = given or os.environ.get("COMP_MEMBER")
    if named:
        return members.find(store, named).name
    known = [m.name for m in members.everyone(store)]
    login = getpass.getuser()
    if login in known:
        return login
    listed = f"Members: {', '.join(known)}" if known else "The team has no members yet: `comp assign MEMBER ROLE`"
    raise UnknownNameError(
        f"Your login {login!r} is not a member, and --as is missing.", hint=f"Give --as MEMBER. {listed}"
    )


def actor_name(given: str | None) -> str:
    """The name that goes into the history where no membership is needed."""
    return given or os.environ.get("COMP_MEMBER") or getpass.getuser()
