"""Every error that a user can cause: what is wrong, its exit code, and the command that fixes it."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches


class CompError(Exception):
    """Something that the user can fix; shown as one message, never as a traceback.

    Args:
        message: names the value and why it is wrong.
        hint: the next thing to do, usually a command.
    """

    exit_code = 1
    parts: tuple["CompError", ...] = ()
    """The single problems, if this error reports several."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[CompError], message: str, hint: str | None) -> CompError:
    return kind(message, hint=hint)


class ConfigError(CompError):
    """competition.yaml, baseline.yaml or an override does not describe a valid configuration."""


class DataError(CompError):
    """Images, masks, lists of images or results are missing, damaged or wrong."""


class StoreError(CompError):
    """The database cannot be opened, or is not this version's."""


class StoreBusyError(StoreError):
    """The database is busy; nothing was changed, and another try may succeed."""


class RefusedError(CompError):
    """A rule of the competition forbids the request."""


class UnknownNameError(CompError):
    """A member, role, experiment, ensemble or fold that does not exist."""

    @classmethod
    def among(cls, noun: str, name: str, known: Iterable[str], *, hint: str | None = None) -> "UnknownNameError":
        """An error for `name` that lists the known names and suggests the nearest."""
        return cls(f"There is no {noun} {name!r}.{did_you_mean(name, known)}", hint=hint or _listing(noun, known))


class MissingExtraError(CompError):
    """A package that only some commands need is not installed."""

    @classmethod
    def of(cls, what: str, *, package: str | None, extra: str) -> "MissingExtraError":
        """An error for `what`, which needs `package`; comp's `extra` installs it."""
        return cls(
            f"{what} needs the package {package}, which is not installed.", hint=f"pip install 'competition[{extra}]'"
        )


_FIRST = {"experiment": ": `comp run` runs the baseline", "ensemble": ": `comp ensemble` blends experiments"}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest of the known names, or an empty string."""
    near = get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def all_problems(heading: str, problems: list[str], *, most: int = 20) -> str:
    """One message for many problems: a heading with their number, then a line each (at most `most`)."""
    noun = "problem" if len(problems) == 1 else "problems"
    lines = [f"{heading}: {len(problems)} {noun}", *(f"  {p}" for p in problems[:most])]
    if len(problems) > most:
        lines.append(f"  … and {len(problems) - most} more")
    return "\n".join(lines)


def _listing(noun: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if not names:
        return f"There is no {noun} yet{_FIRST.get(noun, '')}."
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Known: {shown}"


def together(problems: Sequence[CompError]) -> CompError:
    """One error for all of the problems (at least one), each with its hint; a single problem stays as it is."""
    parts = tuple(part for problem in problems for part in problem.parts or (problem,))
    if len(parts) == 1:
        return parts[0]
    numbered = (textwrap.indent(str(part), "   ").strip() for part in parts)
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(numbered, start=1))
    error = RefusedError(f"{len(parts)} problems:\n{listed}")
    error.parts = parts
    return error


def retry_hint(experiment: str = "EXPERIMENT", fold: int | str = "K") -> str:
    """The command that writes the files of a fold again."""
    return f"`comp retry {experiment} --folds {fold} --finished-too` runs the job that writes it again."


@contextmanager
def with_retry_hint(experiment: str, fold: int) -> Iterator[None]:
    """Name the experiment and the fold in the hint of any DataError about a fold's file."""
    try:
        yield
    except DataError as error:
        raise DataError(error.message, hint=retry_hint(experiment, fold)) from error
