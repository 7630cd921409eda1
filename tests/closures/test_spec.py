"""The contract: validation, error texts and the JSON round trip."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fortran_bridge
from closures import ClosureSpec, Field, Grid, SpecError
from hybrid.archive import manifest_text

X = Field("x", "1")
Y = Field("x_tendency", "s-1")
SCHEMA = json.loads((Path(fortran_bridge.__file__).parent / "hybrid.schema.json").read_text())

names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
finite = st.floats(-1e6, 1e6)


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    sizes = draw(st.lists(st.integers(1, 4), max_size=3))
    low, high = sorted((draw(finite), draw(finite)))
    return Field(
        name,
        draw(st.sampled_from(["K", "1", "kg kg-1 s-1", "hPa", "W m-2"])),
        tuple(f"dim_{i}" for i in range(len(sizes))),
        tuple(sizes),
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.sampled_from([None, low])),
        draw(st.sampled_from([None, high])),
        standard_name=draw(st.sampled_from(["", "air_temperature"])),
    )


@st.composite
def specs(draw: st.DrawFn) -> ClosureSpec:
    chosen = draw(st.lists(names, min_size=2, max_size=6, unique=True))
    drawn = [draw(fields(name)) for name in chosen]
    cut = sorted(draw(st.lists(st.integers(1, len(drawn)), min_size=3, max_size=3)))
    groups = [drawn[: cut[0]], drawn[cut[0] : cut[1]], drawn[cut[1] : cut[2]], drawn[cut[2] :]]
    # At least one output, whatever the cuts.
    groups[1] = groups[1] or [groups[0].pop()]
    if not (groups[0] or groups[2] or groups[3]):
        groups[0] = [Field("always_there", "1")]
    inputs, outputs, state, noise = (tuple(group) for group in groups)
    return ClosureSpec("drawn", "1.0", inputs, outputs, state, noise, provenance={"seed": "0"})


@given(specs())
def test_json_round_trip_and_schema(spec: ClosureSpec) -> None:
    assert ClosureSpec.from_json(spec.to_json()) == spec
    jsonschema.validate(json.loads(manifest_text(spec, "torchscript")), SCHEMA)


def test_grid_round_trip() -> None:
    q = Field("q", "s-1", ("layer", "y", "x"), (2, None, None))
    dq = Field("q_tendency", "s-2", ("layer", "y", "x"), (2, None, None))
    grid = Grid((1e4, 1e4), ("periodic", "periodic"), 3)
    spec = ClosureSpec("grid", "1.0", (q,), (dq,), locality="grid", grid=grid)
    assert ClosureSpec.from_json(spec.to_json()) == spec


def test_profile_bounds_round_trip() -> None:
    field = Field("t", "K", ("level",), (3,), valid_min=(1.0, 2.0, 3.0), valid_max=400.0)
    assert Field.from_dict(json.loads(json.dumps(field.to_dict()))) == field
    assert field.size == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field("T", "K"), r"field name: expected lower-case .* got 'T'; rename it"),
        (lambda: Field("t", "Kelvins per fortnite"), "expected units that UDUNITS-2 knows"),
        (lambda: Field("t", "K", ("level",)), r"one size per dimension.*\('level',\).*\(\)"),
        (lambda: Field("t", "K", ("level",), (0,)), r"positive whole .* sizes, got shape \(0,\)"),
        (lambda: Field("t", "K", dtype="float16"), "float32 or float64, got 'float16'"),  # type: ignore[arg-type]
        (
            lambda: Field("t", "K", ("level",), (3,), valid_min=(1.0, 2.0)),
            r"valid_min to be one number or one per element of shape \(3,\), got 2",
        ),
        (lambda: Field("t", "K", valid_min=2.0, valid_max=1.0), "expected valid_min <= valid_max"),
        (
            lambda: Field("t", "K", ("z",), (2,), valid_min=(0.0, 5.0), valid_max=4.0),
            "expected valid_min <= valid_max",
        ),
        (lambda: Field("t", "K", valid_max=float("inf")), "expected a finite valid_max, got inf"),
        (lambda: Field("t", "K", ("column",), (3,)), "none of them 'column' or 'member'"),
        (lambda: Field("t", "K", ("z", "z"), (3, 3)), "expected different names of dimensions"),
        (lambda: Field("t", "K", ("a,b",), (3,)), "t: dimension name: expected lower-case"),
        (lambda: Field.from_dict({"name": "t", "unit": "K"}), "expected keys .* got"),
        (
            lambda: Field("t", "K", ("level"), (60)),  # type: ignore[arg-type]
            r"t: expected dims and shape to be tuples, got 'level' and 60; .*with the comma",
        ),
        (
            lambda: ClosureSpec("a", "1", (X), (Y,)),  # type: ignore[arg-type]
            r"a: expected inputs to be a tuple of Fields, got Field; write inputs=\(Field\(",
        ),
        (
            lambda: ClosureSpec("a", "1", (X,), [Y]),  # type: ignore[arg-type]
            "a: expected outputs to be a tuple of Fields, got list; write outputs=",
        ),
        (
            lambda: ClosureSpec("a", "1", (X,), (Y,), state=("m",)),  # type: ignore[arg-type]
            "a: expected state to be a tuple of Fields, got a tuple with a str; write state=",
        ),
        (lambda: ClosureSpec("a", "1", (X,), ()), "a: expected at least one output, got none"),
        (lambda: ClosureSpec("a", "1", (), (Y,)), "at least one input, state or noise"),
        (lambda: ClosureSpec("a", "1", (X,), (X,)), r"got \['x'\] more than once; rename"),
        (lambda: ClosureSpec("a", "1", (X,), (Y,), locality="grid"), "expected `grid` with"),
        (lambda: ClosureSpec("a", "1", (X,), (Y,), locality="line"), "got 'line'"),  # type: ignore[arg-type]
        (lambda: ClosureSpec.from_dict({"name": "a"}), "spec: expected keys"),
    ],
)
def test_errors_say_what_was_expected(make: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()  # type: ignore[operator]
