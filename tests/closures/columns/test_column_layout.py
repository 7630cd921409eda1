"""Layouts: which feature is what, and the way to channels and back."""

import pytest
import torch
from column_specs import MIXED, V1, V2, column_spec

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout
from closures.errors import SpecError
from closures.field import Field


def test_counts_of_the_variable_sets() -> None:
    assert (V1.n_input, V1.n_output) == (124, 128)
    assert (V2.n_input, V2.n_output) == (557, 368)
    assert (V2.n_channel("inputs"), V2.n_channel("outputs")) == (26, 14)
    assert ColumnLayout.profiles_first(60, (2, 4), (2, 8)) == V1


def test_scalars_may_stand_between_profiles() -> None:
    scalars = V2.features("inputs", "scalar")
    assert scalars == tuple(range(360, 377))
    assert V2.features("inputs", "profile") == (*range(360), *range(377, 557))


@pytest.mark.parametrize("layout", [V1, V2, MIXED])
def test_layout_of_fields(layout: ColumnLayout) -> None:
    spec = column_spec(layout)
    assert ColumnLayout.of_fields(spec.inputs, spec.outputs) == layout


def test_fields_must_share_their_levels() -> None:
    first, second = (Field("a", "K", ("level",), (size,)) for size in (3, 4))
    with pytest.raises(SpecError, match=r"profiles on the same levels.*\[\(3,\), \(4,\)\]"):
        ColumnLayout.of_fields([first], [second])
    with pytest.raises(SpecError, match=r"at least one profile, got shapes \[\]"):
        ColumnLayout.of_fields([Field("a", "K")], [Field("b", "K")])
    with pytest.raises(SpecError, match=r"got shapes \[\(2, 3\)\]"):
        ColumnLayout.of_fields([Field("a", "K", ("y", "x"), (2, 3))], [Field("b", "K")])
    with pytest.raises(SpecError, match=r"got shapes \[\(None,\)\]"):
        ColumnLayout.of_fields([Field("a", "K", ("level",), (None,))], [Field("b", "K")])


def test_a_layout_needs_levels_and_known_kinds() -> None:
    with pytest.raises(ValueError, match="at least one level, one input and one output, got 0, 1"):
        ColumnLayout(0, ("scalar",), ("scalar",))
    with pytest.raises(ValueError, match=r"kinds 'profile' and 'scalar', got \['field'\]"):
        ColumnLayout(1, ("field",), ("scalar",))  # type: ignore[arg-type]


def test_channels_hold_profiles_then_repeated_scalars() -> None:
    features = torch.arange(float(MIXED.n_input)).repeat(2, 1)
    channels = ToChannels(MIXED)(features)
    assert channels.shape == (2, 4, 12)
    assert channels[1, 0].tolist() == list(range(1, 13))
    assert channels[1, 1].tolist() == list(range(14, 26))
    assert channels[1, 2].tolist() == [0.0] * 12
    assert channels[1, 3].tolist() == [13.0] * 12


@pytest.mark.parametrize("layout", [V1, V2, MIXED])
def test_there_and_back_is_the_identity(layout: ColumnLayout) -> None:
    same = ColumnLayout(layout.n_level, layout.outputs, layout.outputs)
    features = torch.randn(3, same.n_input, generator=torch.Generator().manual_seed(0))
    returned = FromChannels(same)(ToChannels(same)(features))
    torch.testing.assert_close(returned, features, rtol=1e-6, atol=1e-7)


def test_scalars_leave_as_the_mean_over_levels() -> None:
    channels = torch.zeros(1, 4, 12)
    channels[0, 2] = torch.arange(12.0)
    outputs = FromChannels(MIXED)(channels)
    assert outputs[0, 0] == 5.5
    assert outputs[0, 1:].abs().max() == 0.0
