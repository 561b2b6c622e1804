"""Pictures of experiments as they become complete; drawing them never stops what else goes on."""

from collections.abc import Callable

from competition.api import Competition


def drawer(opened: Competition) -> Callable[[str], None]:
    """What draws an experiment's pictures, given its name, and says so on stderr."""

    def draw(name: str) -> None:
        from competition.cli.show import output
        from competition.data.manifest import Manifest
        from competition.errors import CompError
        from competition.report.experiment import draw_experiment
        from competition.store import experiments, splits

        split = splits.of_version(opened.store, experiments.find(opened.store, name).split_version)
        try:
            manifest = Manifest.read(opened.paths.manifest(split.fingerprint))
            drawn = draw_experiment(opened.paths, opened.settings, manifest, name, split.folds)
        except (CompError, OSError) as error:
            output.say(f"The pictures of {name} could not be drawn: {error}")
            return
        output.say(f"Pictures: {', '.join(str(path.relative_to(opened.paths.root)) for path in drawn)}")

    return draw
