"""The file report.html."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from hybrid.embedded_figure import SVG_LIMIT, data_uri
from hybrid.experiments.result import ExperimentResult, Figure, Table
from hybrid.figure_style import legend, line, new_figure
from hybrid.report import Run, render_report, write_report
from hybrid.score_table import format_column, format_rows, print_table, terminal_table

RUN = Run("hybrid run lorenz96 --preset test --seed 0", "test", 0)


class Page(HTMLParser):
    """Tags with their attributes, and the visible text, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"style", "title"} & set(self._inside):
            self.text.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def figure(name: str, n_point: int = 20) -> Figure:
    drawn, axes = new_figure()
    x = np.linspace(0.0, 1.0, n_point)
    axes[0, 0].plot(x, np.sin(40.0 * x * x), **line("truth"))
    legend(axes[0, 0])
    return Figure(name, f"Title of {name}", f"How to read {name}", drawn)


def result(name: str = "lorenz96", **changes: object) -> ExperimentResult:
    table = Table(
        "Climate of X",
        ("Hellinger, c = 10 [1]", "MAE dT [W m-2]"),
        {"no closure": (0.257, 61.6), "cubic": (0.045, None)},
        note="60 bins",
    )
    values: dict[str, object] = {
        "name": name,
        "headline": f"What {name} ran on",
        "metrics": {"hellinger_none": 0.257},
        "settings": {"n_member": 40, "dt": 0.005},
        "choices": {"best": "cubic"},
        "tables": (table,),
        "figures": (figure("climate_pdf"), figure("forecast_skill")),
    }
    return ExperimentResult(**{**values, **changes})  # type: ignore[arg-type]


def test_first_line_is_the_headline(tmp_path: Path) -> None:
    page = Page(render_report([result()], RUN, tmp_path))
    assert page.text[0] == "What lorenz96 ran on"


def test_a_common_report_begins_with_what_ran_on_generated_data(tmp_path: Path) -> None:
    warning = "No real data were used"
    both = [result("lorenz96"), result("climsim", headline=warning, generated_data=True)]
    page = Page(render_report(both, RUN, tmp_path))
    assert page.text[:2] == [warning, "lorenz96, climsim"]
    headlines = [span["class"] for span in page.all("span")]
    assert headlines == ["headline caution", "headline"]


