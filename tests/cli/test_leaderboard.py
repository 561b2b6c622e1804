import csv
import io
import json
from pathlib import Path

import pytest

from competition.paths import Paths
from competition.store import members
from competition.store.engine import open_store
from competition.team.roles import Role
from tests.conftest import Comp
from tests.store.planting import baseline, child


@pytest.fixture
def judged(ready: Path) -> Path:
    """Experiments of every verdict, one of them by a member with a name that is hard to print."""
    store = open_store(Paths(ready))
    bob = members.assign(store, "밥 |<b>[red]🦊", [Role.TRAINING], actor="ann")
    b1 = baseline(store)
    lr = child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    child(store, "loss.dice=0.5", 0.442, parent=b1, member_id=bob.id)
    child(store, "augment.vertical_flip=0.5", 0.412, parent=b1)
    child(store, "train.epochs=40", 0.452, parent=b1)
    child(store, "loss.dice=0.5", 0.48, parent=lr, of="lr-0.002")
    store.close()
    return ready


def test_every_row_says_its_verdict_and_draws_its_interval(comp: Comp, judged: Path) -> None:
    ran = comp("leaderboard")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    for call in ("better ~", "worse ~", "tie ~", "needs-seeds ~"):
        assert call in ran.out
    assert "밥" in ran.out
    bars = [line for line in lines if "●" in line]
    assert len(bars) == 5
    assert "seed noise was measured on b1" in ran.err
    assert "(Holm)" in ran.err


def test_a_table_shows_the_best_and_says_how_many_more_there_are(comp: Comp, judged: Path) -> None:
    ran = comp("leaderboard", "--most", "2")
    assert ran.out.count("better ~") == 1
    assert [line[0] for line in ran.out.splitlines() if line[0] != " "] == ["#", "1", "2"]
    assert "worse" not in ran.out
    assert "… and 4 more; --most 6 shows them." in ran.err
    assert "more;" not in comp("leaderboard", "--most", "6").err
    everything = json.loads(comp.ok("leaderboard", "--json"))
    assert len(everything) == 6
    assert json.loads(comp.ok("leaderboard", "--json", "--most", "2")) == everything[:2]
    front = [row["name"] for row in json.loads(comp.ok("leaderboard", "--json", "--pareto"))]
    assert [row["name"] for row in json.loads(comp.ok("leaderboard", "--json", "--pareto", "--most", "1"))] == front[:1]


def test_the_documented_keys_of_the_json_stay_and_the_verdict_joins_them(comp: Comp, judged: Path) -> None:
    rows = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}
    row = rows["lr-0.002"]
    assert {"rank", "name", "member", "parent", "conditions", "score", "fold_scores", "delta", "state"} <= set(row)
    assert row["verdict"]["call"] == "better"
    assert row["verdict"]["low"] > 0
    assert row["verdict"]["seeds_from"] == ["b1"]
    assert rows["b1"]["verdict"] is None
    assert len(rows["b1"]["seed_scores"]) == 3


def test_by_condition_pools_over_the_parents(comp: Comp, judged: Path) -> None:
    found = {one["condition"]: one for one in json.loads(comp.ok("leaderboard", "--by", "condition", "--json"))}
    assert found["loss.dice = 0.5"]["parents"] == ["lr-0.002", "b1"]
    assert found["loss.dice = 0.5"]["delta"] == pytest.approx((0.002 + 0.010) / 2)
    assert found["optimizer.lr = 0.002"]["call"] == "better"
    assert found["augment.vertical_flip = 0.5"]["high"] < 0
    text = comp.ok("leaderboard", "--by", "condition")
    assert max(map(len, text.splitlines())) <= 80
    assert "optimizer.lr = 0.002" in text


def test_by_member_and_role_count(comp: Comp, judged: Path) -> None:
    members_ = {line["name"]: line for line in json.loads(comp.ok("leaderboard", "--by", "member", "--json"))}
    assert (members_["ann"]["experiments"], members_["ann"]["better"], members_["ann"]["worse"]) == (5, 1, 1)
    assert members_["ann"]["best"] == 0.48
    roles = {line["name"]: line["experiments"] for line in json.loads(comp.ok("leaderboard", "--by", "role", "--json"))}
    assert roles == {"lead": 5, "training": 6}
    assert "training" in comp.ok("leaderboard", "--by", "role")
    assert "Did you mean 'member'" in comp.error("leaderboard", "--by", "membr")


def test_csv_and_markdown_keep_every_name(comp: Comp, judged: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(comp.ok("leaderboard", "--csv"))))
    assert len(rows) == 6
    dice = next(row for row in rows if row["experiment"] == "dice-0.5")
    assert (dice["member"], dice["verdict"]) == ("밥 |<b>[red]🦊", "tie")
    assert float(dice["low"]) < 0 < float(dice["high"])
    marked = comp.ok("leaderboard", "--markdown", "--columns", "rank,experiment,member,verdict")
    assert marked.splitlines()[0] == "| # | experiment | member | verdict |"
    assert "밥 \\|<b>" in marked


def test_columns_are_chosen_by_name(comp: Comp, judged: Path) -> None:
    text = comp.ok("leaderboard", "--columns", "experiment, p,detectable,seeds")
    assert text.splitlines()[0].split() == ["experiment", "p", "detectable", "seeds"]
    assert "Columns: rank, experiment" in comp.error("leaderboard", "--columns", "colour")


def test_a_wide_terminal_shows_the_folds_too(comp: Comp, judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "folds" not in comp.ok("leaderboard")
    monkeypatch.setenv("COLUMNS", "100")
    head = comp.ok("leaderboard").splitlines()[0]
    assert head.split() == ["#", "experiment", "member", "condition", "CV", "folds", "delta", "verdict", "time"]


def test_what_does_not_go_together_is_refused(comp: Comp, judged: Path) -> None:
    assert "--json and --csv do not go together" in comp.error("leaderboard", "--json", "--csv")
    assert "--by and --csv do not go together" in comp.error("leaderboard", "--by", "role", "--csv")
    assert "draws on a terminal" in comp.error("leaderboard", "--watch")


def test_a_missing_verdict_says_why(comp: Comp, judged: Path) -> None:
    store = open_store(Paths(judged))
    with store.write() as tx:
        tx.exec_driver_sql("UPDATE comparisons SET se_images = NULL, trouble = 'confusion.npz is gone'")
    store.close()
    ran = comp("leaderboard")
    assert "better" not in ran.out
    assert "lr-0.002: no verdict: confusion.npz is gone" in ran.err


def test_the_front_is_the_ranked_rows_that_no_cheaper_one_beats(comp: Comp, judged: Path) -> None:
    rows = json.loads(comp.ok("leaderboard", "--pareto", "--json"))
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores)
    assert rows[-1]["rank"] == 1
