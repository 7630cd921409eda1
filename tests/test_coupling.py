"""Archives as closures of two-layer flow: right, restartable, and without Python between steps."""

import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field, Grid
from fortran_bridge.library import noise
from hybrid.coupling import couple
from solvers import SolverBlewUp, TendencyError, TwoLayerQG
from solvers.integration import Integration
from solvers.tendency_source import GridField

RATE = 1e-6
MODEL = TwoLayerQG(nx=32)
LAYERS = (("layer",), (2,))
GRID = (("layer", "y", "x"), (2, 32, 32))


def fields(
    dims: tuple[str, ...] = (), shape: tuple[int, ...] = (), dtype: Any = "float64"
) -> tuple[Field, Field]:
    """Potential vorticity and its tendency."""
    limits = {"valid_min": -1e-4, "valid_max": 1e-4}
    return (
        Field("q", "s-1", dims, shape, dtype, **limits),
        Field("q_tendency", "s-2", dims, shape, dtype),
    )


class Drag(Closure):
    """Linear drag, at each point, on each column of layers, or on the whole grid."""

    def __init__(self, q: Field, q_tendency: Field, grid: Grid | None = None) -> None:
        locality = "grid" if grid else "column"
        spec = ClosureSpec("drag", "1.0", (q,), (q_tendency,), locality=locality, grid=grid)
        super().__init__(spec)

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-RATE * q,)


class Mixing(Closure):
    """Layers are drawn to their mean."""

    def __init__(self) -> None:
        q, q_tendency = fields(*LAYERS)
        super().__init__(ClosureSpec("mixing", "1.0", (q,), (q_tendency,)))

    def forward(self, q: Tensor) -> tuple[Tensor]:
        mean = 0.5 * (q[:, 0] + q[:, 1])
        return (-RATE * (q - mean[:, None]),)


class Upstream(Closure):
    """Each point is drawn to its neighbour in the west."""

    def __init__(self) -> None:
        q, q_tendency = fields(*GRID)
        grid = Grid((1e6 / 32, 1e6 / 32), ("periodic", "periodic"))
        super().__init__(
            ClosureSpec("upstream", "1.0", (q,), (q_tendency,), locality="grid", grid=grid)
        )

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-RATE * (q - torch.roll(q, 1, 3)),)


class Weather(Closure):
    """AR(1) forcing at each point, without inputs."""

    def __init__(self, phi: float = 0.9) -> None:
        super().__init__(
            ClosureSpec(
                name="weather",
                version="1.0",
                inputs=(),
                outputs=(fields()[1],),
                state=(Field("residual", "1", dtype="float64"),),
                noise=(Field("shock", "1", dtype="float64"),),
            )
        )
        self.phi = phi

    def forward(self, residual: Tensor, shock: Tensor) -> tuple[Tensor, Tensor]:
        new = self.phi * residual + shock
        return (1e-12 * new, new)


class Growth(Closure):
    """Grows q, in each step more than in the one before; its state counts the steps."""

    def __init__(self) -> None:
        q, q_tendency = fields()
        count = Field("count", "1", ("part",), (2,), "float32")
        super().__init__(ClosureSpec("growth", "1.0", (q,), (q_tendency,), state=(count,)))

    def forward(self, q: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        return (1e-4 * q * count[:, 0], count + 1.0)


class Root(Closure):
    """No real number where q is above a tenth."""

    def __init__(self) -> None:
        q, q_tendency = fields()
        super().__init__(ClosureSpec("root", "1.0", (q,), (q_tendency,)))

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-RATE * q * torch.sqrt(0.1 - q),)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("archives")
    whole = Grid((1e6 / 32, 1e6 / 32), ("periodic", "periodic"))
    closures = {
        "points": Drag(*fields()),
        "single": Drag(*fields(dtype="float32")),
        "columns": Drag(*fields(*LAYERS)),
        "maps": Drag(*fields(*GRID), whole),
        "rows": Drag(*fields(("y",), (32,))),
        "three layers": Drag(*fields(("layer",), (3,))),
        "levels": Drag(*fields(("level",), (2,))),
        "two shapes": Drag(fields()[0], fields(*LAYERS)[1]),
        "hours": Drag(Field("q", "h-1", dtype="float64"), Field("q_tendency", "s-1 h-1", dtype="float64")),
        "kelvin": Drag(Field("q", "K", dtype="float64"), Field("q_tendency", "K s-1", dtype="float64")),
        "vorticity": Drag(Field("vorticity", "s-1", dtype="float64"), fields()[1]),
        "mixing": Mixing(),
        "upstream": Upstream(),
        "weather": Weather(),
        "white noise": Weather(phi=0.0),
        "growth": Growth(),
        "root": Root(),
    }  # fmt: skip
    for name, closure in closures.items():
        hybrid.export(closure, folder / f"{name}.pt")
    return {name: folder / f"{name}.pt" for name in closures}


