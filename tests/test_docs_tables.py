"""The numbers in README.md and in the guide are those of committed results."""

import json
from dataclasses import asdict
from itertools import product
from pathlib import Path
from re import fullmatch

import column_tables
import cost_tables
import emulator_tables
import model_error_tables
import multifidelity_tables
import plasim_tables
import pytest
import quick_tables
import tables
import two_layer_tables
from markdown_table import markdown_table

from hybrid.experiments.quasigeostrophic.calibration.coefficients import CALIBRATED

DOCS = Path(__file__).parents[1] / "docs"


def test_readme_holds_the_committed_results() -> None:
    text = tables.README.read_text()
    assert text.count("<!-- table: ") == 7
    assert tables.with_tables(text) == text


def test_the_guide_holds_the_committed_overheads() -> None:
    text = tables.COST.read_text()
    assert text.count("<!-- table: ") == 1
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "bridge-overhead.json").read_text())
    share = results["records"][0]["bridge"][0]
    share.update(ratio=9.87, high=10.0)
    assert "9.87 (10.00)" in cost_tables.overhead_table(results)


def test_the_page_on_plasim_holds_the_committed_results() -> None:
    text = tables.PLASIM.read_text()
    assert text.count("<!-- table: ") == 10
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "plasim-full.json").read_text())
    results |= {"dOLR": 9.87, "longwave_time_ratio": 0.987}
    assert "| +9.870 |" in plasim_tables.plasim_climate_table(results)
    assert "| the closure | 0.987 |" in plasim_tables.plasim_column_table(results)
    results |= {"day_ratio_closure": 0.87, "feedback_native": -1.234, "zonal_T_rms": 0.987}
    assert "| the closures | 0.87 |" in plasim_tables.plasim_day_table(results)
    assert "| -1.23 ± " in plasim_tables.plasim_response_table(results)
    assert "| 0.99 |" in plasim_tables.plasim_zonal_table(results)
    results |= {"Ts_trend_native": 9.87, "convection_adjustment_r2_heating_p4k_mf": 9.87}
    assert "| +9.870 |" in plasim_tables.plasim_trend_table(results)
    assert "| 9.87 / " in plasim_tables.plasim_fidelity_table(results)


def test_the_page_of_the_column_host_holds_the_committed_costs() -> None:
    text = tables.COLUMN_HOST.read_text()
    assert text.count("<!-- table: ") == 1
    assert tables.with_tables(text) == text


def test_the_page_of_the_emulators_holds_the_committed_scores() -> None:
    text = tables.EMULATORS.read_text()
    assert text.count("<!-- table: ") == 5
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "emulators-full.json").read_text())
    results["mae_dT_mlp_interleaved"] = 9.87
    rows = emulator_tables.emulator_scores_table(results, "interleaved").splitlines()
    (row,) = (row for row in rows if row.startswith("| mlp |"))
    assert row.startswith("| mlp | v2_rh_mc | 9.87 |")


def test_the_page_on_multifidelity_holds_the_committed_scores() -> None:
    text = tables.MULTIFIDELITY.read_text()
    assert text.count("<!-- table: ") == 6
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "multifidelity-full.json").read_text())
    results |= {"r2_heating_p4k_mf": 0.987, "lead_r2_heating_p4k_hf_low": -0.123}
    table = multifidelity_tables.shifted_table(results, multifidelity_tables.GENERATED)
    (row,) = (r for r in table.splitlines() if r.startswith("| MF-RPN |"))
    assert row.split(" | ")[2] == "0.987"
    table = multifidelity_tables.lead_table(results, multifidelity_tables.GENERATED)
    (row,) = (r for r in table.splitlines() if r.startswith("| HF alone |"))
    assert "(-0.123 to " in row


