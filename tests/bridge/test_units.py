"""Units that models use, on input and output; what does not convert is refused at once."""

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge import BridgeError
from hybrid.runtime import Binding

# Units of the closure, of the host, and host = slope * closure + offset.
LINEAR = [
    ("Pa", "hPa", 0.01, 0.0),
    ("kg kg-1", "g/kg", 1000.0, 0.0),
    ("K", "degC", 1.0, -273.15),
    ("K", "degF", 1.8, -459.67),
    ("K s-1", "K/day", 86400.0, 0.0),
    ("m s-1", "mm/day", 86.4e6, 0.0),
    ("kg m-2 s-1", "kg m-2 day-1", 86400.0, 0.0),
    ("W m-2", "J m-2 h-1", 3600.0, 0.0),
    ("1", "%", 100.0, 0.0),
    ("m", "m", 1.0, 0.0),
]
OTHER = [
    ("Pa", "K"),
    ("K s-1", "K"),
    # A mass flux is a depth of water only with a density, which the host knows.
    ("kg m-2 s-1", "mm/day"),
    ("1", "m"),
]


class Double(Closure):
    """y = 2 x in the same units, in double precision."""

    def __init__(self, units: str) -> None:
        x, y = Field("x", units, dtype="float64"), Field("y", units, dtype="float64")
        super().__init__(ClosureSpec("double", "1.0", (x,), (y,)))
        self.factor = 2.0

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.factor * x,)


@pytest.fixture(scope="module")
def binding_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Binding]:
    folder = tmp_path_factory.mktemp("units")

    def make(units: str) -> Binding:
        path = folder / f"{units.replace('/', ' per ')}.pt"
        if not path.exists():
            hybrid.export(Double(units), path)
        return hybrid.load(path).create(3)

    return make


@pytest.mark.parametrize(("closure", "host", "slope", "offset"), LINEAR)
def test_input_and_output_are_converted(
    binding_in: Callable[[str], Binding], closure: str, host: str, slope: float, offset: float
) -> None:
    x = np.array([0.5, 1.25, 300.0])
    y = np.zeros(3)
    binding = binding_in(closure)
    binding.put("x", slope * x + offset, dims="column", units=host)
    binding.apply(0)
    binding.get("y", y, dims="column", units=closure)
    np.testing.assert_allclose(y, 2.0 * x, rtol=1e-12)

    binding.put("x", x, dims="column", units=closure)
    binding.apply(0)
    binding.get("y", y, dims="column", units=host)
    # Beside an offset, what is near zero keeps the places of the offset.
    np.testing.assert_allclose(y, slope * 2.0 * x + offset, rtol=1e-12, atol=1e-12 * abs(offset))


@pytest.mark.parametrize(("closure", "host", "slope", "offset"), LINEAR)
def test_increments_are_converted_without_offset(
    binding_in: Callable[[str], Binding], closure: str, host: str, slope: float, offset: float
) -> None:
    binding = binding_in(closure)
    x, y = np.array([0.5, 1.25, 300.0]), np.full(3, 7.0)
    binding.put("x", x, dims="column", units=closure)
    binding.apply(0)
    if offset:
        with pytest.raises(BridgeError, match="an increment has no offset"):
            binding.get("y", y, dims="column", units=host, accumulate=True)
        return
    binding.get("y", y, dims="column", units=host, accumulate=True)
    np.testing.assert_allclose(y, 7.0 + slope * 2.0 * x, rtol=1e-12)


@pytest.mark.parametrize(
    ("closure", "host", "hint"),
    [
        ("K", "C", "; Celsius is 'degC', 'C' is the coulomb"),
        ("m s-1", "kg m-2 s-1", "; a flux of mass divided by the density, of water 1000 kg m-3"),
        ("kg m-2 s-1", "mm/day", "; a flux of mass divided by the density, of water 1000 kg m-3"),
        ("m", "kg", "convert in the host$"),
    ],
)
def test_what_was_probably_meant_is_said(
    binding_in: Callable[[str], Binding], closure: str, host: str, hint: str
) -> None:
    with pytest.raises(BridgeError, match=hint):
        binding_in(closure).bind("x", np.ones(3), dims="column", units=host)


@pytest.mark.parametrize(("closure", "host"), OTHER)
def test_what_does_not_convert_is_refused(
    binding_in: Callable[[str], Binding], closure: str, host: str
) -> None:
    binding = binding_in(closure)
    array = np.ones(3)
    message = f"expected units that convert to or from the closure's '{closure}', got '{host}'"
    for name in ("x", "y"):
        with pytest.raises(BridgeError, match=f"{name}: {message}") as caught:
            binding.bind(name, array, dims="column", units=host)
        assert caught.value.status == 5
    with pytest.raises(BridgeError, match=f"x: {message}"):
        binding.put("x", array, dims="column", units=host)
    binding.put("x", array, dims="column", units=closure)
    binding.apply(0)
    with pytest.raises(BridgeError, match=f"y: {message}"):
        binding.get("y", array, dims="column", units=host)
    binding.get("y", array, dims="column", units=closure)
    assert np.all(array == 2.0)
