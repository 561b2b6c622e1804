from dataclasses import replace

import pytest

from competition.team.next_steps import TeamState, next_steps
from competition.team.roles import Role

START = TeamState()
GOING = TeamState(
    split=True, reported=True, open_findings=0, baseline_run=True, complete=3, submissions=1, untried_ideas=()
)
"""Everything is in order, and there is nothing to do but the usual."""


@pytest.mark.parametrize(
    ("role", "change", "steps"),
    [
        (Role.LEAD, {}, ["comp leaderboard"]),
        (
            Role.LEAD,
            {"vacant": (Role.EDA, Role.ENSEMBLE)},
            ["role eda, ensemble: `comp assign MEMBER eda`"],
        ),
        (Role.LEAD, {"roleless": ("bob",)}, ["without a role: bob: `comp assign bob ROLE`"]),
        (Role.LEAD, {"idle": ("a", "b", "c", "d")}, ["no job of a, b, c and 1 more runs or waits"]),
        (Role.LEAD, {"idle": ("a",), "baseline_run": False}, ["comp leaderboard"]),
        (Role.LEAD, {"submissions": 0}, ["nothing is submitted yet"]),
        (Role.EDA, {}, ["comp compare BASELINE EXPERIMENT"]),
        (
            Role.EDA,
            {"open_findings": None, "reported": False},
            ["comp check", "not made yet: `comp eda`"],
        ),
        (Role.EDA, {"open_findings": 1}, ["1 error or leak is open: `comp check`"]),
        (Role.EDA, {"open_findings": 2}, ["2 errors and leaks are open"]),
        (Role.EDA, {"split": False}, ["comp split"]),
        (Role.BASELINE, {}, ["keep it"]),
        (Role.BASELINE, {"split": False}, ["wait for the split"]),
        (Role.BASELINE, {"baseline_run": False}, ["run the baseline: `comp run`"]),
        (Role.BASELINE, {"baseline_run": False, "gate_failed": "b1"}, ["the debug run of b1 failed: `comp logs b1`"]),
        (
            Role.BASELINE,
            {"baseline_run": False, "baseline_under_way": "b1"},
            ["the baseline b1 is queued or running: `comp queue b1`"],
        ),
        (
            Role.BASELINE,
            {"baseline_run": False, "baseline_under_way": "b2", "gate_failed": "b1"},
            ["b2 is queued"],
        ),
        (Role.BASELINE, {"baseline_under_way": "b2"}, ["keep it"]),
        (Role.TRAINING, {"baseline_run": False, "baseline_under_way": "b1"}, ["the baseline b1 is queued or running"]),
        (Role.BASELINE, {"promotable": ("x", "y")}, ["comp baseline promote x", "comp baseline promote y"]),
        (Role.BASELINE, {"unsure": (("x", "b1"),)}, ["x scores higher, perhaps by luck: `comp run b1 --seeds 3`"]),
        (Role.BASELINE, {"promotable": ("y",), "unsure": (("x", "b1"),)}, ["comp baseline promote y"]),
        (Role.TRAINING, {"unsure": (("x", "b1"), ("y", "y"))}, ["about x, y: `comp run b1 --seeds 3`"]),
        (Role.RESEARCH, {}, ["comp idea add TEXT --source URL"]),
        (Role.RESEARCH, {"unwritten_ideas": ((3, "x"),)}, ["idea 3 was tried", "similar competitions"]),
        (Role.DISCUSSION, {"unwritten_ideas": ((3, "x"),)}, ["`comp note x TEXT`", "forum"]),
        (Role.TRAINING, {}, ["comp run --set"]),
        (Role.TRAINING, {"failed": ("x", "y")}, ["x, y failed: `comp logs x`, then `comp retry x`"]),
        (Role.TRAINING, {"baseline_run": False, "pending": 2}, ["wait for the baseline, or run it"]),
        (Role.TRAINING, {"pending": 3}, ["3 jobs wait for a device: `comp worker`"]),
        (Role.TRAINING, {"untried_ideas": ((7, "lovasz"),)}, ["idea 7, lovasz: `comp run --idea 7 --set KEY=VALUE`"]),
        (Role.TRAINING, {"untried_ideas": ((7, "a"), (8, "b"))}, ["(1 more: `comp idea list`)"]),
        (Role.ENSEMBLE, {}, ["write the submission"]),
        (Role.ENSEMBLE, {"complete": 1}, ["wait for two complete experiments"]),
        (Role.ENSEMBLE, {"unblended": 2}, ["2 complete experiments are not blended yet"]),
        (Role.ENSEMBLE, {"unscored": (4, 5)}, ["`comp score 4 --public SCORE`"]),
        (Role.ENSEMBLE, {"quota_left": 2, "unblended": 1}, ["1 complete experiment is", "submissions left today: 2"]),
        (Role.ENSEMBLE, {"quota_left": 0}, ["no submission is left today"]),
    ],
)
def test_steps_follow_the_state(role: Role, change: dict[str, object], steps: list[str]) -> None:
    found = next_steps(role, replace(GOING, **change))  # type: ignore[arg-type]
    assert len(found) == len(steps), found
    for step, words in zip(found, steps, strict=True):
        assert words in step


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_step_from_the_start_and_in_order(role: Role) -> None:
    for state in (START, GOING):
        steps = next_steps(role, state)
        assert steps
        assert all("`comp " in step or "keep it" in step for step in steps)
