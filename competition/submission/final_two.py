"""Which two submissions to choose in the end: the best by CV, and the best blend that is another bet."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.errors import RefusedError
from competition.experiments.leaderboard import leaderboard
from competition.scoring import public_score
from competition.store import ensembles, splits, submissions
from competition.store.engine import Store
from competition.submission.cv_scores import cv_scores
from competition.submission.public_board import test_images

SAME_BET = 0.5
"""Two blends that share more than this much of their weight are one bet."""


@dataclass(frozen=True)
class Candidate:
    """An ensemble or a complete experiment of the current split.

    `weights` are those of the blended experiments. `submission` and `public` are of its newest submission, None where
    it has not been submitted as it is now, or not been scored.
    """

    name: str
    cv: float
    weights: dict[str, float]
    is_blend: bool
    submission: int | None = None
    public: float | None = None

    def shared_with(self, other: "Candidate") -> float:
        """How much of the weight lies on the same experiments, from 0 to 1."""
        return sum(min(weight, other.weights.get(name, 0.0)) for name, weight in self.weights.items())


@dataclass(frozen=True)
class Hedge:
    """What the second adds to the first, on private images like the training images; probabilities and fractions.

    `gain` is how much the better of the two is expected to beat the first alone.
    """

    private_images: int
    second_wins: float
    gain: float


@dataclass(frozen=True)
class Advice:
    """Two final submissions; `second` is None where everything is the same bet, `hedge` where it cannot be told."""

    first: Candidate
    second: Candidate | None
    why: tuple[str, ...]
    hedge: Hedge | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp submit --advise --json` prints them."""
        return asdict(self)


def advise(store: Store, settings: Settings) -> Advice:
    """The two to choose. The public board is not asked: it is the smaller sample, and the team has selected by it.

    Raises:
        RefusedError: nothing is complete yet.
    """
    found = candidates(store)
    if not found:
        raise RefusedError("No experiment is complete yet.", hint="`comp leaderboard` says what is missing.")
    first, second = choose(found)
    why = [f"{first.name} has the best CV."]
    if second is None:
        why.append(f"Everything else is the same bet (more than {SAME_BET:.0%} of the weight in common).")
        why.append("`comp ensemble` of other experiments makes another one.")
    else:
        shared = f"{second.shared_with(first):.0%} of the weight in common, at most {SAME_BET:.0%} may be"
        kind = "blend" if second.is_blend else "single model; no blend is another bet"
        why.append(f"{second.name} is another bet ({shared}), and the best such {kind}.")
    return Advice(first, second, tuple(why), _hedge(store, settings, first, second) if second else None)


def candidates(store: Store) -> list[Candidate]:
    """Everything that could be submitted, best CV first; of equals, the one submitted already."""
    split = splits.require_current(store).version
    handed_in = {(s.source, s.cv): s for s in submissions.every(store) if s.split_version == split}
    blends = [e for e in ensembles.every(store) if e.split_version == split]
    taken = {e.name for e in blends}
    known = [Candidate(e.name, e.score, e.shares, is_blend=len(e.weights) > 1) for e in blends]
    for row in leaderboard(store):
        if row.score is not None and row.name not in taken:
            known.append(Candidate(row.name, row.score, {row.name: 1.0}, is_blend=False))
    found = [_handed_in(c, handed_in.get((c.name, c.cv))) for c in known]
    return sorted(found, key=lambda c: (-c.cv, c.submission is None))


def choose(found: Sequence[Candidate]) -> tuple[Candidate, Candidate | None]:
    """The best by CV, and the best blend that is another bet; a single model where no blend is.

    Args:
        found: at least one, best CV first.
    """
    first = found[0]
    others = [c for c in found[1:] if c.shared_with(first) <= SAME_BET]
    return first, next((c for c in others if c.is_blend), others[0] if others else None)


def _handed_in(candidate: Candidate, submission: submissions.Submission | None) -> Candidate:
    if submission is None:
        return candidate
    return Candidate(**{**asdict(candidate), "submission": submission.id, "public": submission.public_score})


def _hedge(store: Store, settings: Settings, first: Candidate, second: Candidate) -> Hedge | None:
    split = splits.require_current(store)
    manifest = Manifest.read(store.paths.manifest(split.fingerprint))
    measured = cv_scores(store.paths, settings, split, [first.name, second.name])
    images = test_images(settings, manifest)
    private = images.private or len(manifest.test)
    if len(measured) < 2 or not private:
        return None
    lead, error = measured[first.name].lead_over(measured[second.name])
    if error is None:
        return None
    scores = None if first.public is None or second.public is None else first.public - second.public
    expected, spread = public_score.private_lead(
        cv_lead=lead,
        public_lead=scores if images.public else None,
        lead_error=error,
        cv_images=measured[first.name].images,
        public_images=images.public or 0,
        private_images=private,
    )
    wins = public_score.probability_below_zero(expected, spread)
    return Hedge(private, wins, public_score.gain_of_two(expected, spread))