def advanced(tendency: Any, n_step: int = 20, model: TwoLayerQG = MODEL, **options: Any) -> Any:
    """Prognostic spectra after some steps."""
    integration = model.start(seed=1, tendency=tendency, **options)
    integration.advance(n_step)
    return integration.prognostic["q"]


def drag(fields: Any, step: int) -> Any:
    return -RATE * fields["q"]


def mixing(fields: Any, step: int) -> Any:
    q = fields["q"]
    return -RATE * (q - 0.5 * (q[0] + q[1]))


def upstream(fields: Any, step: int) -> Any:
    return -RATE * (fields["q"] - np.roll(fields["q"], 1, 2))


@pytest.mark.parametrize("reproducible", [True, False])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("points", drag),
        ("columns", drag),
        ("maps", drag),
        ("mixing", mixing),
        ("upstream", upstream),
    ],
)
def test_an_archive_does_what_a_python_function_does(
    archives: dict[str, Path], name: str, function: Any, reproducible: bool
) -> None:
    # The same operations in the same order and precision: not a bit may differ.
    found = advanced(couple(archives[name], reproducible=reproducible))
    np.testing.assert_array_equal(found, advanced(function))
    assert np.abs(found - advanced(None)).max() > 1e-3 * np.abs(found).max()


def test_units_are_converted(archives: dict[str, Path]) -> None:
    found, expected = advanced(couple(archives["hours"])), advanced(drag)
    # Two conversions round, in each of 20 steps.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=40 * 2.2e-16 * np.abs(expected).max())


def test_precisions_may_differ(archives: dict[str, Path]) -> None:
    expected = advanced(drag)
    effect = np.abs(expected - advanced(None)).max()
    found = advanced(couple(archives["single"]))
    # The closure rounds its own effect to single precision.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=2.0 * 1.2e-7 * effect)
    assert not np.array_equal(found, expected)
    single = TwoLayerQG(nx=32, dtype="float32")
    found = advanced(couple(archives["single"]), model=single)
    expected = advanced(lambda fields, _: np.float32(-RATE) * fields["q"], model=single)
    assert found.dtype == np.complex64
    np.testing.assert_array_equal(found, expected)


def test_names_can_differ(archives: dict[str, Path]) -> None:
    loaded = hybrid.load(archives["vorticity"])
    found = advanced(hybrid.couple(loaded, names={"vorticity": "q"}))
    np.testing.assert_array_equal(found, advanced(drag))


@pytest.mark.parametrize("name", ["mixing", "weather"])
def test_members_threads_and_chunks_do_not_change_a_bit(
    archives: dict[str, Path], name: str
) -> None:
    source = couple(archives[name], seed=3)
    alone = advanced(source)
    initial = MODEL.start(seed=1).fields()["q"].to_numpy()[0]
    one, two = (
        MODEL.start(initial, n_member=3, tendency=source, n_thread=n_thread) for n_thread in (1, 2)
    )
    one.advance(20)
    two.advance(3)
    two.advance(17)
    q = one.prognostic["q"]
    np.testing.assert_array_equal(q, two.prognostic["q"])
    reference = MODEL.start(initial, tendency=source)
    reference.advance(20)
    np.testing.assert_array_equal(q[0], reference.prognostic["q"][0])
    np.testing.assert_allclose(q[0], alone[0], atol=1e-12 * np.abs(alone).max())
    # Members have random numbers of their own.
    assert np.array_equal(q[0], q[1]) == (name == "mixing")


def test_random_numbers_are_those_of_seed_point_and_step(archives: dict[str, Path]) -> None:
    integration = MODEL.start(n_member=2, tendency=couple(archives["white noise"], seed=7))
    integration.advance(5)
    points = 2 * 32 * 32
    for member in range(2):
        expected = noise(7, 0, 4, 1 + member * points + np.arange(points), 1)
        found = integration.closure_outputs(member)[0].array
        np.testing.assert_array_equal(found, 1e-12 * expected.reshape(2, 32, 32))


