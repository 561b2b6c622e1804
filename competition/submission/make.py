"""Making a submission: write the file, read it back, record it, and hand it in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competition.config.settings import Settings
from competition.data.parallel import StepProgress, of_step
from competition.ensemble.predict import WrittenPredictions
from competition.ensemble.source import Source, find_source
from competition.errors import RefusedError
from competition.files import sha256_of_tree
from competition.store import members, submissions
from competition.store.engine import Store
from competition.store.submissions import Draft, Submission
from competition.submission import kaggle
from competition.submission.formats import Format
from competition.submission.readback import Readback, check
from competition.submission.sample import read_sample
from competition.submission.write import make_layout, write_source
from competition.team.roles import Right


@dataclass(frozen=True)
class SubmissionRequest:
    """One call of `comp submit`.

    Args:
        source: the name of an ensemble or experiment.
        member: who submits.
        form: the name of a `Format`.
        sample: a sample submission, whose columns, ids and order are kept.
        size: (height, width) of the label maps in labels-csv; None for 256x256.
        check: a sample submission to compare the written file with; every mask is decoded, too.
        target: the file or folder to write; None for one in runs/submissions/.
        kaggle: the Kaggle competition to hand the file in to.
        force: submit without the right to, or beyond the day's quota; it is recorded.
    """

    source: str
    member: str
    form: str = "png"
    sample: Path | None = None
    size: tuple[int, int] | None = None
    check: Path | None = None
    target: Path | None = None
    kaggle: str | None = None
    force: bool = False


@dataclass(frozen=True)
class MadeSubmission:
    """A submission that was written and recorded.

    Args:
        submission: its record; an earlier one where the same file was submitted before, and `is_new` is False.
        target: the file or folder.
        checked: the sample submission that it was compared with.
        kaggle_answer: what Kaggle answered; None where it was not handed in.
    """

    submission: Submission
    is_new: bool
    target: Path
    predictions: WrittenPredictions
    checked: Path | None
    kaggle_answer: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp submit --json` prints them."""
        return {
            **self.submission.to_json(),
            "path": str(self.target),
            "new": self.is_new,
            "checked": None if self.checked is None else str(self.checked),
            "doubtful_share": self.predictions.undecided_share,
        }


def make_submission(
    store: Store, settings: Settings, request: SubmissionRequest, *, progress: StepProgress | None = None
) -> MadeSubmission:
    """Write a submission, check it, record it, and hand it in to Kaggle if that is asked for.

    It counts towards the team's submissions of today (UTC); the same file again does not.

    Raises:
        UnknownNameError: there is no such format, member, ensemble or experiment.
        RefusedError: the member may not submit, the day's quota is spent, or there are no test images.
        DataError: the sample does not fit, the file is not what it should be, or a shard is damaged.
        CompError: the `kaggle` command is missing or fails.
    """
    form = Format.named(request.form)
    member = members.find(store, request.member)
    if not settings.data.test_images:
        raise RefusedError("The competition has no test images, so there is nothing to submit.")
    source = find_source(store, settings, request.source)
    layout = make_layout(store, settings, form, sample=request.sample, size=request.size)
    wanted = None if request.check is None else read_sample(request.check)
    if request.kaggle is not None:
        kaggle.check_upload(form)
    members.require_right(store, member, Right.SUBMIT, force=request.force)
    if not request.force:
        submissions.check_quota(store, settings.submissions_per_day)
    target = request.target or store.paths.submissions() / f"{source.name}-{form}{form.suffix}"
    readback = Readback(form, layout)
    predictions = write_source(
        store.paths, source, target, readback, progress=of_step(progress, "Writing test predictions")
    )
    if wanted is not None:
        check(target, wanted, readback)
    draft = _draft(source, form, target, predictions.images, member.name)
    recorded = submissions.record(store, draft, per_day=settings.submissions_per_day, force=request.force)
    answer = None
    if request.kaggle is not None:
        answer = kaggle.hand_in(store, recorded, target, request.kaggle, actor=member.name, progress=progress)
    return MadeSubmission(recorded.submission, recorded.is_new, target, predictions, request.check, answer)


def _draft(source: Source, form: Format, target: Path, images: int, member: str) -> Draft:
    return Draft(
        source=source.name,
        format=str(form),
        path=str(target),
        sha256=sha256_of_tree(target),
        images=images,
        member=member,
        split_version=source.split_version,
        cv=source.cv,
        weights=source.shares,
    )
