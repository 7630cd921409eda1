"""What the page on PlaSim says of moist convection is what the hook does."""

import re

from test_plasim_page import PAGE, rows

from hybrid.experiments.plasim.building import HOOKS
from hybrid.experiments.plasim.settings import PRESETS


def test_fields_of_convection_are_those_of_the_hook() -> None:
    text = (HOOKS / "convection" / "convection.f90").read_text()
    profiles = re.findall(r"exchange%profile\('(\w+)', '([^']+)', '(\w+)'", text)
    scalars = re.findall(r"exchange%scalar\('(\w+)', '([^']+)'", text)
    exchanged = {n: (u, d) for n, u, d in profiles} | {n: (u, "") for n, u in scalars}
    told = rows("of convection")
    assert {row[0].strip("`"): (row[1], row[2]) for row in told} == exchanged
    outputs = text.partition("subroutine outputs")[2]
    given_back = {row[0].strip("`") for row in told if row[3] == "out"}
    assert given_back == set(re.findall(r"exchange%profile\('(\w+)'", outputs))


def test_years_of_convection_are_those_of_the_preset() -> None:
    assert PRESETS["full"].n_convection == 360
    assert "those of moist convection 4" in " ".join(PAGE.split())
