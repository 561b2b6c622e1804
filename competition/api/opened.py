"""An opened competition: experiments, leaderboard, predictions, ensembles, and running experiments."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from competition.errors import CompError, RefusedError
from competition.lifecycle import ExperimentState, JobKind, JobState
from competition.paths import Paths, find_competition

if TYPE_CHECKING:
    from competition.config.settings import Settings
    from competition.data.manifest import Manifest
    from competition.data.parallel import StepProgress
    from competition.ensemble.make import EnsembleRequest, MadeEnsemble
    from competition.experiments.leaderboard import LeaderboardRow, Standings
    from competition.experiments.request import RunRequest
    from competition.predictions.by_image import Predictions
    from competition.queue.children import ForkServer
    from competition.queue.worker import Worker
    from competition.store.engine import Store
    from competition.store.ensembles import Ensemble
    from competition.store.experiments import Experiment
    from competition.store.plans import Submitted
    from competition.store.splits import SplitVersion
    from competition.store.submissions import Submission
    from competition.submission.make import MadeSubmission, SubmissionRequest


class InterruptedRunError(CompError):
    """Ctrl-C stopped a run; its jobs are saved, and go on with the next run."""

    exit_code = 130


@dataclass(frozen=True)
class Competition:
    """An opened competition. competition.yaml is read when its values are first needed.

    Args:
        paths: where its files lie.
        store: its database.
    """

    paths: Paths
    store: "Store"

    @cached_property
    def settings(self) -> "Settings":
        """The settings that the team shares.

        Raises:
            ConfigError: competition.yaml is wrong.
        """
        from competition.config.settings import read_settings

        return read_settings(self.paths.competition)

    @property
    def manifest(self) -> "Manifest":
        """Every image of the data that the competition runs on, with its size, its mask and its pixels per class.

        Raises:
            DataError: the file is missing or damaged.
        """
        from competition.data.manifest import Manifest
        from competition.store import competition

        return Manifest.read(self.paths.manifest(competition.fingerprint(self.store)))

    def experiments(self) -> "list[Experiment]":
        """Every experiment, oldest first: its configuration, its conditions and its score."""
        from competition.store import experiments

        return experiments.every(self.store)

    def experiment(self, name: str) -> "Experiment":
        """The experiment called `name`.

        Raises:
            UnknownNameError: there is none.
        """
        from competition.store import experiments

        return experiments.find(self.store, name)

    def split_of(self, experiment: "Experiment") -> "SplitVersion":
        """The version of the split that an experiment ran on."""
        from competition.store import splits

        return splits.of_version(self.store, experiment.split_version)

    def leaderboard(
        self, *, member: str | None = None, every_split: bool = False, cheapest: bool = False
    ) -> "list[LeaderboardRow]":
        """The leaderboard, a record per experiment: ranked ones first, best first; then the others, newest first.

        Args:
            member: only the experiments of this member.
            every_split: also experiments on older splits; they have no rank.
            cheapest: only ranked experiments that no cheaper one beats.

        Raises:
            UnknownNameError: nobody is called `member`.
        """
        return self.standings(member=member, every_split=every_split, cheapest=cheapest).rows

    def standings(
        self,
        *,
        member: str | None = None,
        every_split: bool = False,
        cheapest: bool = False,
        most: int | None = None,
    ) -> "Standings":
        """The first `most` rows of the leaderboard, and how many there are.

        Raises:
            UnknownNameError: nobody is called `member`.
        """
        from competition.experiments import leaderboard
        from competition.store import members

        if member is not None:
            members.find(self.store, member)
        if not cheapest:
            return leaderboard.standings(self.store, member=member, every_split=every_split, most=most)
        rows = leaderboard.leaderboard(self.store, member=member, every_split=every_split)
        front = leaderboard.pareto_front(rows)
        return leaderboard.Standings(front[:most], len(front))

    def row(self, name: str) -> "LeaderboardRow":
        """The leaderboard row of one experiment, on whichever split it ran.

        Raises:
            UnknownNameError: there is no such experiment.
        """
        found = self.experiment(name)
        return next(row for row in self.leaderboard(every_split=True) if row.name == found.name)

    def predictions(self, name: str, *, seed: int = 0) -> "Predictions":
        """The out-of-fold and test probabilities of an experiment, by image id: float32 (C, H, W).

        Args:
            seed: which of its seeds; 0 is the first.

        Raises:
            UnknownNameError: there is no such experiment.
            DataError: the predictions of a fold are missing or damaged.
        """
        from competition.predictions.by_image import open_predictions

        folds = self.split_of(self.experiment(name)).folds
        has_test = self.settings.data.test_images is not None
        return open_predictions(self.paths, name, folds=folds, seed=seed, has_test=has_test)

    def ensembles(self) -> "list[Ensemble]":
        """Every ensemble, oldest first: its experiments, their weights and its score."""
        from competition.store import ensembles

        return ensembles.every(self.store)

    def require_trained(self, name: str) -> None:
        """Check that every fold of an experiment is trained on the current split.

        Raises:
            RefusedError: a fold is not; says what trains it.
        """
        from competition.store import splits
        from competition.store.queue import jobs

        experiment, split = self.experiment(name), splits.require_current(self.store)
        if experiment.split_version != split.version:
            raise RefusedError(
                f"{name} was trained on split v{experiment.split_version}, and the current one is v{split.version}.",
                hint=f"`comp run --from {name}` trains it on that.",
            )
        every = [job for job in jobs.of_experiment(self.store, name) if job.kind is JobKind.FOLD]
        trained = {job.fold for job in every if job.state is JobState.SUCCEEDED}
        missing = [str(fold) for fold in range(split.folds) if fold not in trained]
        if missing:
            raise RefusedError(
                f"{name} has no trained model of fold {', '.join(missing)}.",
                hint=f"`comp run {name}` trains what is missing, `comp retry {name}` what has failed.",
            )

    def blend(
        self, request: "EnsembleRequest", *, actor: str, progress: "StepProgress | None" = None
    ) -> "MadeEnsemble":
        """Blend experiments, score the blend on out-of-fold pixels, predict the test images, and record it.

        Args:
            actor: who makes it, for the history.

        Raises:
            CompError: experiments are not complete or do not belong together, or probabilities are missing.
        """
        from competition.ensemble.make import make_ensemble

        made = make_ensemble(self.store, self.settings, request, actor=actor, progress=progress)
        if made.budget is not None or made.explanation is not None:
            from competition.report.ensemble import write_pictures  # loads matplotlib

            write_pictures(self.store, self.settings, made)
        return made

    def submit(self, request: "SubmissionRequest", *, progress: "StepProgress | None" = None) -> "MadeSubmission":
        """Write a submission of an ensemble or experiment, check it and record it.

        Raises:
            CompError: there is no such source, the member may not submit, or the day's quota is used up.
        """
        from competition.submission.make import make_submission

        return make_submission(self.store, self.settings, request, progress=progress)

    def record_score(
        self, submission: int, *, member: str, public: float | None = None, private: float | None = None
    ) -> "Submission":
        """Record the scores of a submission on the public and the private board (fractions); None keeps a score.

        Raises:
            UnknownNameError: there is no such submission.
        """
        from competition.store import submissions

        return submissions.set_score(self.store, submission, actor=member, public=public, private=private)

    def enqueue(self, request: "RunRequest", *, idea: int | None = None) -> "Submitted":
        """Make the experiment that is asked for and queue its jobs, or add jobs to the one with that configuration.

        A request that names an existing experiment and changes nothing continues that experiment.

        Args:
            idea: the number of the idea that it tries.

        Raises:
            CompError: a rule forbids it; nothing is queued.
        """
        from competition.experiments.request import submit
        from competition.store import ideas

        tried = None if idea is None else ideas.find(self.store, idea)
        check = partial(self.fork_server.check_model, root=self.paths.root, classes=len(self.settings.classes))
        if self._is_continued(request):
            request, check = replace(request, parent=request.name), partial(_accept)
        submitted = submit(self.store, self.settings, request, check_model=check)
        if tried is not None:
            ideas.link(self.store, tried, submitted.experiment, actor=request.member)
        return submitted

    def rebase(self, name: str, *, member: str, new_name: str | None = None) -> "Submitted":
        """Queue the condition of an experiment on the newest baseline of its lineage; it tries the same ideas.

        Args:
            new_name: of the new experiment; by default `EXPERIMENT@BASELINE`.

        Raises:
            CompError: it has no condition, the newest baseline has it already, or another rule forbids it.
        """
        from competition.experiments.request import rebased
        from competition.store import ideas

        experiment = self.experiment(name)
        submitted = self.enqueue(rebased(self.store, experiment, member=member, name=new_name))
        for idea in ideas.every(self.store):
            if experiment.name in idea.experiments:
                ideas.link(self.store, idea, submitted.experiment, actor=member)
        return submitted

    def work(
        self,
        *,
        experiment: str | None = None,
        devices: str | None = None,
        jobs_per_device: int = 1,
        until_empty: bool = True,
        watching: "Callable[[Worker], AbstractContextManager[object]]" = nullcontext,
    ) -> bool:
        """Run queued jobs on the devices of this machine; False if Ctrl-C ended it first.

        Args:
            experiment: only the jobs of this one.
            devices: such as `0,1` or `cpu`; by default every GPU, else the CPU.
            jobs_per_device: how many jobs share a device, where its memory has room.
            until_empty: stop when nothing is queued any more; else go on until Ctrl-C.
            watching: is entered with the worker while it works, to show what it does.

        Raises:
            CompError: the devices do not exist, the database is gone, or the machine fails job after job.
        """
        from competition.queue.devices import choose
        from competition.queue.worker import Worker

        worker = Worker(self.store, self.settings, choose(devices), self.fork_server, experiment)
        worker.jobs_per_device = jobs_per_device
        with watching(worker):
            return worker.work(until_empty=until_empty)

    def run(self, request: "RunRequest", *, devices: str | None = None) -> "LeaderboardRow":
        """Run an experiment to its end, with its debug job first; its leaderboard row.

        Raises:
            CompError: a rule forbids it, or its debug job or a fold failed.
            InterruptedRunError: Ctrl-C stopped it; the same call continues it.
        """
        name = self.enqueue(request).experiment.name
        finished = self.work(experiment=name, devices=devices)
        return self.ended(name, finished=finished)

    def ended(self, name: str, *, finished: bool) -> "LeaderboardRow":
        """The leaderboard row of an experiment whose run has ended.

        Args:
            finished: False if Ctrl-C ended it.

        Raises:
            CompError: a job failed.
            InterruptedRunError: it was not finished.
        """
        from competition.team.next_steps import after_failure

        row = self.row(name)
        if not finished:
            raise InterruptedRunError(f"Interrupted. `comp run {name}` continues it.")
        if row.state is ExperimentState.FAILED:
            raise CompError(f"{name} failed. {row.reason}", hint=after_failure(name))
        return row

    def draw(self, name: str) -> list[Path]:
        """Draw the pictures of a complete experiment into its folder; the files.

        Raises:
            DataError: an image has changed, or predictions are missing or damaged.
        """
        from competition.data.manifest import Manifest
        from competition.report.experiment import draw_experiment

        split = self.split_of(self.experiment(name))
        manifest = Manifest.read(self.paths.manifest(split.fingerprint))
        return draw_experiment(self.paths, self.settings, manifest, name, split.folds)

    @cached_property
    def fork_server(self) -> "ForkServer":
        """What starts the processes that train and build models; it ends with this process."""
        from competition.queue.children import ForkServer

        return ForkServer()

    def _is_continued(self, request: "RunRequest") -> bool:
        from competition.store import experiments

        if request.name is None or request.assignments or request.parent or request.seed is not None:
            return False
        return experiments.exists(self.store, request.name)


def open_competition(folder: Path | str | None = None) -> Competition:
    """Open the competition that `folder` (by default the working directory) lies in.

    Jobs of workers that died on this host are queued again.

    Raises:
        CompError: there is no competition there, or its database cannot be opened.
    """
    from competition.store.engine import open_store
    from competition.store.queue import slots

    paths = find_paths(folder)
    _check_readable(paths.competition)
    store = open_store(paths)
    if slots.is_any_held(store):
        from competition.queue.reaper import reap

        reap(store)
    return Competition(paths, store)


def find_paths(folder: Path | str | None = None) -> Paths:
    """The files of the competition around `folder`, or around the working directory.

    Raises:
        CompError: `folder` is not a folder, or no competition is around it.
    """
    if folder is not None and not Path(folder).is_dir():
        raise CompError(f"{folder} is not a folder.", hint="Give the competition's folder.")
    return find_competition(Path.cwd() if folder is None else Path(folder))


def _accept(_config: object) -> None:
    """The model check of a continued experiment: its debug job builds the model anyway."""


def _check_readable(file: Path) -> None:
    """Raise ConfigError if competition.yaml is not YAML or holds no keys; the keys' values are checked when used."""
    import yaml

    try:
        content = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        from competition.config.settings import read_settings

        read_settings(file)  # raises, and its message says what is wrong
