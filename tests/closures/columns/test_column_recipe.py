"""Recipes: every model has one, every entry can be set, wrong ones are named."""

import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

from closures import ClosureSpec, Field, SpecError
from closures.climsim.recipes import model_names, recipe, recipe_values, search_ranges
from closures.columns.core import MeanCore
from closures.columns.recipe import RecipeError, make_recipe, overridden
from closures.columns.registry import ARCHITECTURES
from closures.columns.ridge import fit_linear
from closures.columns.scaling import Scaling
from closures.constraints import FieldRanges
from closures.normalization import fit_normalization
from closures.training import Order, TensorBatches


def test_every_architecture_has_a_recipe() -> None:
    assert set(model_names()) == {"ridge", *ARCHITECTURES}
    for name in model_names():
        made = recipe(name)
        assert make_recipe(json.loads(json.dumps(made.to_dict()))) == made


def test_every_entry_can_be_set() -> None:
    made = recipe(
        "mlp",
        [
            "variables=V1",
            "training.n_epoch=3",
            "training.clip=none",
            "sizes.widths=[8, 9]",
            "loss.weights.ptend_t=2",
            "loss.kind=huber",
            "scaling.prune.state_q0001=[0, 12]",
            "physics=['precipitation']",
        ],
    )
    assert (made.training.n_epoch, made.training.clip) == (3, None)
    assert made.chosen_sizes().widths == (8, 9)
    assert made.loss.weights == {"ptend_t": 2, "ptend_q0001": 30}
    assert made.scaling.prune == {"state_q0001": (0, 12)}
    flat = made.flat()
    assert flat["training.clip"] == "none"
    assert flat["loss.kind"] == "huber"
    # What was given as defaults is left as it was.
    assert recipe_values("mlp")["training"]["n_epoch"] == 20
    assert recipe_values("mlp", ["scaling.prune={}"])["scaling"]["prune"] == {}


def test_variables_have_settings_of_their_own_where_the_loss_takes_them() -> None:
    assert recipe("mlp", ["variables=V2"]).loss.weights["ptend_q0003"] == 4
    assert recipe("hsr", ["variables=V2"]).loss.weights == {}
    for name in ("mlp", "hsr"):
        assert recipe(name, ["variables=V2"]).scaling.prune["pbuf_ozone"] == (0, 60)
    assert recipe("mlp", ["variables="]).scaling.prune == {}


def test_searched_entries_exist() -> None:
    for name in search_ranges():
        assert name in recipe("mlp").flat()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trainning.n_epoch=3", "expected names out of model, preset, .* got trainning"),
        ("training.rate=3", "expected training. out of n_epoch, .* got rate"),
        ("training.n_epoch=1.5", "expected training.n_epoch to be int, got 1.5"),
        ("training.n_epoch=true", "expected training.n_epoch to be int, got True"),
        ("training.patience=often", "expected training.patience to be int or none, got 'often'"),
        ("loss.kind=r2", "expected loss.kind to be 'mse' or 'mae' or .* got 'r2'"),
        ("preset=huge", "mlp: expected a preset of tiny, .* got 'huge'"),
        ("sizes.depth=3", "mlp: expected sizes out of widths, .*got depth"),
        ("physics=['gravity']", "physics: expected different layers out of"),
        ("training.n_epoch=0", "at least one epoch"),
        ("training=3", "expected training to be Training, got 3"),
        ("preset.a=3", "setting preset.a: expected a table at 'preset', got a value"),
        ("=3", "expected NAME=VALUE"),
    ],
)
def test_wrong_settings(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe("mlp", [setting])


def test_settings_are_toml_or_text() -> None:
    found = overridden({}, ["a=1", "b=1e-3", "c=text", "d='text'", "e=[1, 2]", "f=true", "g=none"])
    assert found == {
        "a": 1,
        "b": 1e-3,
        "c": "text",
        "d": "text",
        "e": [1, 2],
        "f": True,
        "g": None,
    }


SPEC = ClosureSpec(
    "columns",
    "1.0",
    inputs=(
        Field("q", "1", ("level",), (2,)),
        Field("rh", "1", ("level",), (2,)),
        Field("ps", "Pa"),
    ),
    outputs=(Field("dt", "K s-1", ("level",), (2,)),),
)
RANGES = FieldRanges.of_spec(SPEC)
MEAN, STD = np.array([10.0, 10.0, 0.5, 0.5, 1e5]), np.array([0.1, 5.0, 0.2, 0.2, 1e3])


def test_scaling_by_field() -> None:
    scaling = Scaling(floors={"q": 0.1}, raw=("rh",), prune={"q": (1, 2)})
    found = scaling.inputs(MEAN, STD, RANGES)
    np.testing.assert_array_equal(found.mean, [10.0, 10.0, 0.0, 0.0, 1e5])
    np.testing.assert_array_equal(found.spread, [1.0, 0.0, 1.0, 1.0, 1e3])


def test_own_scaling_goes_before_what_is_usual() -> None:
    found = Scaling(floors={"q": 0.5}, raw=("ps",)).with_defaults({"q": 0.1, "ps": 0.1}, ["rh"])
    assert found.floors == {"q": 0.5}
    assert found.raw == ("ps", "rh")


def test_wrong_scaling() -> None:
    with pytest.raises(SpecError, match="inputs out of q, rh, ps, got 'u'"):
        Scaling(raw=("u",)).inputs(MEAN, STD, RANGES)
    with pytest.raises(SpecError, match="levels of q within 0 and 2, got 0 to 3"):
        Scaling(prune={"q": (0, 3)}).inputs(MEAN, STD, RANGES)
    with pytest.raises(ValueError, match="clip_inputs > 0"):
        Scaling(clip_inputs=0.0)


def test_inputs_are_clipped_inside_the_core() -> None:
    unit = fit_normalization(np.array([[-1.0, -2.0], [1.0, 2.0]]))
    core = MeanCore(nn.Identity(), unit, unit, (), 3.0)
    values = torch.tensor([[10.0, -10.0], [1.0, 2.0]])
    assert core.normalized(values).tolist() == [[3.0, -3.0], [1.0, 1.0]]
    scripted = torch.jit.script(core)
    assert torch.equal(scripted(values)[0], core(values)[0])


def test_ridge_from_sums_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 4)) * [1.0, 2.0, 3.0, 0.0] + [5.0, 0.0, 1.0, 7.0]
    outputs = inputs[:, :2] ** 2 + rng.normal(size=(300, 2))
    x, y = fit_normalization(inputs), fit_normalization(outputs)
    core = MeanCore(nn.Linear(4, 2), x, y, ())
    batches = TensorBatches(
        torch.from_numpy(inputs).float(),
        torch.from_numpy(outputs).float(),
        Order(64, None, drop_last=False),
    )
    fit_linear(core, batches, penalty=10.0, clip_targets=2.0)
    fitted = Ridge(alpha=10.0).fit(x.normalize(inputs), np.clip(y.normalize(outputs), -2.0, 2.0))
    network = core.network
    assert isinstance(network, nn.Linear)
    np.testing.assert_allclose(network.weight.detach(), fitted.coef_, atol=1e-5)
    np.testing.assert_allclose(network.bias.detach(), fitted.intercept_, atol=1e-5)
    with pytest.raises(SpecError, match="expected a linear network, got a Identity"):
        fit_linear(MeanCore(nn.Identity(), x, y, ()), batches, 1.0, 2.0)
