"""Variable sets: sizes, order and index positions of the papers and networks."""

import tomllib
from importlib.resources import files

import pytest

from closures.climsim.errors import DataError
from closures.climsim.variables import set_names, variable_set

SCALARS = [
    "state_ps", "pbuf_solin", "pbuf_lhflx", "pbuf_shflx", "pbuf_taux", "pbuf_tauy", "pbuf_coszrs",
    "cam_in_aldif", "cam_in_aldir", "cam_in_asdif", "cam_in_asdir", "cam_in_lwup",
    "cam_in_icefrac", "cam_in_landfrac", "cam_in_ocnfrac", "cam_in_snowhice", "cam_in_snowhland",
]  # fmt: skip
SURFACE = [
    f"cam_out_{name}"
    for name in ("netsw", "flwds", "precsc", "precc", "sols", "soll", "solsd", "solld")
]
GASES = ["pbuf_ozone", "pbuf_ch4", "pbuf_n2o"]


def names(set_name: str, group: str) -> list[str]:
    return [variable.field.name for variable in getattr(variable_set(set_name), group)]


@pytest.mark.parametrize(
    ("name", "n_input", "n_output", "pressure", "n_history"),
    [
        ("V1", 124, 128, 120, 0),
        ("V1_albedo", 128, 128, 120, 0),
        ("V2", 557, 368, 360, 0),
        ("v2_rh", 557, 368, 540, 0),
        ("v2_rh_mc", 557, 308, 540, 0),
        ("v4", 1525, 368, 1500, 2),
        ("v5", 1405, 308, 1380, 2),
        ("v6", 1399, 308, 1380, 2),
    ],
)
def test_sizes(name: str, n_input: int, n_output: int, pressure: int, n_history: int) -> None:
    variables = variable_set(name)
    assert (variables.n_input, variables.n_output) == (n_input, n_output)
    assert variables.slices("inputs")["state_ps"] == slice(pressure, pressure + 1)
    assert variables.n_history == n_history
    assert variables.needs_grid == (n_history > 0)
    assert names(name, "outputs")[-8:] == SURFACE
    assert sum(variable.field.size == 60 for variable in variables.inputs) * 60 <= n_input


def test_all_sets_are_tested() -> None:
    assert set_names() == ("V1", "V1_albedo", "V2", "v2_rh", "v2_rh_mc", "v4", "v5", "v6")


def test_v2_has_the_profiles_around_the_scalars() -> None:
    state = [f"state_{name}" for name in ("t", "q0001", "q0002", "q0003", "u", "v")]
    assert names("V2", "inputs") == state + SCALARS + GASES
    assert names("V2", "outputs") == [s.replace("state", "ptend") for s in state] + SURFACE
    assert variable_set("V2").slices("inputs")["pbuf_ozone"] == slice(377, 437)


def test_online_sets_have_all_profiles_first() -> None:
    state = ["state_t", "state_rh", "state_q0002", "state_q0003", "state_u", "state_v"]
    joint = ["state_t", "state_rh", "state_qn", "liq_partition", "state_u", "state_v"]
    assert names("v2_rh", "inputs") == state + GASES + SCALARS
    assert names("v2_rh_mc", "inputs") == joint + GASES + SCALARS
    for name in ("v2_rh", "v2_rh_mc", "v4", "v5", "v6"):
        sizes = [variable.field.size for variable in variable_set(name).inputs]
        assert sizes == sorted(sizes, reverse=True)


def test_memory_of_v4_to_v6() -> None:
    dynamics = [f"state_{name}_dyn" for name in ("t", "q0", "u")]
    v4, v5, v6 = (names(name, "inputs") for name in ("v4", "v5", "v6"))
    for found in (v4, v5, v6):
        assert found[6:12] == dynamics + [f"tm_{name}" for name in dynamics]
    species = ("t", "q0001", "q0002", "q0003", "u")
    physics = [f"state_{name}_prvphy" for name in species]
    assert v4[12:22] == physics + [f"tm_{name}" for name in physics]
    physics = [f"state_{name}_prvphy" for name in ("t", "q0001", "qn", "u")]
    assert v5[12:20] == physics + [f"tm_{name}" for name in physics]
    memory = [f"tm_{name}" for name in (SCALARS[0], *SCALARS[1:4], SCALARS[6])]
    assert v4[-25:] == v5[-25:] == [*SCALARS, *memory, "clat", "slat", "icol"]
    assert v6 == [name for name in v5 if name not in [*memory, "icol"]]


def test_net_sunlight_follows_from_inputs_and_outputs_of_v1_with_albedos() -> None:
    assert names("V1_albedo", "inputs")[:6] == names("V1", "inputs")
    assert names("V1_albedo", "inputs")[6:] == SCALARS[7:11]
    assert names("V1_albedo", "outputs") == names("V1", "outputs")


def test_what_is_read_for_the_memory() -> None:
    variables = variable_set("v5")
    assert set(variables.reads) == {("mli", 0), ("mlo", 0), ("mli", 1), ("mlo", 1), ("mli", 2),
                                    ("mlo", 2)}  # fmt: skip
    assert "state_pmid" in variables.reads["mli", 0]
    assert set(variables.reads["mli", 2]) == {
        "state_t", "state_q0001", "state_q0002", "state_q0003", "state_u",
    }  # fmt: skip
    assert variable_set("V1").reads == {
        ("mli", 0): (
            "state_t", "state_q0001", "state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX",
        ),
        ("mlo", 0): (
            "state_t", "state_q0001", "cam_out_NETSW", "cam_out_FLWDS", "cam_out_PRECSC",
            "cam_out_PRECC", "cam_out_SOLS", "cam_out_SOLL", "cam_out_SOLSD", "cam_out_SOLLD",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", set_names())
def test_units_of_a_change_are_those_of_the_state_by_a_second(name: str) -> None:
    variables = variable_set(name)
    units = {"state_t": "K", "state_q": "kg kg-1", "state_u": "m s-1", "state_v": "m s-1"}
    rates = {"K": "K s-1", "kg kg-1": "kg kg-1 s-1", "m s-1": "m s-2"}
    for variable in variables.inputs + variables.outputs:
        if variable.kind in ("tendency", "dynamics"):
            assert variable.field.units == rates[units[variable.of[0][:7]]]
        if variable.kind == "value" and variable.of[0][:7] in units and variable.field.dims:
            assert variable.field.units == units[variable.of[0][:7]]


@pytest.mark.parametrize("name", set_names())
def test_labels_and_names_are_unique(name: str) -> None:
    variables = variable_set(name)
    for group in (variables.inputs, variables.outputs):
        assert len({variable.label for variable in group}) == len(group)
        assert len({variable.field.name for variable in group}) == len(group)


def test_every_variable_of_the_file_is_used() -> None:
    text = (files("closures.climsim") / "variables.toml").read_text(encoding="utf-8")
    used = {
        variable.field.name
        for name in set_names()
        for variable in variable_set(name).inputs + variable_set(name).outputs
    }
    assert used == {name.lower() for name in tomllib.loads(text)["variables"]}


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(DataError, match=r"expected one of V1, V1_albedo, V2.*, got 'V3'"):
        variable_set("V3")
