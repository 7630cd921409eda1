"""``hybrid wrap``: TorchScript and Keras files with a hand-written contract become archives."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import torch
from keras_files import climsim_mlp, evaluate, write_h5, write_keras
from torch import Tensor, nn
from typer.testing import CliRunner, Result

import hybrid
from closures.spec import ClosureSpec
from hybrid.archive import read_manifest
from hybrid.cli import app
from hybrid.errors import ExportError, WrapError
from hybrid.scaling import read_scaling
from hybrid.wrap import read_spec, wrap

N_LEVEL = 4
SPEC: dict[str, Any] = {
    "name": "foreign",
    "version": "1.0",
    "inputs": [
        {"name": "t", "units": "K", "dims": ["level"], "shape": [N_LEVEL]},
        {"name": "ps", "units": "Pa"},
        {"name": "q", "units": "kg kg-1", "dims": ["level"], "shape": [N_LEVEL]},
    ],
    "outputs": [
        {"name": "ttend", "units": "K s-1", "dims": ["level"], "shape": [N_LEVEL]},
        {"name": "rain", "units": "m s-1"},
    ],
}
N_INPUT, N_OUTPUT = 9, 5


class FieldByField(nn.Module):
    def forward(self, t: Tensor, ps: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        return t + q * ps[:, None], t.sum(dim=1) - ps


class Stacked(nn.Module):
    def __init__(self, n_output: int = N_OUTPUT) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.layers = nn.Sequential(
                nn.Linear(N_INPUT, 8), nn.Tanh(), nn.Dropout(), nn.Linear(8, n_output)
            )

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.layers(features)
        return result


class FieldsToStacked(nn.Module):
    def forward(self, t: Tensor, ps: Tensor, q: Tensor) -> tuple[Tensor]:
        return (torch.cat([t * q, ps[:, None]], dim=1),)


class OfTwo(nn.Module):
    def forward(self, t: Tensor, ps: Tensor) -> Tensor:
        return t + ps[:, None]


class MixesColumns(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features[:, :5] - features[:, :5].mean(dim=0)


def saved(module: nn.Module, folder: Path) -> Path:
    path = folder / "model.pt"
    torch.jit.save(torch.jit.script(module), path)
    return path


def contract(folder: Path, **changes: Any) -> Path:
    path = folder / "spec.json"
    path.write_text(json.dumps({**SPEC, **changes}))
    return path


def columns(n: int = 11) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"t": (n, N_LEVEL), "ps": (n,), "q": (n, N_LEVEL)}
    return {
        name: rng.uniform(-1, 1, size=shape).astype(np.float32) for name, shape in shapes.items()
    }


def row(values: dict[str, Any]) -> Tensor:
    parts = (values["t"], values["ps"][:, None], values["q"])
    return torch.from_numpy(np.concatenate(parts, axis=1))


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["wrap", *map(str, arguments)])


def test_one_tensor_a_field(tmp_path: Path) -> None:
    out = tmp_path / "archive.pt"
    result = call(saved(FieldByField(), tmp_path), contract(tmp_path), "-o", out)
    assert result.exit_code == 0, result.output
    assert "within 0 eps of model.pt (allowed: 4)" in result.stdout
    assert "foreign: reading model.pt" in result.stderr
    assert "foreign: compiling, and comparing with model.pt" in result.stderr
    values = columns()
    found = hybrid.load(out).evaluate(values)
    t, ps, q = (torch.from_numpy(values[name]) for name in ("t", "ps", "q"))
    expected = FieldByField()(t, ps, q)
    np.testing.assert_allclose(found["ttend"], expected[0].numpy(), rtol=1e-6)
    np.testing.assert_allclose(found["rain"], expected[1].numpy(), rtol=1e-6, atol=1e-6)
    assert read_manifest(out).spec.provenance["wrapped"] == "model.pt"


@pytest.mark.parametrize("frozen", [False, True])
def test_all_features_in_one_tensor(tmp_path: Path, *, frozen: bool) -> None:
    model = Stacked().eval()
    path = tmp_path / "model.pt"
    script = torch.jit.script(model)
    torch.jit.save(torch.jit.freeze(script) if frozen else script, path)
    wrap(path, ClosureSpec.from_dict(SPEC), tmp_path / "archive.pt")
    values = columns()
    found = hybrid.load(tmp_path / "archive.pt").evaluate(values)
    expected = model(row(values)).detach().numpy()
    np.testing.assert_allclose(found["ttend"], expected[:, :N_LEVEL], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["rain"], expected[:, N_LEVEL], rtol=1e-5, atol=1e-6)


def test_traced_and_in_training_mode(tmp_path: Path) -> None:
    model = Stacked()
    traced = torch.jit.trace(model.eval(), torch.zeros(2, N_INPUT))  # type: ignore[no-untyped-call]
    traced.train()
    torch.jit.save(traced, tmp_path / "model.pt")
    wrap(tmp_path / "model.pt", contract(tmp_path), tmp_path / "archive.pt")
    values = columns()
    found = hybrid.load(tmp_path / "archive.pt").evaluate(values)
    expected = model(row(values)).detach().numpy()
    np.testing.assert_allclose(found["rain"], expected[:, N_LEVEL], rtol=1e-5, atol=1e-6)


def test_fields_in_one_tensor_out(tmp_path: Path) -> None:
    wrap(saved(FieldsToStacked(), tmp_path), contract(tmp_path), tmp_path / "archive.pt")
    values = columns()
    found = hybrid.load(tmp_path / "archive.pt").evaluate(values)
    np.testing.assert_array_equal(found["rain"], values["ps"])
    np.testing.assert_array_equal(found["ttend"], values["t"] * values["q"])


def scaling(folder: Path, **changes: Any) -> Path:
    data = {
        "inputs": {
            "t": {"mean": 0.5, "spread": [1.0, 2.0, 4.0, 8.0]},
            "ps": {"mean": -1.0},
            "q": {},
        },
        "outputs": {"ttend": {"spread": 3.0}, "rain": {"mean": 10.0}},
        **changes,
    }
    path = folder / "scaling.json"
    path.write_text(json.dumps(data))
    return path


def test_network_on_normalised_values(tmp_path: Path) -> None:
    model = Stacked().eval()
    out = tmp_path / "archive.pt"
    files = (saved(model, tmp_path), contract(tmp_path), "--scaling", scaling(tmp_path))
    assert call(*files, "-o", out).exit_code == 0
    values = columns()
    found = hybrid.load(out).evaluate(values)
    mean = torch.tensor([0.5] * 4 + [-1.0] + [0.0] * 4)
    spread = torch.tensor([1.0, 2.0, 4.0, 8.0] + [1.0] * 5)
    expected = model((row(values) - mean) / spread).detach().numpy()
    np.testing.assert_allclose(found["ttend"], 3.0 * expected[:, :4], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["rain"], 10.0 + expected[:, 4], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("write", [write_h5, write_keras])
def test_keras_perceptron(write: Callable[..., Path], tmp_path: Path) -> None:
    layers = climsim_mlp(N_INPUT, N_LEVEL, 1)
    model = write(tmp_path / f"mlp.{write.__name__.removeprefix('write_')}", layers)
    out = tmp_path / "archive.pt"
    result = call(model, contract(tmp_path), "-o", out)
    assert result.exit_code == 0, result.output
    values = columns()
    found = hybrid.load(out).evaluate(values)
    expected = evaluate(layers, row(values).double().numpy())
    np.testing.assert_allclose(found["ttend"], expected[:, :N_LEVEL], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["rain"], expected[:, N_LEVEL], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (OfTwo(), r"a forward of 3 arguments \(t, ps, q\), or of one with 9 values .*, got 2 \(t"),
        (
            Stacked(N_OUTPUT + 1),
            r"tensors ttend \(3, 4\), rain \(3,\) for 3 columns, .*, got shapes \(3, 6\); change",
        ),
        (nn.Linear(7, N_OUTPUT), r"got .*shapes cannot be multiplied \(3x9 and 7x5\); change"),
        (Stacked().double(), "got .*dtype.*; change the contract"),
    ],
)
def test_networks_that_do_not_fit(module: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(WrapError, match=message):
        wrap(saved(module, tmp_path), contract(tmp_path), tmp_path / "archive.pt")
    assert not (tmp_path / "archive.pt").exists()


def test_a_network_that_mixes_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="whose columns do not feel each other"):
        wrap(saved(MixesColumns(), tmp_path), contract(tmp_path), tmp_path / "archive.pt")
    assert not (tmp_path / "archive.pt").exists()


def test_files_that_are_no_torchscript(tmp_path: Path) -> None:
    spec, out = contract(tmp_path), tmp_path / "archive.pt"
    with pytest.raises(WrapError, match="expected a TorchScript file, got none; check the path"):
        wrap(tmp_path / "absent.pt", spec, out)
    torch.save(Stacked().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(WrapError, match=r"got a file of torch\.save, which holds weights"):
        wrap(tmp_path / "weights.pt", spec, out)
    (tmp_path / "text.pt").write_text("text")
    with pytest.raises(WrapError, match=r"expected TorchScript, got something else \("):
        wrap(tmp_path / "text.pt", spec, out)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected a contract in JSON, got something else"),
        ("[]", "expected a contract, a JSON object, got a list"),
        ('{"name": "a"}', r"spec.json: spec: expected keys .*, got \['name'\]"),
        (json.dumps({**SPEC, "inputs": 3}), "expected a contract as ClosureSpec.to_json writes"),
        (json.dumps({**SPEC, "inputs": [{"name": "t", "units": "kelvins?"}]}), "UDUNITS-2 knows"),
    ],
)
def test_contracts_that_do_not_read(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(WrapError, match=message):
        wrap(saved(Stacked(), tmp_path), tmp_path / "spec.json", tmp_path / "archive.pt")


def test_a_missing_contract_is_one_message(tmp_path: Path) -> None:
    result = call(saved(Stacked(), tmp_path), tmp_path / "none.json", "-o", tmp_path / "a.pt")
    assert result.exit_code == 1
    assert "none.json: expected a contract, got 'No such file or directory'" in result.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": {"ttend": {}}}, "expected outputs ttend, rain, got ttend; name every field"),
        ({"outputs": {"ttend": 3.0, "rain": {}}}, "'mean' and 'spread' of ttend, got 3.0"),
        (
            {"outputs": {"ttend": {"mean": [1.0, 2.0]}, "rain": {}}},
            "expected a number or 4 numbers as mean of ttend, got",
        ),
        ({"outputs": {"ttend": {"spread": -1.0}, "rain": {}}}, "finite means and spreads >= 0"),
        ({"outputs": 3}, "a JSON object with 'inputs' and 'outputs', got something else"),
    ],
)
def test_scalings_that_do_not_fit(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(WrapError, match=message):
        wrap(
            saved(Stacked(), tmp_path),
            contract(tmp_path),
            tmp_path / "archive.pt",
            scaling=scaling(tmp_path, **changes),
        )


def test_keras_sizes_must_fit_the_contract(tmp_path: Path) -> None:
    model = write_h5(tmp_path / "mlp.h5", climsim_mlp(7, 4, 3))
    message = r"from 9 values a column \(t 4 \+ ps 1 \+ q 4\) to 5 .*, got one from 7 to 7; write"
    with pytest.raises(WrapError, match=message):
        wrap(model, contract(tmp_path), tmp_path / "archive.pt")


def test_climsim_perceptron_with_the_published_scaling(tmp_path: Path) -> None:
    layers = climsim_mlp(N_INPUT, N_LEVEL, 1)
    model = write_h5(tmp_path / "mlp.h5", layers)
    folder = tmp_path / "normalizations"
    files = {
        "inputs/input_mean.nc": {"T": 0.5, "PS": -1.0, "q": 0.0},
        "inputs/input_max.nc": {"T": 1.0, "PS": 2.0, "q": 3.0},
        "inputs/input_min.nc": {"T": -1.0, "PS": 1.0, "q": -1.0},
        "outputs/output_scale.nc": {"ttend": 10.0, "rain": 0.5},
    }
    for name, values in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with netCDF4.Dataset(folder / name, "w") as file:
            file.createDimension("lev", N_LEVEL)
            for variable, value in values.items():
                dims = () if variable in {"PS", "rain"} else ("lev",)
                file.createVariable(variable, "f8", dims)[...] = value
    wrap(model, contract(tmp_path), tmp_path / "archive.pt", scaling=folder)
    given = columns()
    found = hybrid.load(tmp_path / "archive.pt").evaluate(given)
    mean = np.array([0.5] * 4 + [-1.0] + [0.0] * 4)
    spread = np.array([2.0] * 4 + [1.0] + [4.0] * 4)
    expected = evaluate(layers, (row(given).double().numpy() - mean) / spread)
    np.testing.assert_allclose(found["ttend"], expected[:, :4] / 10.0, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found["rain"], expected[:, 4] / 0.5, rtol=1e-5, atol=1e-6)


def test_the_contract_of_the_guide_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "guide" / "wrap.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "convection.json").write_text(blocks[0])
    (tmp_path / "scaling.json").write_text(blocks[1])
    spec = read_spec(tmp_path / "convection.json")
    inputs, outputs = read_scaling(tmp_path / "scaling.json", spec)
    assert inputs.mean[[0, 60]].tolist() == [250.0, 98000.0]
    assert outputs.spread.tolist() == [2e-4] * 60