def test_a_restart_continues_the_closure_bit_for_bit(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    def run(steps: int, initial: Any = None) -> Any:
        tendency = couple(archives["weather"], seed=3)
        n_member = None if initial is not None else 2
        return MODEL.run(
            steps=steps, save_every=steps, initial=initial, n_member=n_member, tendency=tendency
        )

    whole, first = run(20), run(8)
    assert first.restart_closure_residual.dims == (
        *("member", "closure_column", "closure_residual"),
    )
    assert first.restart_closure_residual.shape == (2, 2 * 32 * 32, 1)
    first.to_netcdf(tmp_path / "first.nc")
    with hybrid_dataset(tmp_path / "first.nc") as stored:
        second = run(12, stored)
    for name in ("q", "restart_q", "restart_closure_residual"):
        np.testing.assert_array_equal(whole[name].to_numpy()[-1], second[name].to_numpy()[-1])
    # It matters: without the state, the run goes elsewhere.
    forgetful = run(12, first.drop_vars("restart_closure_residual"))
    assert not np.array_equal(forgetful.q.to_numpy()[-1], whole.q.to_numpy()[-1])


def hybrid_dataset(path: Path) -> Any:
    import xarray as xr

    return xr.open_dataset(path)


def test_a_state_that_is_not_the_closure_s_is_refused(archives: dict[str, Path]) -> None:
    first = MODEL.run(steps=2, tendency=couple(archives["weather"]))
    message = (
        r"initial: expected the state of the closure, count \(1, 2048, 2\), got residual "
        r"\(1, 2048, 1\); continue with the closure and .* drop its variables restart_closure_\*"
    )
    with pytest.raises(ValueError, match=message):
        MODEL.run(steps=2, initial=first, tendency=couple(archives["growth"]))
    with pytest.raises(ValueError, match="expected the state of the closure, none, got residual"):
        MODEL.run(steps=2, initial=first, tendency=drag)
    # A run without a closure, and one that a closure joins, have nothing to continue.
    plain = MODEL.run(steps=2, initial=first)
    assert "restart_closure_residual" not in plain
    joined = MODEL.run(steps=2, initial=plain, tendency=couple(archives["weather"]))
    assert np.all(joined.restart_closure_residual != 0.0)


def test_a_closure_coupled_before_or_after_the_state(archives: dict[str, Path]) -> None:
    first = MODEL.run(steps=5, tendency=couple(archives["weather"]))
    after = MODEL.start(first, tendency=couple(archives["weather"]))
    before = MODEL.start(tendency=couple(archives["weather"]))
    before.advance(1)
    before.continue_from(first)
    for integration in (before, after):
        integration.advance(5)
    np.testing.assert_array_equal(before.prognostic["q"], after.prognostic["q"])


def test_the_state_goes_back_with_a_run_that_blows_up(archives: dict[str, Path]) -> None:
    integration = MODEL.start(seed=1, tendency=couple(archives["growth"]))
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(SolverBlewUp) as blown:
        integration.advance(500)
    last = blown.value.step - 1
    assert 20 < last < 400
    assert np.all(integration.restart()["restart_closure_count"] == last)
    assert np.isfinite(integration.prognostic["q"]).all()


def test_a_closure_that_fails_stops_the_run_with_its_message(archives: dict[str, Path]) -> None:
    initial = np.zeros((3, *MODEL.state_shape))
    initial[1, 0, 0, 16] = 0.5
    # The message comes from the thread that ran the member.
    integration = MODEL.start(initial, tendency=couple(archives["root"]), n_thread=2)
    message = (
        "^two-layer quasi-geostrophic: member 1, step 0: the closure's result q_tendency: expected "
        r"finite values, got NaN in column 17 of 2048 \(column id 2065\); nothing was written$"
    )
    with pytest.raises(TendencyError, match=message):
        integration.advance(10)


def misfit(source: Any, message: str) -> None:
    with pytest.raises(TendencyError, match=message) as misfit:
        MODEL.start(tendency=source)
    listed = "; the solver gives q [s-1] (layer: 2, y: 32, x: 32), u [m s-1] ("
    assert listed in str(misfit.value)
    assert str(misfit.value).endswith("and takes q_tendency [s-2] (layer: 2, y: 32, x: 32)")


def test_what_does_not_fit_is_refused(archives: dict[str, Path]) -> None:
    misfit(
        couple(archives["vorticity"]),
        "^closure drag: vorticity: expected one of q, u, v in the solver, got vorticity;",
    )
    misfit(
        couple(archives["points"], names={"q": "u"}),
        "^closure drag: q: expected units that convert to 's-1', got 'm s-1'",
    )
    misfit(
        couple(archives["points"], names={"Q": "q", "q": "q"}),
        "^closure drag: names: expected keys among q, q_tendency, got Q;",
    )
    misfit(couple(archives["kelvin"]), "^closure drag: q: expected units .* 'K', got 's-1'")
    misfit(
        couple(archives["levels"]),
        r"^closure drag: q: expected dims among \(layer, y, x\), those of q, got \(level\);",
    )
    misfit(
        couple(archives["three layers"]),
        "^closure drag: q: expected 3 along 'layer', got 2; regrid the array or export the closure",
    )
    misfit(
        couple(archives["two shapes"]),
        r"^closure drag: q_tendency: expected columns along \(layer, y, x\) as for q, got \(y, x\)",
    )
    misfit(
        couple(archives["rows"]),
        r"^closure drag: q: expected columns that lie evenly in memory, got those along "
        r"\(layer, x\) of \(layer, y, x\); give the field dims that leave neighbours;",
    )


def test_a_closure_that_does_not_fit_leaves_the_one_before(archives: dict[str, Path]) -> None:
    integration = MODEL.start(seed=1, tendency=couple(archives["points"]))
    with pytest.raises(TendencyError):
        integration.couple(couple(archives["kelvin"]))
    integration.advance(20)
    np.testing.assert_array_equal(integration.prognostic["q"], advanced(drag))


def test_what_a_python_function_may_return() -> None:
    def fails(fields: Any, step: int) -> Any:
        if step == 3:
            raise KeyError("no such table")
        return fields["q"]

    shape = r"\(2, 32, 32\) \(layer, y, x\), got \(32, 32\)"
    for function, error, message in (
        (fails, KeyError, "no such table"),
        (lambda fields, _: fields["q"][0], TendencyError, f"q_tendency: expected shape {shape}"),
        (lambda fields, _: {"q": fields["q"]}, TendencyError, "tendencies of q_tendency, got q"),
        (lambda fields, _: fields["q"].fill(0.0), ValueError, "read-only"),
    ):
        integration = MODEL.start(tendency=function)
        with pytest.raises(error, match=message):
            integration.advance(10)
    with pytest.raises(TypeError, match=r"tendency: expected a function of .*couple.*, got str"):
        MODEL.start(tendency="drag.pt")  # type: ignore[arg-type]


def states_seen_while_nothing_else_runs(integration: Integration) -> int:
    """Count the states that go by while this thread does not let another one run Python."""
    q = integration.prognostic["q"]
    at = (0, 0, 1, 1)
    first, interval = q[at], sys.getswitchinterval()
    run = Thread(target=integration.advance, args=(3000,))
    run.start()
    while q[at] == first and run.is_alive():
        time.sleep(1e-4)
    seen = set()
    sys.setswitchinterval(60.0)
    try:
        end = time.perf_counter() + 0.1
        while time.perf_counter() < end:
            seen.add(complex(q[at]))
    finally:
        sys.setswitchinterval(interval)
        run.join()
    return len(seen)


def test_no_python_runs_between_steps(archives: dict[str, Path]) -> None:
    archive = MODEL.start(seed=1, tendency=couple(archives["maps"]))
    assert states_seen_while_nothing_else_runs(archive) > 20
    # A Python function waits for its turn, which does not come.
    python = MODEL.start(seed=1, tendency=drag)
    assert states_seen_while_nothing_else_runs(python) <= 4


def test_a_source_serves_several_runs(archives: dict[str, Path]) -> None:
    source = couple(archives["weather"], seed=3)
    first, second = (MODEL.start(seed=1, tendency=source) for _ in range(2))
    for _ in range(5):
        first.advance(1)
        second.advance(1)
    np.testing.assert_array_equal(first.prognostic["q"], second.prognostic["q"])


def test_dims_in_any_order(archives: dict[str, Path]) -> None:
    # A solver that keeps layers last; each column is then contiguous.
    q, q_tendency = np.random.default_rng(0).normal(0.0, 1e-5, (2, 4, 3, 2))
    dims = ("y", "x", "layer")
    source = couple(archives["mixing"])
    bound = source.bind(
        0, [GridField("q", "s-1", dims, q)], [GridField("q_tendency", "s-2", dims, q_tendency)]
    )
    integration = MODEL.start()
    integration.couple(source)
    sizes = np.array([8, 1, 1, 1, 2, 4, 3], dtype=np.int64)
    assert called(bound.function, bound.context, sizes) == 0
    mean = q.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(q_tendency, -RATE * (q - mean), rtol=1e-13)


def called(function: int, context: int, sizes: Any) -> int:
    import ctypes

    from solvers.tendency_source import FUNCTION

    pointer = sizes.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    return int(FUNCTION(function)(context, 0, 0, None, None, pointer))
