import threading
import time

import pytest

from competition.errors import RefusedError, UnknownNameError
from competition.store import events, submissions
from competition.store.engine import Store
from competition.store.submissions import Draft, Recorded


def draft(sha: str, **changes: object) -> Draft:
    values = {"source": "e1", "format": "png", "path": "p", "images": 2, "member": "ann", "split_version": 1}
    return Draft(**{**values, "sha256": sha, "cv": 0.5, "weights": {"b1": 1.0}, **changes})  # type: ignore[arg-type]


def record(store: Store, sha: str, *, per_day: int | None = None, force: bool = False) -> Recorded:
    return submissions.record(store, draft(sha), per_day=per_day, force=force)


def test_a_submission_keeps_hash_source_member_day_and_cv(store: Store) -> None:
    made = record(store, "a").submission
    assert submissions.every(store) == [made]
    assert (made.id, made.source, made.member, made.sha256, made.cv) == (1, "e1", "ann", "a", 0.5)
    assert made.weights == {"b1": 1.0}
    assert made.day == time.strftime("%Y-%m-%d", time.gmtime())
    assert (made.public_score, made.private_score) == (None, None)


def test_the_same_file_counts_once(store: Store) -> None:
    first, again = record(store, "a", per_day=1), record(store, "a", per_day=1)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.submission == first.submission
    assert submissions.today(store) == 1


def test_the_quota_is_the_teams_and_of_one_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, "a", per_day=2)
    record(store, "b", per_day=2)
    with pytest.raises(RefusedError, match="2 submissions of today"):
        record(store, "c", per_day=2)
    with pytest.raises(RefusedError, match="2 submissions of today"):
        submissions.check_quota(store, 2)
    submissions.check_quota(store, None)
    tomorrow = time.time() + submissions.DAY_S
    monkeypatch.setattr("time.time", lambda: tomorrow)
    assert record(store, "c", per_day=2).is_new


def test_a_forced_submission_is_recorded_as_such(store: Store) -> None:
    record(store, "a", per_day=1, force=True)
    assert "forced" not in [e.action for e in events.history(store)]
    record(store, "b", per_day=1, force=True)
    forced = [e for e in events.history(store) if e.action == "forced"]
    assert [(e.actor, e.subject) for e in forced] == [("ann", "e1")]
    assert "spent" in str(forced[0].why)


def test_two_members_cannot_both_take_the_last_one(store: Store) -> None:
    barrier = threading.Barrier(4)
    ends: list[str] = []

    def take(sha: str) -> None:
        barrier.wait()
        try:
            record(store, sha, per_day=1)
            ends.append("made")
        except RefusedError:
            ends.append("refused")

    threads = [threading.Thread(target=take, args=(sha,)) for sha in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["made", "refused", "refused", "refused"]


def test_scores_are_recorded_and_corrections_say_so(store: Store) -> None:
    record(store, "a")
    submissions.set_score(store, 1, actor="ann", public=0.7)
    submissions.set_score(store, 1, actor="ann", public=0.7)
    scored = submissions.set_score(store, 1, actor="bob", public=0.71, private=0.69)
    assert (scored.public_score, scored.private_score) == (0.71, 0.69)
    told = [(e.actor, e.action, e.why) for e in events.history(store) if "score" in e.action]
    assert told == [
        ("bob", "submission 1: private score", "0.69"),
        ("bob", "submission 1: public score corrected", "0.7 -> 0.71"),
        ("ann", "submission 1: public score", "0.7"),
    ]
    with pytest.raises(UnknownNameError, match="no submission '2'"):
        submissions.set_score(store, 2, actor="ann", public=0.7)


def test_a_withdrawn_submission_counts_no_more(store: Store) -> None:
    made = record(store, "a").submission
    submissions.withdraw(store, made, actor="ann", why="the upload failed")
    assert submissions.every(store) == []
    assert submissions.today(store) == 0
    assert events.history(store)[0].action == "withdrew submission 1"
