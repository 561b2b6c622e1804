"""The team of an opened competition: its roles, its ideas, and its notes about experiments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from competition.errors import CompError
from competition.names import check_name
from competition.store import experiments, ideas, members
from competition.store.experiments import Experiment
from competition.store.ideas import Idea
from competition.store.members import Member
from competition.team.roles import parse_role

if TYPE_CHECKING:
    from competition.api.opened import Competition


def assign(opened: "Competition", name: str, roles: Sequence[str], *, actor: str) -> Member:
    """Give a person roles; a new name becomes a member.

    Raises:
        CompError: there is no such role, or the name cannot be used.
    """
    check_name("a member", name, is_file=False)
    if not roles:
        raise CompError(f"No role is given for {name}.", hint=f"`comp assign {name} training`, or --list.")
    names = [role for part in roles for role in part.split(",") if role.strip()]
    return members.assign(opened.store, name.strip(), [parse_role(role) for role in names], actor=actor)


def remove_role(opened: "Competition", name: str, role: str, *, actor: str) -> Member:
    """Take a role from a member.

    Raises:
        CompError: there is no such member or role, or the member does not hold it.
    """
    check_name("a member", name, is_file=False)
    return members.remove_role(opened.store, name, parse_role(role), actor=actor)


def add_note(opened: "Competition", name: str, text: str, *, member: str) -> Experiment:
    """Add a line to the notes of an experiment.

    Raises:
        CompError: there is no such experiment, or the text is empty.
    """
    experiment = opened.experiment(name)
    if not text.strip():
        raise CompError("The note is empty.", hint=f"`comp note {name} TEXT`")
    experiments.add_note(opened.store, experiment, text.strip(), actor=member)
    return opened.experiment(name)


def add_idea(opened: "Competition", text: str, *, member: str, source: str | None = None) -> Idea:
    """Write down an idea.

    Args:
        source: where it comes from, such as a URL.

    Raises:
        CompError: the text is empty.
    """
    line = " ".join(text.split())
    if not line:
        raise CompError("The idea is empty.", hint="`comp idea add TEXT`")
    person = members.find(opened.store, member)
    return ideas.add(opened.store, line, source=source, member_id=person.id, member=person.name)
