"""The page on performance is that of committed results, and no page claims a speed of its own."""

import json
import shutil
from pathlib import Path
from typing import Any

import performance
import performance_figures
import performance_sections
import performance_tables
import pytest
import tables
import values
from speed_claims import speed_claims

from benchmarks.groups import Group

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("guide/*.md"))]
PAGES = [page for page in WRITTEN if page != performance.PAGE]


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "results" / name).read_text())
    return found


def test_the_page_is_what_its_program_writes() -> None:
    assert performance.PAGE.read_text() == performance.page()


def test_every_table_names_its_command_machine_threads_and_versions() -> None:
    there = [s for s in performance_sections.SECTIONS if (DOCS / "results" / s.file).is_file()]
    text = performance.page()
    for section in there:
        part = text.partition(f"\n## {section.title}\n")[2].partition("\n## ")[0]
        last = part.strip().splitlines()[-1]
        assert last.startswith("*`python -m benchmarks ")
        threads = section.n_thread or "one thread"
        assert f"--json docs/results/{section.file}`, AMD EPYC, {threads}; " in last
        assert "torch 2.13.0" in last
        assert part.count("| --- |") == len(section.tables)


def test_commands_name_groups_that_are_there() -> None:
    for section in performance_sections.SECTIONS:
        assert set(section.groups) <= set(Group)
        assert set(section.shown) <= set(section.groups)


def test_a_subject_without_results_is_left_out(tmp_path: Path) -> None:
    assert "## " not in performance.page(tmp_path)
    shutil.copy(DOCS / "results" / "eddy-viscosity.json", tmp_path)
    assert performance.page(tmp_path).count("\n## ") == 1


def engines() -> dict[str, Any]:
    records = [
        {"group": "engines", "net": net, "n_column": n, "way": way, "isa": isa, "seconds": 1e-5,
         "speed_up": speed_up, "low": 0.9 * speed_up, "high": 1.1 * speed_up}
        for net in ("A", "B")
        for way, isa, speed_up in (
            ("by hand", "", 1.0), ("bridge, native", "", 40.0), ("bridge, native", "v3", 30.0)
        )
        for n in (1, 16)
        if (isa, n) != ("v3", 16)
    ]  # fmt: skip
    return {"machine": "A", "threads": 1, "versions": {"numpy": "2"}, "records": records,
            "command": "python -m benchmarks engines"}  # fmt: skip


def test_engines_appear_as_soon_as_there_are_results(tmp_path: Path) -> None:
    (tmp_path / "engines.json").write_text(json.dumps(engines()))
    lines = performance.page(tmp_path).splitlines()
    assert "| net A, columns | 1 | 16 |" in lines
    assert "| by hand [µs] | 10 | 10 |" in lines
    assert "| bridge, native | 40.00 (36.00 to 44.00) | 40.00 (36.00 to 44.00) |" in lines
    # A case that was not measured is an empty cell.
    assert "| bridge, native, v3 | 30.00 (27.00 to 33.00) |  |" in lines
    assert lines[-1].startswith("*`python -m benchmarks engines --json docs/results/engines.json`")
    axes = performance_figures.engines_figure(engines()).axes
    labels = [line.get_label() for line in axes[0].get_lines()]
    assert labels[:2] == ["bridge, native", "bridge, native, v3"]


def test_ratios_of_newer_reports_have_their_intervals() -> None:
    results = performance_tables.of_groups(read("solver-speed.json"), "bridge")
    record = results["records"][0]
    record["comparisons"] = [
        {"what": "mlp_ar1, 1 columns, bridge", "beside": "PyTorch",
         "ratio": 0.6, "low": 0.5, "high": 0.72}
    ]  # fmt: skip
    row = performance_tables.bridge_call_table(results).splitlines()[2]
    assert f"| {record['bridge_by_pytorch']:.2f} (0.72) |" in row


