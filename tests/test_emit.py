"""``hybrid emit``: what is written, what is refused, and that metadata and Fortran agree."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ccpp_metadata import UNITS, declared, read_metadata, variables
from closure_examples import ColumnNetwork, Persistence
from typer.testing import CliRunner, Result

from closures import ClosureSpec, Field
from closures.spec import Grid
from hybrid.cli import app
from hybrid.emit import SchemeOptions, coupling, scheme, write
from hybrid.emit.names import distinct
from hybrid.emit.units import ccpp_units
from hybrid.errors import EmitError

X = Field("x", "K", ("level",), (3,), standard_name="air_temperature")
Y = Field("y", "K s-1", ("level",), (3,), standard_name="tendency_of_air_temperature")
PLAIN = ClosureSpec("plain", "1.0", (X,), (Y,))
GRID = ClosureSpec(
    "smoothing",
    "1.0",
    (Field("q", "1", ("y", "x"), (3, 4)),),
    (Field("dq", "s-1", ("y", "x"), (3, 4)),),
    locality="grid",
    grid=Grid((1, 0.5), ("periodic", "periodic")),
)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("policy", ["error", "flag", "clip", "zero", "host"])
@pytest.mark.parametrize("closure", [ColumnNetwork, Persistence])
def test_metadata_and_source_agree(
    closure: type[ColumnNetwork] | type[Persistence], policy: str, tmp_path: Path
) -> None:
    spec = closure().spec
    source, metadata = write(scheme(spec, SchemeOptions(policy=policy)), tmp_path)
    properties, tables = read_metadata(metadata)
    assert properties == {"name": spec.name, "type": "scheme", "dependencies": "hybrid.F90"}
    assert list(tables) == [f"{spec.name}_{phase}" for phase in ("init", "run", "final")]
    for subroutine, table in tables.items():
        assert variables(table) == declared(source, subroutine)
        names = [entry["standard_name"] for entry in table.values()]
        assert len(set(names)) == len(names)
        assert names[-2:] == ["ccpp_error_message", "ccpp_error_code"]
        for entry in table.values():
            assert UNITS.fullmatch(entry["units"])
        assert f"!> \\section arg_table_{subroutine} Argument Table\n" in source.read_text()
        assert f"!! \\htmlinclude {subroutine}.html\n" in source.read_text()
    assert max(map(len, source.read_text().splitlines())) <= 100


def test_every_field_is_an_argument_with_its_intent(tmp_path: Path) -> None:
    _, metadata = write(scheme(Persistence().spec), tmp_path)
    run = read_metadata(metadata)[1]["persistence_run"]
    assert {name: entry["intent"] for name, entry in run.items()} == {
        "n_column": "in",
        "step": "in",
        "column_id": "in",
        "x": "in",
        "memory": "inout",
        "x_tendency": "out",
        "errmsg": "out",
        "errflg": "out",
    }
    assert run["n_column"]["standard_name"] == "horizontal_loop_extent"
    assert run["step"]["standard_name"] == "index_of_timestep"
    assert run["memory"]["dimensions"] == "(horizontal_loop_extent, vertical_layer_dimension)"
    assert run["column_id"]["dimensions"] == "(horizontal_loop_extent)"


def test_vertical_fields_say_which_way_is_up(tmp_path: Path) -> None:
    def turned(options: SchemeOptions) -> set[str]:
        _, metadata = write(scheme(Persistence().spec, options), tmp_path, force=True)
        _, tables = read_metadata(metadata)
        arguments = {name: entry for table in tables.values() for name, entry in table.items()}
        marked = {name: e["top_at_one"] for name, e in arguments.items() if "top_at_one" in e}
        assert set(marked.values()) <= {"true"}
        return set(marked)

    # The number of levels and fields without levels have no order.
    assert turned(SchemeOptions()) == {"memory"}
    assert turned(SchemeOptions(top_at_one=False)) == set()
    assert turned(SchemeOptions(dimensions={"level": "number_of_bands"})) == set()


def test_a_coupling_has_the_chosen_policy_units_and_accumulation() -> None:
    options = {"policy": "host", "accumulate": ("y",), "units": {"x": "degC", "y": "K/day"}}
    source = coupling(PLAIN, **options).files["plain_coupling.f90"].replace("&\n", "")  # type: ignore[arg-type]
    words = " ".join(source.split())
    assert "call columns%create(closure, n_column, policy='host', stat=stat" in words
    assert "'column,level', 'degC', stat=stat" in words
    assert "'column,level', 'K/day', accumulate=.true., stat=stat" in words
    plain = coupling(PLAIN).files["plain_coupling.f90"]
    assert "policy='host', " not in plain
    assert "accumulate=.true., " not in plain


def test_last_phase_and_dependencies_are_those_of_the_framework(tmp_path: Path) -> None:
    options = SchemeOptions(final_phase="finalize", dependencies=("machine.F",))
    source, metadata = write(scheme(PLAIN, options), tmp_path)
    properties, tables = read_metadata(metadata)
    assert properties["dependencies"] == "hybrid.F90, machine.F"
    assert list(tables) == ["plain_init", "plain_run", "plain_finalize"]
    assert variables(tables["plain_finalize"]) == declared(source, "plain_finalize")
    assert "  public :: plain_finalize\n" in source.read_text()


@pytest.mark.parametrize(
    ("policy", "accumulate", "intent"),
    [
        ("error", (), "out"),
        ("zero", (), "out"),
        ("host", (), "inout"),
        ("clip", (), "inout"),
        ("error", ("y",), "inout"),
    ],
)
def test_outputs_keep_the_values_of_the_host_only_where_they_must(
    policy: str, accumulate: tuple[str, ...], intent: str, tmp_path: Path
) -> None:
    options = SchemeOptions(policy=policy, accumulate=accumulate)
    _, metadata = write(scheme(PLAIN, options), tmp_path)
    assert read_metadata(metadata)[1]["plain_run"]["y"]["intent"] == intent


def test_standard_names_of_the_archive_are_kept_and_others_warned_of() -> None:
    assert scheme(PLAIN).warnings == ()
    assert "standard_name = air_temperature\n" in scheme(PLAIN).files["plain.meta"]
    nameless = replace(PLAIN, inputs=(replace(X, standard_name="", dims=("band",)),))
    emission = scheme(nameless, SchemeOptions(name="other"))
    assert "standard_name = x_of_other\n" in emission.files["other.meta"]
    assert [warning.split(":")[0] for warning in emission.warnings] == ["x", "dimension band"]
    assert "with --standard-name x=NAME" in emission.warnings[0]
    assert "with --dimension band=NAME" in emission.warnings[1]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("K", "K"),
        ("1", "1"),
        ("W/m^2", "W m-2"),
        ("kg.kg-1.s-1", "kg kg-1 s-1"),
        ("m**2 s**-2", "m2 s-2"),
        ("1/s", "s-1"),
        ("hPa", "hPa"),
        ("degC", "degC"),
        ("%", "1"),
        ("1e-3 kg/kg", "1"),
        ("1e-6 m s-1", "m s-1"),
    ],
)
def test_units_are_written_as_ccpp_does(units: str, expected: str) -> None:
    assert ccpp_units(units) == expected


def test_units_without_a_plain_form_are_refused() -> None:
    with pytest.raises(EmitError, match=r"units 'lg\(re 1 mW\)': expected units that CCPP can"):
        ccpp_units("lg(re 1 mW)")


def test_names_that_are_taken_get_a_suffix() -> None:
    names = distinct(["a", "a_field", "b"], taken=["a"])
    assert names == {"a": "a_field_2", "a_field": "a_field", "b": "b"}
    long = "b" * 63
    assert distinct([long], taken=[long])[long] == "b" * 57 + "_field"


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "final phase": (
        lambda: scheme(PLAIN, SchemeOptions(final_phase="last")),
        "final phase: expected one of final, finalize, got 'last'",
    ),
    "units of a coupling": (
        lambda: coupling(PLAIN, units={"x": "Pa"}),
        "x: expected units that convert to 'K', got 'Pa'",
    ),
    "policy of a coupling": (
        lambda: coupling(PLAIN, policy="skip"),
        "policy: expected one of error, flag, clip, zero, host, got 'skip'",
    ),
    "accumulated input of a coupling": (
        lambda: coupling(PLAIN, accumulate=("x",)),
        "accumulate: expected one of y, got 'x'",
    ),
    "grid": (lambda: scheme(GRID), "smoothing: expected a closure of independent columns, got"),
    "two sizes": (
        lambda: scheme(replace(PLAIN, inputs=(replace(X, shape=(4,)),))),
        "y: expected 4 elements along 'level', as of the fields before it, got 3; give",
    ),
    "same standard name": (
        lambda: scheme(replace(PLAIN, outputs=(replace(Y, standard_name="air_temperature"),))),
        "y: expected a standard name of its own, got 'air_temperature', which x has too",
    ),
    "not a standard name": (
        lambda: scheme(replace(PLAIN, inputs=(replace(X, standard_name="air temperature"),))),
        "x: expected a standard name of lower-case letters, digits and underscores, got 'air t",
    ),
    "units that do not convert": (
        lambda: scheme(PLAIN, SchemeOptions(units={"x": "Pa"})),
        "x: expected units in the notation of CCPP, such as 'W m-2', that convert to 'K', got 'Pa'",
    ),
    "units of another notation": (
        lambda: scheme(PLAIN, SchemeOptions(units={"y": "K/day"})),
        "y: expected units in the notation of CCPP, such as 'W m-2', that convert to 'K s-1'",
    ),
    "unknown field": (
        lambda: scheme(PLAIN, SchemeOptions(standard_names={"z": "air_temperature"})),
        "standard name: expected one of x, y, got 'z'",
    ),
    "accumulated input": (
        lambda: scheme(PLAIN, SchemeOptions(accumulate=("x",))),
        "accumulate: expected one of y, got 'x'",
    ),
    "dimension name": (
        lambda: scheme(PLAIN, SchemeOptions(dimensions={"level": "a b"})),
        "dimension level: expected a standard name of lower-case letters",
    ),
    "scheme name": (
        lambda: scheme(PLAIN, SchemeOptions(name="My-Scheme")),
        "scheme: expected lower-case letters, digits and underscores, starting with a letter",
    ),
    "name like a phase": (
        lambda: scheme(PLAIN, SchemeOptions(name="learned_run")),
        "scheme: expected a name that is no module used here and does not end like a phase",
    ),
    "policy": (
        lambda: scheme(PLAIN, SchemeOptions(policy="ignore")),
        "policy: expected one of error, flag, clip, zero, host, got 'ignore'",
    ),
    "module name": (
        lambda: coupling(PLAIN, name="hybrid"),
        "module: expected another name than that of the bridge's own module",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_emitted_is_said_clearly(case: str) -> None:
    emit, message = REFUSED[case]
    with pytest.raises(EmitError) as caught:
        emit()
    assert str(caught.value).startswith(message)


def test_command_writes_and_does_not_overwrite(column_archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "physics"
    command = ("emit", "ccpp", column_archive, "--out", folder, "--name", "learned")
    result = call(*command, "--standard-name", "state_t=air_temperature", "--units", "state_ps=hPa")
    assert result.exit_code == 0, result.stderr
    paths = [folder / "learned.F90", folder / "learned.meta"]
    assert result.stdout.split() == [str(path) for path in paths]
    warned = [line.split(":")[1] for line in result.stderr.splitlines()]
    assert warned == [" state_ps", " ptend_t", " precipitation"]
    assert "units = hPa\n" in paths[1].read_text()
    before = paths[0].read_text()
    again = call(*command, "--policy", "host")
    assert again.exit_code == 1
    assert again.stderr.startswith(f"error: {paths[0]}: expected no such file, got one; give --f")
    assert paths[0].read_text() == before
    assert call(*command, "--policy", "host", "--force").exit_code == 0
    assert "policy='host'" in paths[0].read_text()


def test_command_writes_a_module(column_archive: Path, tmp_path: Path) -> None:
    result = call("emit", "fortran", column_archive, "--out", tmp_path, "--column-last")
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "column_network_coupling.f90").read_text()
    assert "columns%put('state_t', state_t, 'level,column', 'K', " in text


@pytest.mark.parametrize("pair", ["state_t", "=a", "state_t="])
def test_command_says_how_pairs_are_written(pair: str, column_archive: Path) -> None:
    result = call("emit", "ccpp", column_archive, "--units", pair)
    assert result.exit_code == 2
    assert "expected NAME=VALUE" in result.stderr


def test_command_refuses_what_is_no_archive(tmp_path: Path) -> None:
    for kind in ("ccpp", "fortran"):
        result = call("emit", kind, tmp_path / "none.pt", "--out", tmp_path)
        assert result.exit_code == 1
        assert "none.pt: expected a closure archive, got no such file" in result.stderr
    assert list(tmp_path.iterdir()) == []
