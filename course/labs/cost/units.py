"""Numbers with units, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

Units = Sequence[tuple[float, str]]
FLOPS: Units = ((1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP"))
BYTES: Units = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
SECONDS: Units = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def unit(most: float, units: Units) -> tuple[float, str]:
    """Return the largest unit that leaves the number at 1 or more; else the smallest.

    >>> unit(0.02, SECONDS)
    (0.001, 'ms')
    """
    return next((each for each in units if most >= each[0]), units[-1])


def digits(most: float) -> int:
    """Return the decimals that leave three digits of the largest number of a column."""
    return 2 if most < 100 else 1


def amount(number: float, units: Units) -> str:
    """Write a number with its unit and three significant digits.

    >>> amount(23_100_000_000, FLOPS), amount(0.000_012_3, SECONDS)
    ('23.1 GFLOP', '12.3 µs')
    """
    size, name = unit(number, units)
    return f"{_three(number / size)} {name}"


def _three(number: float) -> str:
    """Three significant digits, without an exponent."""
    for limit, decimals in ((10, 2), (100, 1)):
        if number < limit - 0.5 * 10.0**-decimals:
            return f"{number:.{decimals}f}"
    return f"{number:,.0f}"


def count(number: int, one: str) -> str:
    """Write a number of things.

    >>> count(1, "layer"), count(6, "layer")
    ('1 layer', '6 layers')
    """
    return f"{number:,} {one}" + "s" * (number != 1)


def percent(share: float) -> str:
    """Write a share; one that would round to nothing is still more than nothing.

    >>> percent(0.256), percent(0.001)
    ('26%', 'less than 1%')
    """
    return "less than 1%" if 0 < share < 0.005 else f"{share:.0%}"