def test_generated_data_are_marked_in_a_single_report(tmp_path: Path) -> None:
    page = Page(render_report([result(generated_data=True)], RUN, tmp_path))
    assert page.all("span")[0]["class"] == "headline caution"
    page = Page(render_report([result()], RUN, tmp_path))
    assert page.all("span")[0]["class"] == "headline"


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    text = render_report([result("lorenz96"), result("climsim")], RUN, tmp_path)
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object"}
        for name in ("src", "href", "srcset", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), (tag, value)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"https?://|@import|url\(", text)
    policy = next(m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_links_inside_the_page_have_targets(tmp_path: Path) -> None:
    page = Page(render_report([result("lorenz96"), result("climsim")], RUN, tmp_path))
    targets = {attributes.get("id") for _, attributes in page.tags}
    links = [link["href"] or "" for link in page.all("a")]
    assert links == ["#lorenz96", "#climsim"]
    assert {link[1:] for link in links} <= targets


def test_every_figure_is_there_with_title_reading_and_alternative_text(tmp_path: Path) -> None:
    page = Page(render_report([result()], RUN, tmp_path))
    images = page.all("img")
    assert [image["alt"] for image in images] == [
        f"Title of {name}. How to read {name}" for name in ("climate_pdf", "forecast_skill")
    ]
    for name in ("climate_pdf", "forecast_skill"):
        assert f"Title of {name}." in page.text
        assert f"How to read {name}" in page.text
    for image in images:
        media, _, content = (image["src"] or "").partition(";base64,")
        assert media == "data:image/svg+xml"
        assert b"</svg>" in base64.b64decode(content, validate=True)


def test_large_figure_is_embedded_as_a_picture() -> None:
    small = data_uri(figure("small").figure)
    drawn, axes = new_figure()
    axes[0, 0].pcolormesh(np.random.default_rng(0).normal(size=(60, 200)))
    large = data_uri(drawn)
    assert small.startswith("data:image/svg+xml;")
    assert len(small) < SVG_LIMIT * 4 / 3 + 30
    assert large.startswith("data:image/png;")
    picture = base64.b64decode(large.partition(",")[2])
    assert picture.startswith(b"\x89PNG")
    width = int.from_bytes(picture[16:20], "big")
    assert width == 1480


def test_same_figure_gives_the_same_text() -> None:
    assert data_uri(figure("a").figure) == data_uri(figure("a").figure)


def test_table_shows_units_numbers_and_note(tmp_path: Path) -> None:
    page = Page(render_report([result()], RUN, tmp_path))
    start = page.text.index("Climate of X")
    assert page.text[start : start + 10] == [
        "Climate of X",
        "Hellinger, c = 10 [1]",
        "MAE dT [W m-2]",
        "no closure",
        "0.2570",
        "61.60",
        "cubic",
        "0.0450",
        "-",
        "60 bins",
    ]
    scopes = [header["scope"] for header in page.all("th")]
    assert scopes == ["col", "col", "row", "row"]


def test_settings_choices_metrics_and_versions_are_listed(tmp_path: Path) -> None:
    text = Page(render_report([result()], RUN, tmp_path)).text
    for name, value in (("n_member", "40"), ("dt", "0.005"), ("best", "cubic")):
        assert text[text.index(name) + 1] == value
    assert text[text.index("hellinger_none") + 1] == "0.2570"
    assert text[text.index("numpy") + 1] == np.__version__
    assert RUN.command in text


def test_markup_in_results_is_text(tmp_path: Path) -> None:
    attack = '"><script>alert(1)</script>'
    drawn = figure("plot").figure
    page = Page(
        render_report(
            [
                result(
                    headline=attack,
                    settings={attack: attack},
                    choices={attack: attack},
                    metrics={attack: 1.0},
                    tables=(Table(attack, (attack,), {attack: (1.0,)}, attack),),
                    figures=(Figure("plot", attack, attack, drawn),),
                )
            ],
            RUN,
            tmp_path,
        )
    )
    assert page.all("script") == []
    assert page.text[0] == attack
    assert page.all("img")[0]["alt"] == f"{attack}. {attack}"


def test_archives_are_named_relative_to_the_page_with_hash(tmp_path: Path) -> None:
    archive = tmp_path / "lorenz96" / "cubic.pt"
    archive.parent.mkdir()
    archive.write_bytes(b"abc" * 1024)
    write_report(tmp_path / "report.html", [result(archives=(archive,))], RUN)
    text = Page((tmp_path / "report.html").read_text()).text
    start = text.index("lorenz96/cubic.pt")
    assert text[start + 1] == "3 KiB"
    # what the program sha256sum says of these bytes
    assert text[start + 2] == "67b02e475b2c38886a6e385a2819f74b486f3e1226dbbceef63a93ff548c8cd6"


def test_report_of_a_dozen_figures_stays_small(tmp_path: Path) -> None:
    figures = tuple(figure(f"figure_{i}", n_point=2000) for i in range(12))
    write_report(tmp_path / "report.html", [result(figures=figures)], RUN)
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.257, 0.019], ["0.2570", "0.0190"]),
        ([61.6, 5.346], ["61.60", "5.35"]),
        ([12345.6, 1.0], ["12346", "1"]),
        ([1.0, 2.5e-6], ["1.000", "2.50e-06"]),
        ([3.0, 40.0], ["3", "40"]),
        ([0.0, None, float("nan"), -float("inf")], ["0", "-", "nan", "-inf"]),
        ([-1.5, -22.25], ["-1.50", "-22.25"]),
        ([6.0e23], ["6.00e+23"]),
    ],
)
def test_numbers_of_a_column_share_their_decimals(
    values: list[float | None], expected: list[str]
) -> None:
    assert format_column(values) == expected


def test_row_of_wrong_length_is_refused() -> None:
    table = Table("Climate", ("a", "b"), {"cubic": (1.0,)})
    with pytest.raises(ValueError, match="row 'cubic': expected 2 numbers, one a column, got 1"):
        format_rows(table)


def test_a_narrow_terminal_cuts_nothing_off_a_table() -> None:
    columns = tuple(f"column {i}" for i in range(20))
    rows = {"a network with a long name": tuple(100.5 + i for i in range(20))}
    console = Console(width=60)
    with console.capture() as capture:
        print_table(console, Table("Errors", columns, rows, "What is said of them at the end."))
    shown = capture.get()
    for i in range(20):
        assert f"{100.5 + i:.1f}" in shown
    assert "at the end." in " ".join(shown.split())


def test_terminal_table_takes_brackets_literally() -> None:
    table = Table("Error [K]", ("dT [W m-2]",), {"[bold]cubic": (1.5,)}, "a [note]")
    console = Console(width=80)
    with console.capture() as capture:
        console.print(terminal_table(table))
    shown = capture.get()
    for text in ("Error [K]", "dT [W m-2]", "[bold]cubic", "1.500", "a [note]"):
        assert text in shown
