"""CV against the public board: how far they agree, how far the public score may be off, and who climbs by luck."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev
from typing import Any

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.scoring import public_score
from competition.store import splits, submissions
from competition.store.engine import Store
from competition.store.submissions import Submission
from competition.submission.cv_scores import CvScore, cv_scores
from competition.wording import percent

MOST_PAIRS = 5


@dataclass(frozen=True)
class Images:
    """The numbers of test images behind the public and the private score; None where nobody has said."""

    public: int | None
    private: int | None


@dataclass(frozen=True)
class Standing:
    """A submission on the public board. Ranks are among those scored; `error` is the public score's standard error."""

    submission: Submission
    cv: float
    public: float
    cv_rank: int
    error: float | None

    @property
    def gap(self) -> float:
        """The public score less the CV score."""
        return self.public - self.cv


@dataclass(frozen=True)
class Pair:
    """Two neighbours on the public board; `swap` is the probability that the private board turns them round."""

    ahead: Submission
    behind: Submission
    cv_lead: float
    public_lead: float
    swap: float


@dataclass(frozen=True)
class PublicBoard:
    """What the public scores of the current split's submissions say; best public score first.

    Args:
        correlation: Spearman's, of CV and public scores; None for fewer than three.
        interval: its 95 % interval.
        gap: mean and sample standard deviation of public less CV; the second is None for a single one.
        climb: the latest steps up the board that no better CV stands behind.
        private: rank correlation of the CV and of the public scores with the private ones, once these are known.
    """

    images: Images
    standings: tuple[Standing, ...]
    correlation: float | None
    interval: tuple[float, float] | None
    gap: tuple[float, float | None] | None
    pairs: tuple[Pair, ...]
    climb: tuple[tuple[Submission, Submission], ...]
    private: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp leaderboard --public --json` prints them."""
        return {
            "public_images": self.images.public,
            "private_images": self.images.private,
            "submissions": [
                {
                    **s.submission.to_json(),
                    "public_rank": rank,
                    "cv_rank": s.cv_rank,
                    "gap": s.gap,
                    "public_error": s.error,
                }
                for rank, s in enumerate(self.standings, start=1)
            ],
            "rank_correlation": self.correlation,
            "rank_correlation_interval": self.interval,
            "gap_mean": self.gap[0] if self.gap else None,
            "gap_spread": self.gap[1] if self.gap else None,
            "pairs": [
                {
                    "ahead": pair.ahead.id,
                    "behind": pair.behind.id,
                    "cv_lead": pair.cv_lead,
                    "public_lead": pair.public_lead,
                    "swap_probability": pair.swap,
                }
                for pair in self.pairs
            ],
            "climb_without_cv": [[before.id, after.id] for before, after in self.climb],
            "private_rank_correlation": {"cv": self.private[0], "public": self.private[1]} if self.private else None,
        }


def public_board(store: Store, settings: Settings) -> PublicBoard:
    """The public board as the team's own records know it: submissions with both scores, of the current split."""
    split = splits.require_current(store)
    scored = [s for s in submissions.every(store) if s.split_version == split.version and _is_scored(s)]
    images = test_images(settings, Manifest.read(store.paths.manifest(split.fingerprint)))
    measured = cv_scores(store.paths, settings, split, {s.source for s in scored})
    cv, public = _scores(scored)
    gaps = [p - c for c, p in zip(cv, public, strict=True)]
    correlation = public_score.spearman(cv, public)
    standings = tuple(
        Standing(s, c, p, 1 + sum(other > c for other in cv), _error(cv_score_of(s, measured), images))
        for s, c, p in sorted(zip(scored, cv, public, strict=True), key=lambda line: -line[2])
    )
    steps = public_score.unsupported_climb(cv, public)
    return PublicBoard(
        images=images,
        standings=standings,
        correlation=correlation,
        interval=None if correlation is None else public_score.spearman_interval(correlation, len(scored)),
        gap=(mean(gaps), stdev(gaps) if len(gaps) > 1 else None) if gaps else None,
        pairs=_pairs(standings[: MOST_PAIRS + 1], measured, images),
        climb=tuple((scored[before], scored[after]) for before, after in steps),
        private=_private(scored),
    )


def facts(board: PublicBoard) -> list[str]:
    """How far CV and the public board agree, a sentence each."""
    number = len(board.standings)
    if board.correlation is None:
        facts = [f"rank correlation of CV and public: - (it takes three submissions; {number} scored)"]
    else:
        low, high = board.interval or (-1.0, 1.0)
        facts = [
            f"rank correlation of CV and public: {board.correlation:+.2f} "
            f"(95 %: {low:+.2f} to {high:+.2f}, {number} submissions)"
        ]
    if board.gap is not None:
        mean, spread = board.gap
        facts.append(f"gap, public - CV: {percent(mean, signed=True)}, spread {percent(spread)}")
    if board.private is not None:
        cv, public = board.private
        facts.append(f"rank correlation with private: CV {cv:+.2f}, public {public:+.2f}")
    return facts


def climb_warning(board: PublicBoard) -> str:
    """What to say of steps up the board that CV does not know of."""
    steps = " -> ".join([str(board.climb[0][0].id), *(str(after.id) for _, after in board.climb)])
    times = "once" if len(board.climb) == 1 else f"{len(board.climb)} times in a row"
    return (
        f"Warning: up the public board {times} without a better CV (submissions {steps}).\n"
        "That is how teams fit the public images; the private ones take it back.\n"
        "Choose by CV: `comp submit --advise`."
    )


def test_images(settings: Settings, manifest: Manifest) -> Images:
    """How many test images stand behind each board: what competition.yaml says, and the rest of those at hand."""
    public = settings.public_images
    rest = len(manifest.test) - public if public is not None else 0
    return Images(public, settings.private_images or (rest if rest > 0 else None))


def cv_score_of(submission: Submission, measured: dict[str, CvScore]) -> CvScore | None:
    """The CV score behind a submission; None where its source has been made anew since."""
    found = measured.get(submission.source)
    is_same = found is not None and submission.cv is not None and abs(found.cv - submission.cv) < 1e-9
    return found if is_same else None


def _is_scored(submission: Submission) -> bool:
    return submission.cv is not None and submission.public_score is not None


def _scores(scored: Sequence[Submission]) -> tuple[list[float], list[float]]:
    return [s.cv or 0.0 for s in scored], [s.public_score or 0.0 for s in scored]


def _error(found: CvScore | None, images: Images) -> float | None:
    if found is None or found.error is None or images.public is None:
        return None
    return public_score.standard_error(found.error, cv_images=found.images, images=images.public)


def _pairs(standings: Sequence[Standing], measured: dict[str, CvScore], images: Images) -> tuple[Pair, ...]:
    """Neighbours on the board, best first, where it can be told how far their difference may be off."""
    pairs = []
    for ahead, behind in pairwise(standings):
        first, second = cv_score_of(ahead.submission, measured), cv_score_of(behind.submission, measured)
        if first is None or second is None or images.public is None or images.private is None:
            continue
        lead, error = first.lead_over(second)
        if error is None:
            continue
        swap = public_score.swap_probability(
            cv_lead=lead,
            public_lead=ahead.public - behind.public,
            lead_error=error,
            cv_images=first.images,
            public_images=images.public,
            private_images=images.private,
        )
        pairs.append(Pair(ahead.submission, behind.submission, lead, ahead.public - behind.public, swap))
    return tuple(pairs)


def _private(scored: Sequence[Submission]) -> tuple[float, float] | None:
    known = [s for s in scored if s.private_score is not None]
    cv, public = _scores(known)
    private = [s.private_score or 0.0 for s in known]
    by_cv, by_public = public_score.spearman(cv, private), public_score.spearman(public, private)
    return None if by_cv is None or by_public is None else (by_cv, by_public)
