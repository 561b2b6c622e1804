"""An experiment that `comp run`, `predict` or `rebase` asked for: what was queued, its run, and its leaderboard row."""

from functools import partial
from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from competition.experiments.request import RunRequest
    from competition.store.plans import Submitted


def run(
    opened: Competition,
    request: "RunRequest",
    *,
    idea: int | None = None,
    detach: bool,
    devices: str | None,
    as_json: bool,
) -> None:
    """Queue what is asked for, run it unless `detach`, and show its leaderboard row.

    Raises:
        CompError: a rule forbids it, a job failed, or Ctrl-C ended it.
    """
    from competition.cli.show import leaderboard_table, output
    from competition.cli.show.working import shown
    from competition.queue.devices import choose

    choose(devices)  # a wrong device is an error before anything is queued
    submitted = opened.enqueue(request, idea=idea)
    name = submitted.experiment.name
    announce(submitted, detach=detach)
    if submitted.new_jobs and not request.debug_only:
        _say_disk_need(opened, submitted)
    finished = True
    if not detach:
        finished = opened.work(experiment=name, devices=devices, watching=partial(shown, opened))
    row = opened.row(name)
    if as_json:
        output.print_json(row.to_json())
    elif not detach:
        output.out().print(leaderboard_table.table([row]))
    if not detach:
        opened.ended(name, finished=finished)


def announce(submitted: "Submitted", *, detach: bool) -> None:
    """Say which experiment it is, and what was queued."""
    from competition.cli.show import output

    experiment = submitted.experiment
    what = "; ".join(str(c) for c in experiment.conditions) or "the baseline itself"
    if submitted.is_new:
        output.say(f"{experiment.name}: {what}")
    else:
        output.say(f"This configuration is experiment {experiment.name} already ({what}).")
    if detach and not submitted.new_jobs:
        output.say("All of its jobs are queued or done: `comp queue`, `comp leaderboard`.")
    elif detach:
        jobs = "1 job" if submitted.new_jobs == 1 else f"{submitted.new_jobs} jobs"
        output.say(f"{jobs} queued. `comp worker` runs them; `comp queue` shows them.")


def _say_disk_need(opened: Competition, submitted: "Submitted") -> None:
    """Say how much disk the experiment's probabilities will take, before a job predicts them."""
    import shutil

    from competition.cli.show import output
    from competition.predictions.probabilities import disk_need

    manifest, folds = opened.manifest, opened.split_of(submitted.experiment).folds
    need = disk_need(manifest.items, manifest.test, classes=len(opened.settings.classes), folds=folds)
    free = shutil.disk_usage(opened.paths.root).free
    line = f"Its probabilities will take {need / 2**20:.0f} MiB; {free / 2**20:.0f} MiB are free."
    if need > free:
        line += " That is too little: `comp artifacts archive` or `comp artifacts prune --keep N` makes room."
    output.say(line)
