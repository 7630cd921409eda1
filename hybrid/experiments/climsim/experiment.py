"""Read, split, train, compile, run in Fortran, score: the whole way for both splits."""

from dataclasses import asdict

from closures.climsim.baselines import PENALTY
from closures.climsim.scoring import largest_difference
from closures.climsim.splits import interleaved, season
from closures.climsim.variables import v1
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.climsim.coupling import Coupled, run_in_fortran
from hybrid.experiments.climsim.figures import cross_section, precipitation, profiles
from hybrid.experiments.climsim.models import Trained, train_models
from hybrid.experiments.climsim.settings import SCALES, Data, Scale, find_data
from hybrid.experiments.climsim.tables import RANKED, best_model, flat_scores, score_table
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.threads import one_thread

SPLITS = {"interleaved": (interleaved, ""), "season": (season, "_season")}
"""How to split, and the suffix of the split's metrics."""


def run(request: Request) -> ExperimentResult:
    """Train ClimSim's MLP on real columns and run it inside a Fortran host.

    Data are the folder of the request, else that of the environment variable
    ``HYBRID_CLIMSIM_DATA``, else a generated sample; the headline says which.

    Raises
    ------
    closures.climsim.files.DataError
        If the data folder holds no ClimSim files.
    fortran_bridge.errors.HostError
        If the Fortran host fails.
    """
    scale = SCALES[request.preset]
    data = find_data(request, "climsim", scale.n_per_month)
    variables = v1(data.grid.n_level)
    depends_on = {"experiment": "climsim", "scale": asdict(scale), "files": data.sizes}
    checkpoint = Checkpoint.open(request, depends_on, len(SPLITS))
    trained: dict[str, Trained] = {}
    coupled: dict[str, Coupled] = {}
    with one_thread():
        for name, (split, _) in SPLITS.items():
            trained[name] = train_models(
                split(data.pairs),
                variables,
                data.grid,
                scale.mlp(request.seed),
                {"data": data.label, "split": name},
                checkpoint.within(name),
                request.task(f"climsim: training, split {name}"),
            )
        for name, result in trained.items():
            coupled[name] = run_in_fortran(
                result.mlp,
                request.out / f"climsim_mlp_{name}.pt",
                result.test,
                variables,
                data.grid,
                request.task(f"climsim: Fortran host, split {name}"),
            )
    label = f"{data.label}, split interleaved"
    main, written = trained["interleaved"], coupled["interleaved"].written.outputs
    return ExperimentResult(
        name="climsim",
        headline=_headline(data, main),
        metrics=_metrics(trained, coupled),
        settings=_settings(data, scale, trained, request),
        choices={
            "data": data.label,
            **{f"best_{name}": best_model(main.scores, name) for name in RANKED},
        },
        tables=tuple(
            score_table(name, trained[name].scores, coupled[name].scores, data.label)
            for name in SPLITS
        ),
        figures=(
            profiles(main, variables, data.grid, label),
            cross_section(main, written, variables, data.grid, label),
            precipitation(main, variables, label),
        ),
        archives=tuple(result.archive for result in coupled.values()),
        generated_data=data.generated,
    )


def _headline(data: Data, trained: Trained) -> str:
    mae = {model: scores["dT"].mae for model, scores in trained.scores.items()}
    origin = (
        "Generated sample, not ClimSim data: no data folder was given, so these scores say "
        "nothing about climate models"
        if data.generated
        else "ClimSim low-resolution files"
    )
    return (
        f"{origin}. {len(data.pairs)} time steps of {data.grid.n_column} columns: on held-out "
        f"time steps the MLP errs by {mae['mlp']:.2f} W m-2 in dT (ridge {mae['ridge']:.2f}, "
        f"climatology {mae['climatology']:.2f})"
    )


def _metrics(trained: dict[str, Trained], coupled: dict[str, Coupled]) -> dict[str, float]:
    metrics = {}
    for name, (_, suffix) in SPLITS.items():
        metrics.update(flat_scores(trained[name].scores, suffix))
    metrics["fortran_minus_python_max"] = max(
        largest_difference(trained[name].scores["mlp"], coupled[name].scores) for name in SPLITS
    )
    return metrics


def _settings(
    data: Data, scale: Scale, trained: dict[str, Trained], request: Request
) -> dict[str, str | int | float]:
    config = scale.mlp(request.seed)
    sizes: dict[str, str | int | float] = {}
    for name, (_, suffix) in SPLITS.items():
        sizes[f"n_train{suffix}"] = trained[name].n_train
        sizes[f"n_test{suffix}"] = len(trained[name].test.inputs)
    return {
        "data": data.label,
        "n_pair": len(data.pairs),
        "n_column": data.grid.n_column,
        **sizes,
        "widths": "-".join(str(width) for width in config.widths),
        "n_epoch": config.training.n_epoch,
        "batch_size": config.training.batch_size,
        "learning_rate": config.training.learning_rate,
        "weight_decay": config.training.weight_decay,
        "ridge_penalty": PENALTY,
        "seed": request.seed,
    }
