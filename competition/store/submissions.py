"""Submissions: what was handed in, by whom, on which day, and what the competition's board said."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from competition.errors import RefusedError, UnknownNameError
from competition.store import events, schema
from competition.store.engine import Store

DAY_S = 24 * 3600


@dataclass(frozen=True)
class Draft:
    """A submission file (or folder) that has been written, and what it was made from.

    Args:
        source: the ensemble or experiment.
        cv: the source's score over all out-of-fold pixels at that moment, a fraction; None where it is not complete.
        weights: the experiments that were blended, by name; they sum to 1.
    """

    source: str
    format: str
    path: str
    sha256: str
    images: int
    member: str
    split_version: int
    cv: float | None
    weights: dict[str, float]


@dataclass(frozen=True)
class Submission:
    """A submission; the scores of the board are fractions like `cv`, None until somebody enters them.

    `uploaded_to` is the Kaggle competition that comp has handed it in to.
    """

    id: int
    source: str
    format: str
    path: str
    sha256: str
    images: int
    member: str | None
    created_at: float
    split_version: int | None
    cv: float | None
    weights: dict[str, float]
    public_score: float | None
    private_score: float | None
    uploaded_to: str | None

    @property
    def day(self) -> str:
        """The day that it counts for: competitions count days in UTC."""
        return datetime.fromtimestamp(self.created_at, UTC).date().isoformat()

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp submissions --json` prints them."""
        return {**asdict(self), "day": self.day}


@dataclass(frozen=True)
class Recorded:
    """The submission that a draft became; not a new one where the same file was submitted before."""

    submission: Submission
    is_new: bool


def record(store: Store, draft: Draft, *, per_day: int | None, force: bool) -> Recorded:
    """Remember a submission. The same file is the same submission: it counts once, whoever hands it in.

    Raises:
        RefusedError: the team's quota for today is spent, and `force` is not given.
    """
    table = schema.submissions
    with store.write() as tx:
        before = tx.execute(_SELECT.where(table.c.sha256 == draft.sha256)).first()
        if before is not None:
            return Recorded(_from_row(before), is_new=False)
        over = _over_quota(tx, per_day)
        if over is not None and not force:
            raise over
        made = tx.execute(insert(table).values(**asdict(draft), created_at=time.time())).inserted_primary_key
        assert made is not None
        if over is not None:
            events.record(tx, actor=draft.member, subject=draft.source, action="forced", why=over.message)
        action = f"submission {made[0]} ({draft.format})"
        events.record(tx, actor=draft.member, subject=draft.source, action=action, why=f"sha256 {draft.sha256}")
        return Recorded(_from_row(tx.execute(_SELECT.where(table.c.id == made[0])).one()), is_new=True)


def withdraw(store: Store, submission: Submission, *, actor: str, why: str) -> None:
    """Forget a submission that never reached the competition; it counts no more."""
    table = schema.submissions
    with store.write() as tx:
        tx.execute(table.delete().where(table.c.id == submission.id))
        events.record(
            tx, actor=actor, subject=submission.source, action=f"withdrew submission {submission.id}", why=why
        )


def set_uploaded(store: Store, submission: Submission, competition: str, *, actor: str) -> None:
    """Remember that a submission was handed in to a Kaggle competition."""
    table = schema.submissions
    with store.write() as tx:
        tx.execute(update(table).where(table.c.id == submission.id).values(uploaded_to=competition))
        events.record(
            tx, actor=actor, subject=submission.source, action=f"uploaded submission {submission.id}", why=competition
        )


def set_score(
    store: Store, submission_id: int, *, actor: str, public: float | None = None, private: float | None = None
) -> Submission:
    """Record what the board said (fractions); None leaves a score as it is. Another value than before is a correction.

    Raises:
        UnknownNameError: there is no such submission.
    """
    table = schema.submissions
    with store.write() as tx:
        row = tx.execute(_SELECT.where(table.c.id == submission_id)).one_or_none()
        if row is None:
            known = [str(number) for number in tx.scalars(select(table.c.id))]
            raise UnknownNameError.among("submission", str(submission_id), known, hint="`comp submissions` lists them.")
        for column, score in (("public_score", public), ("private_score", private)):
            if score is None or score == getattr(row, column):
                continue
            tx.execute(update(table).where(table.c.id == submission_id).values({column: score}))
            _record_score(tx, row, column.partition("_")[0], getattr(row, column), score, actor=actor)
        return _from_row(tx.execute(_SELECT.where(table.c.id == submission_id)).one())


def every(store: Store) -> list[Submission]:
    """All submissions, oldest first."""
    with store.read() as tx:
        return [_from_row(row) for row in tx.execute(_SELECT.order_by(schema.submissions.c.id))]


def sources(store: Store) -> list[str]:
    """The ensembles and experiments that submissions were made from."""
    with store.read() as tx:
        return list(tx.scalars(select(schema.submissions.c.source).distinct().order_by(schema.submissions.c.source)))


def check_quota(store: Store, per_day: int | None) -> None:
    """Do nothing if the team may submit once more today.

    Raises:
        RefusedError: today's quota is spent.
    """
    with store.read() as tx:
        over = _over_quota(tx, per_day)
    if over is not None:
        raise over


def today(store: Store) -> int:
    """How many submissions were made today (UTC)."""
    with store.read() as tx:
        return _today(tx)


_SELECT = select(schema.submissions)


def _today(tx: Connection) -> int:
    midnight = time.time() // DAY_S * DAY_S
    table = schema.submissions
    return tx.scalar(select(func.count()).select_from(table).where(table.c.created_at >= midnight)) or 0


def _over_quota(tx: Connection, per_day: int | None) -> RefusedError | None:
    made = _today(tx)
    if per_day is None or made < per_day:
        return None
    noun = "submission" if per_day == 1 else "submissions"
    return RefusedError(
        f"The team's {per_day} {noun} of today (UTC) are spent.",
        hint="Wait until tomorrow, or --force (it is recorded). `comp submissions` lists them; "
        "the quota is submissions_per_day in competition.yaml.",
    )


def _record_score(tx: Connection, row: Row[Any], which: str, old: float | None, new: float, *, actor: str) -> None:
    action = f"submission {row.id}: {which} score" if old is None else f"submission {row.id}: {which} score corrected"
    why = f"{new:.6g}" if old is None else f"{old:.6g} -> {new:.6g}"
    events.record(tx, actor=actor, subject=row.source, action=action, why=why)


def _from_row(row: Row[Any]) -> Submission:
    return Submission(**{**row._mapping, "weights": row.weights or {}})
