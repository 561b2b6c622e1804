import pytest

from competition.errors import RefusedError, UnknownNameError
from competition.team.roles import RIGHTS, Right, Role, check_right, parse_role


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


def test_submitting_takes_the_role_ensemble_or_lead() -> None:
    check_right("ann", [Role.ENSEMBLE], Right.SUBMIT)
    check_right("ann", [Role.LEAD], Right.SUBMIT)
    with pytest.raises(RefusedError, match="bob may not submit: that takes the role ensemble or lead"):
        check_right("bob", [role for role in Role if role not in (Role.ENSEMBLE, Role.LEAD)], Right.SUBMIT)


@pytest.mark.parametrize("right", [right for right, allowed in RIGHTS.items() if not allowed])
def test_what_nobody_may_takes_force_from_the_lead_too(right: Right) -> None:
    with pytest.raises(RefusedError, match="no role allows it"):
        check_right("ann", list(Role), right)


def test_every_right_stands_in_the_table() -> None:
    assert set(RIGHTS) == set(Right)
