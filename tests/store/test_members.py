import pytest

from competition.errors import RefusedError, UnknownNameError
from competition.store import events, members
from competition.store.engine import Store
from competition.team.roles import Right, Role


def test_roles_add_up_and_are_listed_in_their_order(store: Store) -> None:
    members.assign(store, "bob", [Role.ENSEMBLE, Role.EDA, Role.EDA], actor="ann")
    members.assign(store, "bob", [Role.EDA, Role.TRAINING], actor="ann")
    assert members.find(store, "bob").roles == (Role.EDA, Role.TRAINING, Role.ENSEMBLE)


def test_who_held_what_is_kept_when_a_role_is_taken_away(store: Store) -> None:
    members.remove_role(store, "ann", Role.LEAD, actor="ann")
    members.assign(store, "ann", [Role.LEAD], actor="ann")
    lead = [t for t in members.tenures(store) if t.role is Role.LEAD]
    assert len(lead) == 2
    assert lead[0].revoked_at is not None
    assert lead[1].revoked_at is None
    assert members.find(store, "ann").roles == (Role.LEAD, Role.TRAINING)


def test_taking_a_role_that_is_not_held_says_what_is(store: Store) -> None:
    with pytest.raises(RefusedError, match=r"does not hold the role eda \(holds lead, training\)"):
        members.remove_role(store, "ann", Role.EDA, actor="ann")


def test_an_unknown_member_lists_the_members(store: Store) -> None:
    with pytest.raises(UnknownNameError) as caught:
        members.find(store, "anm")
    assert "Did you mean 'ann'?" in str(caught.value)
    assert "Known: ann" in str(caught.value)


@pytest.mark.parametrize("name", ["김민수", "<b>bold</b>", "O'Brien", 'say "hi"', "🦊", "a;DROP TABLE members"])
def test_any_name_survives(store: Store, name: str) -> None:
    members.assign(store, name, [Role.EDA], actor=name)
    assert members.find(store, name).roles == (Role.EDA,)


def test_force_overrides_a_right_and_is_recorded(store: Store) -> None:
    bob = members.assign(store, "bob", [Role.EDA], actor="ann")
    with pytest.raises(RefusedError):
        members.require_right(store, bob, Right.PROMOTE_BASELINE, force=False)
    members.require_right(store, bob, Right.PROMOTE_BASELINE, force=True)
    newest = events.history(store, subject="bob")[0]
    assert newest.action == "forced"
    assert newest.why is not None
    assert "promote a baseline" in newest.why