@pytest.mark.parametrize("name", performance_figures.FIGURES)
def test_figures_are_those_of_the_committed_results(name: str) -> None:
    results = DOCS / "results" / performance_figures.FIGURES[name][0]
    drawing = DOCS / "figures" / f"{name}.svg"
    assert drawing.is_file() == results.is_file()
    if results.is_file():
        assert performance_figures.digest(results) in drawing.read_text()


def test_the_same_results_give_the_same_figure() -> None:
    file = DOCS / "results" / "solver-speed.json"
    results = json.loads(file.read_text())
    one, other = (
        performance_figures.drawn(performance_figures.solver_figure(results), file)
        for _ in range(2)
    )
    assert one == other
    assert "two-layer QG, beside pyqg 0.7.2" in one


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_speeds_are_in_tables_and_marked_values(page: Path) -> None:
    found = list(speed_claims(page.read_text()))
    assert not found, f"{page.name}: {found}; put the numbers into a table or a marked value"


def test_the_text_of_the_page_on_performance_has_no_speeds() -> None:
    texts = [performance.INTRODUCTION, *(section.text for section in performance_sections.SECTIONS)]
    assert not [claim for text in texts for claim in speed_claims(text)]


@pytest.mark.parametrize(
    "claim",
    [
        "A step is 7.5 times faster than pyqg's.",
        "It costs nothing.",
        "A call takes 12 µs.",
        "Training takes half a minute.",
        "It reads 3 million samples/s.",
        "The host needs about 40 s of one core.",
        "It is 40x FTorch at one column.",
        "It runs twice as fast.",
    ],
)
def test_claims_are_found(claim: str) -> None:
    assert list(speed_claims(f"A first sentence. {claim} A last one, with 7 columns.")) == [claim]


@pytest.mark.parametrize(
    "text",
    [
        "Steps are 1200 s apart.",
        "The sum of means and medians as steps of the columns.",
        "| a | takes 3 s |\n<!-- table: x -->\n| it takes 3 s |\n<!-- end of table -->"[16:],
        "It takes <!-- value: x -->3 s<!-- end of value -->.",
        "```sh\nsleep  # takes 3 s\n```",
    ],
)
def test_other_sentences_are_none(text: str) -> None:
    assert not list(speed_claims(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_marked_values_are_those_of_their_sources(page: Path) -> None:
    assert values.with_values(page.read_text()) == page.read_text()


def test_every_value_is_on_a_page() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert all(f"<!-- value: {name} -->" in text for name in values.VALUES)


def test_values_are_brought_up_to_date_and_unknown_ones_refused() -> None:
    stale = "It takes <!-- value: medida-ks full -->1 s<!-- end of value -->, or more."
    assert "-->1.5 hours<!--" in values.with_values(stale)
    assert tables.with_tables(stale) == values.with_values(stale)
    with pytest.raises(KeyError, match="value 'nonsense': expected one of medida-ks quick"):
        values.with_values("<!-- value: nonsense -->1<!-- end of value -->")
    with pytest.raises(ValueError, match=r"self_test.cpp: expected a constant nothing, got none"):
        values._constant("nothing")()


def test_metrics_of_committed_results_are_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "ROOT", tmp_path)
    (tmp_path / "docs" / "results").mkdir(parents=True)
    metrics = {"score": 0.847, "score_interval": 0.026, "ahead_of": 0.1049, "runs_eddy": 25.0}
    (tmp_path / "docs" / "results" / "flow.json").write_text(json.dumps(metrics))
    page = "".join(
        f"<!-- value: flow {name} -->?<!-- end of value -->;"
        for name in ("score", "ahead_of", "runs_eddy")
    )
    written = values.with_values(page).replace("<!-- end of value -->", "")
    assert [part.split("-->")[-1] for part in written.split(";")] == [
        *("0.85 ± 0.03", "0.105", "25", ""),
    ]
    with pytest.raises(KeyError, match="a file of docs/results and a metric in it"):
        values.with_values("<!-- value: flow nothing -->1<!-- end of value -->")