def test_multifidelity_meets_its_bars() -> None:
    results = json.loads((DOCS / "results" / "multifidelity-full.json").read_text())
    beds = (
        ("", ("heating", "moistening"), ("p4k",)),
        ("lorenz96_", ("subgrid",), ("f24", "f28")),
    )
    for prefix, variables, climates in beds:
        for variable, climate, other in product(variables, climates, ("lf", "hf", "pooled", "det")):
            for score in ("r2", "crps"):
                assert results[f"{prefix}lead_{score}_{variable}_{climate}_{other}_low"] > 0.0
    for variable, other in product(("heating", "moistening"), ("lf", "hf", "pooled", "det")):
        assert results[f"climsim_lead_crps_{variable}_warm_{other}_low"] > 0.0
    for other in ("lf", "hf", "pooled", "det"):
        for forcing in (24, 28):
            distance = results[f"lorenz96_hellinger_f{forcing}_mf"]
            assert distance < results[f"lorenz96_hellinger_f{forcing}_{other}"]
    for variable in ("heating", "moistening"):
        assert results[f"r2_lowest_{variable}_p4k_mf"] > 0.0
        assert results[f"crps_{variable}_p4k_mf"] < results[f"crps_{variable}_p4k_mf_published"]
    assert 0.85 <= results["coverage90_present"] <= 0.95
    assert results["coverage90_p4k"] >= 0.75


def test_the_page_on_columns_holds_the_committed_rollout() -> None:
    text = tables.COLUMNS.read_text()
    assert text.count("<!-- table: ") == 3
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "column-rollout.json").read_text())
    run = results["damping"]["inf h"]["no physics"]
    run.update(rmse_end_T=98.7, lost=0.5)
    assert "98.7 | 50 %" in column_tables.column_rollout_table(results)
    run.update(rmse_end_T=None)
    assert " |  | 50 %" in column_tables.column_rollout_table(results)


def test_the_page_on_model_error_holds_the_committed_discoveries() -> None:
    text = tables.MODEL_ERROR.read_text()
    assert text.count("<!-- table: ") == 5
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "medida-ks-full.json").read_text())
    # What the text says of calibration, the floor and the Lyapunov time.
    assert [f"{results[f'z_rms_{level}']:.2f}" for level in ("n05", "n1", "n2")] == [
        "1.06",
        "1.02",
        "0.98",
    ]
    floor = results["climate_floor"]
    assert f"{floor:.4f}" == "0.0037"
    assert f"{1.0 / results['lyapunov_exponent']:.1f}" == "10.9"
    strength = "detected_strength_"
    rates = {
        value: results[name.replace(strength, "detected_")]
        for name, value in results.items()
        if name.startswith(strength) and name.endswith("_n1")
    }
    assert min(rate for value, rate in rates.items() if value >= 7.0) >= 0.9
    assert {rate for value, rate in rates.items() if 5.0 < value < 7.0} == {0.8, 0.85}
    names = results["choices"]["cases"].split(", ")
    assert all(results[f"w1_corrected_{name}"] <= floor for name in names)
    beyond = [name for name in names if results[f"w1_corrected_n1_{name}"] > floor]
    assert beyond == ["dispersion_no_advection", "cubic_0p015"]
    cases = range(1001, 1010)
    full, quick = (
        json.loads((DOCS / "results" / f"medida-qg-{preset}.json").read_text())
        for preset in ("full", "quick")
    )
    assert sum(full[f"forecast_{case}"] <= 1e-3 for case in cases) == 9
    assert sum(full[f"forecast_{case}_sparse"] <= 0.05 for case in cases) == 8
    assert sum(quick[f"forecast_{case}_sparse"] <= 0.05 for case in cases) == 5
    for suffix, n_within in (("", 9), ("_sparse", 4)):
        within = [full[f"climate_{case}{suffix}"] <= full["climate_floor"] for case in cases]
        assert sum(within) == n_within
    results["eps_mixed_n1"] = 98.76
    (row,) = (
        r
        for r in model_error_tables.medida_ks_table(results).splitlines()
        if r.startswith("| mixed |")
    )
    assert "| 99 (100 %) |" in row


def test_the_page_on_learned_turbulence_holds_the_committed_scores() -> None:
    text = tables.LEARNED_TURBULENCE.read_text()
    assert text.count("<!-- table: ") == 3
    assert tables.with_tables(text) == text


