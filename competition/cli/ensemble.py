"""`comp ensemble`: blend experiments, honestly."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp ensemble b1 dice-0.5 --name first --explain")(ensemble)


def ensemble(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[EXPERIMENT]...", help="Complete experiments.", show_default="all on this split"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default="e1, e2, …")] = None,
    method: Annotated[str, typer.Option(help="auto, mean, weighted, per-class, vote, geometric or rank.")] = "auto",
    postprocess: Annotated[
        bool,
        typer.Option("--postprocess", help="Also tune thresholds and what is done to regions; taken if they gain."),
    ] = False,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0.0, metavar="SECONDS", help="Choose experiments whose inference takes no longer.", show_default="all"
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --budget: for this many images.", show_default="the test images"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show what each experiment does, and draw what changed.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Blend experiments, score the blend, predict.

    Blends out-of-fold probabilities, scores the blend exactly, and writes the test predictions.

    The weighted score is cross-fitted: the weights that score a fold were fitted without it. The in-sample score is
    shown next to it and is optimistic. `auto` uses fitted weights only if they gain more than one standard error over
    equal ones. By the same rule, `--postprocess` adopts thresholds by class, and then a smallest size, filled holes or
    only the largest region.
    """
    from competition.cli.show import output
    from competition.cli.show.ensemble import show_budget, show_explanation, show_scores
    from competition.ensemble.make import EnsembleRequest

    opened = open_competition(folder)
    request = EnsembleRequest(
        experiments=tuple(names or ()),
        name=name,
        method=method,
        postprocess=postprocess,
        budget_s=budget,
        images=images,
        explain=explain,
    )
    with output.step_bars() as progress:
        made = opened.blend(request, actor=actor_name(as_member), progress=progress)
    if made.pruned:
        output.say(f"Left out, because their probabilities were pruned: {', '.join(made.pruned)}.")
    if as_json:
        output.print_json(made.to_json())
        return
    if made.budget is not None:
        show_budget(opened, made)
        output.out().print()
    show_scores(made.name, made.blend)
    if made.explanation is not None:
        output.out().print()
        show_explanation(opened, made)
    if made.test is not None:
        if made.test.taken_over:
            output.say(made.test.taken_over_note)
        output.say(f"{made.test.images} test predictions: {opened.paths.ensemble(made.name).label_maps}.")
        output.say(f"Other formats: `comp submit {made.name} --format …`.")
    else:
        output.say("The competition has no test images, so there is no submission.")
