"""Closures of moist convection from two schemes as a part of the experiment."""

from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from hybrid.experiments.multifidelity.bed import Tables
from hybrid.experiments.multifidelity.beds import Opened, samples_folder
from hybrid.experiments.multifidelity.figures import r2_profiles
from hybrid.experiments.multifidelity.leads import lead_metrics, lead_table
from hybrid.experiments.multifidelity.tables import Findings, flat_metrics, labels, score_tables
from hybrid.experiments.multifidelity.trainings import jobs_of, trained_findings
from hybrid.experiments.plasim.columns import kept_columns
from hybrid.experiments.plasim.convection.runs import CONVECTION, dump_of
from hybrid.experiments.plasim.convection.study import ConvectionStudy
from hybrid.experiments.plasim.fidelities.bed import (
    CHEAP,
    PRESENT,
    WARM,
    convection_bed,
    convection_tables,
)
from hybrid.experiments.plasim.jobs import STEPS_A_DAY
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.responses import KELVIN
from hybrid.experiments.plasim.running import FINISHED, RESTART, run_model
from hybrid.experiments.plasim.settings import FidelitySettings, Settings
from hybrid.experiments.result import Figure, Request, Table


@dataclass(frozen=True)
class FidelityResult:
    """What the report says of one scheme of low fidelity."""

    metrics: dict[str, float]
    choices: dict[str, str]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class FidelityStudy:
    """Its stages; what is finished stays.

    Parameters
    ----------
    present, warm
        Folders of the runs that recorded columns.
    sizes
        Of the trainings.
    settings
        Of the whole experiment.
    request
        The run.
    """

    present: Path
    warm: Path
    sizes: FidelitySettings
    settings: Settings
    request: Request

    @classmethod
    def begin(
        cls, study: ConvectionStudy, spin_up: Path, folder: Path, sizes: FidelitySettings
    ) -> "FidelityStudy":
        """Record columns over a warmer sea.

        Parameters
        ----------
        study
            That of Kuo's scheme, which has recorded columns of the present.
        spin_up
            Folder of the run up to the common restart.
        folder
            Where runs that are kept for all experiments are.
        sizes
            Of this part.
        """
        host, settings, request = study.host, study.settings, study.request
        schemes = {CONVECTION: dump_of(settings)}
        run = Run(sizes.n_day, schemes, spin_up / RESTART, sea_warmer=KELVIN)
        name = f"{CONVECTION}-{WARM}-{sizes.n_day}-{settings.stride}-{request.seed}-{host.key}"
        on_progress = request.task(f"plasim: columns of convection, +{KELVIN:.0f} K")
        warm = run_model(host, run, folder / name, on_progress)
        return cls(study.recorded, warm, sizes, settings, request)

    def run(self) -> list[FidelityResult]:
        """Train and score what learns from each of the schemes of low fidelity."""
        present = kept_columns(self.present, CONVECTION, self.settings.stride)
        return [self._run(cheap, present) for cheap in CHEAP]

    def _run(self, cheap: str, present: xr.Dataset) -> FidelityResult:
        sizes, opened = self.sizes, self._open(cheap, present)
        jobs = jobs_of(opened.bed.name, sizes.candidates, sizes.n_seed, self.request.seed)
        findings = trained_findings(self.request, sizes.training, opened, jobs)
        return _result(findings, sizes.n_seed)

    def _open(self, cheap: str, present: xr.Dataset) -> Opened:
        runs = "".join((folder / FINISHED).read_text() for folder in (self.present, self.warm))
        bed = convection_bed(cheap, present)
        data = samples_folder(self.request, bed, runs=runs, n_left_out=str(self.sizes.n_left_out))
        if not Tables.are_in(data):
            warm = kept_columns(self.warm, CONVECTION, self.settings.stride)
            counts = warm["step"].to_numpy() >= STEPS_A_DAY * self.sizes.n_left_out
            convection_tables(cheap, present, warm.isel(column=counts)).write(data)
        return Opened(bed, data)


def _result(findings: Findings, n_seed: int) -> FidelityResult:
    several = n_seed > 1
    return FidelityResult(
        metrics=flat_metrics(findings) | (lead_metrics(findings, WARM) if several else {}),
        choices={**labels(findings), f"best_{findings.bed.name}": findings.best()},
        tables=(
            *(table for climate in (PRESENT, WARM) for table in score_tables(findings, climate)),
            *([lead_table(findings, WARM)] if several else []),
        ),
        figures=(r2_profiles(findings),),
    )