def test_what_the_page_on_learned_turbulence_says_of_its_tables() -> None:
    results = json.loads((DOCS / "results" / "smarl-full.json").read_text())

    def lse(name: str, regime: str = "") -> str:
        return f"{results[f'lse_{name}{regime}']:.3f}"

    assert lse("floor") == "0.016"
    assert (lse("leith"), lse("leith_biharmonic"), lse("cma")) == ("0.065", "0.038", "0.028")
    assert results["w1_cma"] <= results["w1_leith_biharmonic"]
    assert (results["passed_cma"], results["passed_leith_biharmonic"]) == (5.0, 1.0)
    assert (results["passed_cma_spectrum"], results["passed_cma_published"]) == (1.0, 3.0)
    for regime in ("_jets", "_small", "_turbulent"):
        assert results[f"lse_cma{regime}"] <= results[f"lse_dynamic_leith{regime}"]
        is_ahead = results[f"lse_cma{regime}"] < results[f"lse_leith_biharmonic{regime}"]
        assert is_ahead == (regime != "_jets")
    assert results["choices"]["best_learned"] == "cma_plain"
    assert results["choices"]["best_learned_seed"] == "2"
    assert lse("best_learned") == "0.023"
    assert (lse("best_learned", "_jets"), lse("dynamic_leith", "_jets")) == ("0.193", "0.137")


def test_bars_of_learned_turbulence_are_reached() -> None:
    results = json.loads((DOCS / "results" / "smarl-full.json").read_text())
    assert results["lse_best_learned"] <= 0.65 * results["lse_dynamic_leith"]
    most = max(1.4 * results["w1_dynamic_leith"], 2.0 * results["w1_floor"])
    assert results["w1_best_learned"] <= most
    assert abs(results["t3_best_learned"]) <= 0.15
    assert abs(results["t4_best_learned"]) <= 0.30
    assert results["blowups_best_learned"] == 0.0
    assert results["settings"]["n_run"] >= 20
    assert results["cost_best_learned"] <= 1.5
    assert results["passed_cma"] >= 3.0
    assert results["learned_ppo"] >= 3.0


def test_zeros_have_no_sign() -> None:
    cells = ["-0", "-0.00 (-0.0)", "-0.001", "-0.05", "1e-0", "level-0", "2001-02-00"]
    found = markdown_table(["name"], [cells]).splitlines()[-1]
    assert found == "| 0 | 0.00 (0.0) | -0.001 | -0.05 | 1e-0 | level-0 | 2001-02-00 |"


