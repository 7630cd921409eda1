"""Units of products of labelled quantities."""

import cf_units


def derived_units(*factors: tuple[str, int]) -> str:
    """Return the units of a product of powers, as a UDUNITS string.

    Parameters
    ----------
    *factors
        Units and power of each factor.

    Raises
    ------
    ValueError
        If UDUNITS does not know a unit.

    Examples
    --------
    >>> derived_units(("m s-1", 2), ("m", 1))
    'm3 s-2'
    >>> derived_units(("1", 2), ("1", -1))
    '1'
    """
    product = cf_units.Unit("1")
    for units, power in factors:
        product = product * cf_units.Unit(units) ** power
    # The plain string of m2 s-2 is the gray, a unit of radiation dose.
    return str(product.definition).replace(".", " ")
