from dataclasses import replace

import pytest

from competition.errors import RefusedError, UnknownNameError
from competition.team import Right, Role, TeamState, check_right, next_step, parse_role

START = TeamState(
    split=False,
    baseline_run=False,
    vacant=(),
    untried=(),
    complete=0,
    promotable=None,
    blended=0,
    failed=(),
    pending=0,
    submissions=0,
)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("EDA", Role.EDA),
        ("ensembling", Role.ENSEMBLE),
        ("solution-research", Role.RESEARCH),
        ("Solution Research", Role.RESEARCH),
        ("discussion_research", Role.DISCUSSION),
        ("lead", Role.LEAD),
        (" Train ", Role.TRAINING),
    ],
)
def test_roles_are_understood_as_people_spell_them(text: str, role: Role) -> None:
    assert parse_role(text) is role


def test_an_unknown_role_lists_the_roles() -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_role("trainning")
    assert "Did you mean 'training'?" in str(caught.value)
    assert "discussion" in str(caught.value)


def test_promoting_takes_the_role_baseline_or_lead() -> None:
    check_right("ann", [Role.BASELINE], Right.PROMOTE_BASELINE)
    check_right("ann", [Role.EDA, Role.LEAD], Right.PROMOTE_BASELINE)
    with pytest.raises(RefusedError, match="bob may not promote a baseline") as caught:
        check_right("bob", [Role.TRAINING], Right.PROMOTE_BASELINE)
    assert "comp assign bob baseline" in str(caught.value)


def test_next_steps_follow_the_state() -> None:
    assert "comp split" in next_step(Role.EDA, START)
    assert "comp run" in next_step(Role.BASELINE, replace(START, split=True))
    ready = replace(START, split=True, baseline_run=True, complete=2, promotable="dice-0.5")
    assert "comp baseline promote dice-0.5" in next_step(Role.BASELINE, ready)
    assert "comp run --set" in next_step(Role.TRAINING, ready)
    assert "comp logs x" in next_step(Role.TRAINING, replace(ready, failed=("x",)))
    assert "comp worker" in next_step(Role.TRAINING, replace(ready, pending=3))
    assert "2 complete experiments" in next_step(Role.ENSEMBLE, ready)
    assert "comp submit" in next_step(Role.ENSEMBLE, replace(ready, blended=2))
    assert "nobody holds eda" in next_step(Role.LEAD, replace(ready, vacant=(Role.EDA,)))


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_next_step_from_the_start(role: Role) -> None:
    assert next_step(role, START)