def test_regressions_are_compared_on_the_finest_grid_with_ours() -> None:
    records = [
        {"size": size, "library": library, "regression": name, "right": right, "cases": 21,
         "error": 0.123 * right, "seconds": seconds * size}
        for size in (128, 256)
        for library in ("exact", "noisy")
        for name, right, seconds in (("RVM", 21, 0.01), ("STLSQ", size // 32, 0.04))
    ]  # fmt: skip
    table = model_error_tables.sparse_regression_table({"records": records}).splitlines()
    assert table[0] == "| regression | exact | noisy | time / RVM |"
    assert table[2:] == [
        "| RVM | 21 of 21 (2.6 %) | 21 of 21 (2.6 %) | 1 |",
        "| STLSQ | 8 of 21 (0.98 %) | 8 of 21 (0.98 %) | 4 |",
    ]


def test_a_changed_result_would_be_noticed() -> None:
    results = json.loads((DOCS / "results" / "lorenz96-quick.json").read_text())
    before = quick_tables.lorenz96_table(results)
    results["hellinger_none_c4"] *= 1.1
    assert quick_tables.lorenz96_table(results) != before


@pytest.mark.parametrize("name", ["lorenz96", "climsim", "medida-ks"])
def test_results_name_their_run(name: str) -> None:
    results = json.loads((DOCS / "results" / f"{name}-quick.json").read_text())
    assert results["experiment"] == name
    assert results["preset"] == "quick"
    assert results["versions"]["torch"].startswith("2.13")


def test_the_page_of_the_two_layer_benchmark_holds_the_committed_scores() -> None:
    text = tables.TWO_LAYER.read_text()
    assert text.count("<!-- table: ") == 10
    assert tables.with_tables(text) == text
    results = json.loads((DOCS / "results" / "quasigeostrophic-full.json").read_text())
    results["ceiling_eddy_enstrophy_1_truncated"] = 0.987
    assert "| enstrophy 1 | 0.99 |" in two_layer_tables.two_layer_ceiling_table(results)


def test_tables_of_fits_and_networks_hold_their_numbers() -> None:
    fit = {
        "c6": 0.000712,
        "exponent": 0.61,
        "returned": 1.234,
        "cutoff": 0.7654,
        "mean_eddy": 0.8,
        "worst_eddy": 0.5,
        "mean_middle": 0.7,
        "worst_middle": 0.3,
        "runs": 128,
    }
    spread = {"c6_spread": 0.00011, "returned_spread": 0.02, "cutoff_spread": 0.01}
    spread["exponent_spread"] = 0.1
    results = {f"fit_0_{name}": value for name, value in (fit | spread).items()}
    row = (
        "| 1 | 0.00071 ± 0.00011 | 0.61 ± 0.10 | 1.23 ± 0.02 | 0.765 ± 0.010 "
        "| 0.80 | 0.50 | 0.70 | 0.30 | 128 |"
    )
    assert row in two_layer_tables.two_layer_fit_table(results)
    results = {
        "training_weights_gated": 544.0,
        "training_samples_gated": 1032.0,
        "training_seconds_gated": 900.0,
        "offline_corr_upper_gated": 0.844,
        "offline_corr_lower_gated": 0.9,
        "offline_jet_corr_upper_gated": 0.83,
        "offline_jet_corr_lower_gated": 0.81,
    }
    found = two_layer_tables.two_layer_network_table(results)
    assert "| 544 | 1032 | 0.25 | 0.84 / 0.90 | 0.83 / 0.81 |" in found
    assert "as published" in found


def test_the_table_of_fortran_has_both_scores_and_what_chance_leaves() -> None:
    results = {
        "hosted_mean_gated_online": 0.71,
        "hosted_difference_mean_gated_online": 0.02,
        "hosted_difference_mean_gated_online_interval": 0.03,
        "hosted_floor_mean_gated_online": 0.08,
    }
    found = two_layer_tables.two_layer_hosted_table(results)
    assert "trained in runs, mean | 0.69 | 0.71 | 0.02 ± 0.03 | 0.08 |" in found


def test_the_table_of_energy_ends_with_the_rates_of_the_target() -> None:
    results = {
        "offline_energy_given_sparse": 1.034,
        "offline_energy_taken_sparse": 0.95,
        "offline_jet_energy_given_sparse": 3.4,
    }
    kinds = ("given", "taken")
    results |= {f"offline_target_energy_{kind}": 1.62e-11 for kind in kinds}
    results |= {f"offline_jet_target_energy_{kind}": 9.8e-13 for kind in kinds}
    *_, closure, target = two_layer_tables.two_layer_exchange_table(results).splitlines()
    assert closure == "| symbolic, sparse regression | 1.03 | 0.95 | 3.40 |  |"
    assert target == "| subgrid tendency [m2 s-3] | 1.6e-11 | 1.6e-11 | 9.8e-13 | 9.8e-13 |"


def test_the_table_of_energy_in_runs_has_net_rates() -> None:
    results = {
        "energy_eddy_given_truth": 0.0,
        "energy_eddy_taken_truth": 9.4e-13,
        "energy_eddy_given_target": 1.64e-11,
        "energy_eddy_taken_target": 1.74e-11,
        "energy_jet_given_target": 9e-13,
        "energy_jet_taken_target": 9.6e-13,
    }
    *_, truth, target = two_layer_tables.two_layer_energy_table(results).splitlines()
    assert truth == "| truth, its own filter | 0.00 | 0.94 | -0.94 |  |  |  |"
    assert target == (
        "| subgrid tendency, second half of a run | 16.40 | 17.40 | -1.00 | 0.90 | 0.96 | -0.06 |"
    )


def test_the_table_of_terms_has_units() -> None:
    results = {"sparse_upper_lap2_a_vorticity": 2.54e15, "sparse_lower_lap3_v": -1.44e12}
    found = two_layer_tables.two_layer_sparse_table(results)
    assert "| upper | lap^2 A vorticity | 2.54e+15 | m4 |" in found
    assert "| lower | lap^3 v | -1.44e+12 | m5 s-1 |" in found


def test_the_calibrated_coefficients_are_those_that_were_fitted() -> None:
    results = json.loads((DOCS / "results" / "quasigeostrophic-full.json").read_text())
    last = max(key for key in results if fullmatch(r"fit_\d+_c6", key)).removesuffix("_c6")
    for name, value in asdict(CALIBRATED).items():
        # Rounded, by less than a fifth of the standard deviation.
        assert abs(value - results[f"{last}_{name}"]) < 0.2 * results[f"{last}_{name}_spread"]
