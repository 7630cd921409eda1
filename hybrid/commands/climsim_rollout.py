"""``hybrid climsim rollout``: what archives do in place of the physics of running columns."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hybrid.commands.climsim_generate import SchemeName
from hybrid.commands.run import made_folder
from hybrid.commands.terminal import examples, messages, output


class GuardPolicy(StrEnum):
    """What becomes of a column that the guard flags."""

    flag = "flag"
    clip = "clip"
    zero = "zero"
    host = "host"


def rollout(  # noqa: PLR0913, PLR0917 -- an option each
    archives: Annotated[
        list[Path],
        typer.Argument(
            metavar="ARCHIVE...", exists=True, dir_okay=False, help="Compiled closures."
        ),
    ],
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for scores and figures.")
    ] = Path("results/climsim-rollout"),
    days: Annotated[int, typer.Option(min=1, help="Length of the runs (days).")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weather and random numbers.")] = 0,
    scheme: Annotated[
        SchemeName, typer.Option(help="Physics of the truth.", case_sensitive=False)
    ] = SchemeName.high,
    warming: Annotated[float, typer.Option(help="Warming at the ground [K].")] = 0.0,
    start_day: Annotated[
        int, typer.Option(min=1, max=365, help="Day of the year on which the runs begin.")
    ] = 1,
    damping: Annotated[
        float,
        typer.Option(
            metavar="HOURS",
            help="Time within which the flow damps differences from the truth, from 6 to inf.",
        ),
    ] = 24.0,
    spin_up: Annotated[int, typer.Option(min=0, help="Steps of the truth before the runs.")] = 72,
    guard: Annotated[
        GuardPolicy,
        typer.Option(
            help="What becomes of columns outside the training envelope: computed (flag), inputs "
            "clipped, tendencies zero, or left to the truth's scheme (host)."
        ),
    ] = GuardPolicy.flag,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the columns' physics.")] = 1,
    grid: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="ClimSim's grid file; else generated."),
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw the figures.")] = True,
) -> None:
    """Run columns whose physics is an archive, beside the truth, another scheme and no physics.

    384 columns of 60 levels step by 1200 s under a prescribed large-scale flow; tendencies times
    1200 s are added to the state, wind and cloud too where the archive predicts them. Errors by
    variable and level, drift, residuals of energy and water, precipitation, columns that the
    guard flags or that blow up. An online proxy: the columns are not coupled to each other.
    """
    from hybrid.climsim_generator import solver_grid
    from hybrid.climsim_rollout.files import write_rollout
    from hybrid.climsim_rollout.rollout import RolloutRun, roll_out
    from hybrid.climsim_rollout.settings import RolloutSettings
    from hybrid.climsim_rollout.summary import rollout_tables
    from hybrid.progress import StepProgress, progress_display
    from hybrid.score_table import print_table

    settings = RolloutSettings(
        days=days,
        scheme=scheme.value,
        warming=warming,
        seed=seed,
        start_day=start_day,
        damping=damping,
        spin_up=spin_up,
        policy=guard.value,
        n_thread=threads,
    )
    columns = None if grid is None else solver_grid(grid)
    folder = made_folder(out)
    with StepProgress(progress_display(messages())) as steps:
        steps.start(f"{days} days of {len(archives) + 4} runs")
        run: RolloutRun = roll_out(archives, settings, steps.update, columns)
        written = list(write_rollout(run, folder))
        if figures:
            from hybrid.climsim_rollout.figures import make_figures
            from hybrid.climsim_scores.gallery import save

            steps.start("figures")
            makers = make_figures(run.scores)
            for i, make in enumerate(makers, 1):
                written.append(save(make(), folder))
                steps.update(i / len(makers))
    console = output()
    for table in rollout_tables(run.scores, settings):
        print_table(console, table)
    console.print()
    for path in written:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid climsim``."""
    app.command(
        epilog=examples(
            "hybrid climsim rollout mlp.pt ridge.pt --out results/rollout",
            "hybrid climsim rollout unet.pt --days 30 --damping inf --guard host",
            "hybrid climsim rollout mlp.pt --scheme low --warming 4 --seed 1 --no-figures",
        )
    )(rollout)
