"""The formula behind a count of operations: read off its values at small sizes."""

from __future__ import annotations

import dis
import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

from course.checking.exercise import Case

Powers = tuple[int, int, int]  # of B, S and D in one term
_DEGREES = (2, 3, 3)
_RIGHT: dict[Powers, Fraction] = {(1, 1, 2): Fraction(8), (1, 2, 1): Fraction(4)}
_MOST = 6  # terms of a formula that is told


def search(function: Callable[[int, int, int], int], failed: Sequence[Case]) -> list[str]:
    """Write the answer's count out as a polynomial in B, S and D, and name its first wrong term."""
    if _takes_exclusive_or(function):
        return ["`^` is exclusive or in Python; a power is `**`"]
    found = formula(function)
    if found is None:
        return _remainder(function)
    if found == _RIGHT:
        return []
    told = [f"written out, your count is {_written(found)}"]
    for powers, name in (((1, 1, 2), "the four projections"), ((1, 2, 1), "the two products")):
        if found.get(powers) == _RIGHT[powers]:
            told.append(f"the term of {name}, {_term(_RIGHT[powers], powers)}, is right")
    return told


def _takes_exclusive_or(function: Callable[[int, int, int], int]) -> bool:
    if not hasattr(function, "__code__"):
        return False
    return any(
        step.opname == "BINARY_XOR" or step.argrepr in ("^", "^=")
        for step in dis.get_instructions(function)
    )


def _remainder(function: Callable[[int, int, int], int]) -> list[str]:
    """What to say of a count that is right at the widths that any usual number of heads divides."""
    for sizes in ((2, 3, 1920), (3, 5, 5760)):
        right = sum(value * _product(sizes, powers) for powers, value in _RIGHT.items())
        if function(*sizes) != right:
            return []
    return [
        "at the widths 1920 and 5760 it is right: a division such as D // H drops a remainder where the heads don't "
        "divide the width. H heads of D / H numbers take as many operations as one of D: no division is needed"
    ]


def formula(function: Callable[[int, int, int], int]) -> dict[Powers, Fraction] | None:
    """The coefficients of a count that is a polynomial in B, S and D; None for any other."""
    first, second, third = (range(1, degree + 2) for degree in _DEGREES)
    every = itertools.product(first, second, third)
    table = {sizes: Fraction(function(*sizes)) for sizes in every}
    for axis, degree in enumerate(_DEGREES):
        table = _solved(table, axis, degree)
    found = {powers: value for powers, value in table.items() if value}
    for sizes in (
        (4, 6, 7),
        (5, 9, 3),
        (2, 17, 64),
        (3, 40, 30),
    ):  # it must hold beyond the sizes that it was made of
        value = sum(coefficient * _product(sizes, powers) for powers, coefficient in found.items())
        if value != Fraction(function(*sizes)):
            return None
    return found if len(found) <= _MOST else None


def _solved(table: dict[Powers, Fraction], axis: int, degree: int) -> dict[Powers, Fraction]:
    """Values at 1, 2, ... along one axis as the coefficients of the powers 0, 1, ... (Newton's differences)."""
    solved: dict[Powers, Fraction] = {}
    for place in table:
        if place[axis] != 1:
            continue
        values = [table[_moved(place, axis, x)] for x in range(1, degree + 2)]
        for power, coefficient in enumerate(_coefficients(values)):
            solved[_moved(place, axis, power)] = coefficient
    return solved


def _coefficients(values: Sequence[Fraction]) -> list[Fraction]:
    """The polynomial through the points (1, values[0]), (2, values[1]), ..."""
    differences = list(values)
    for order in range(1, len(values)):
        for i in range(len(values) - 1, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / order
    coefficients = [Fraction(0)] * len(values)
    for i in range(len(values) - 1, -1, -1):  # Horner: times (x - (i + 1)), plus a difference
        shifted = [Fraction(0), *coefficients[:-1]]
        coefficients = [s - (i + 1) * c for s, c in zip(shifted, coefficients, strict=True)]
        coefficients[0] += differences[i]
    return coefficients


def _moved(place: Powers, axis: int, to: int) -> Powers:
    first, second, third = (to if i == axis else x for i, x in enumerate(place))
    return first, second, third


def _product(sizes: Sequence[int], powers: Powers) -> int:
    result = 1
    for size, power in zip(sizes, powers, strict=True):
        result *= size**power
    return result


def _written(found: dict[Powers, Fraction]) -> str:
    order = sorted(found, key=lambda powers: (sum(powers), powers[2], powers), reverse=True)
    terms = [_term(found[powers], powers) for powers in order]
    return " + ".join(terms).replace("+ -", "- ") or "0"


def _term(coefficient: Fraction, powers: Powers) -> str:
    names = [
        name if power == 1 else f"{name}^{power}"
        for name, power in zip("BSD", powers, strict=True)
        if power
    ]
    if abs(coefficient) == 1 and names:
        return "-" * (coefficient < 0) + " ".join(names)
    return " ".join([str(coefficient), *names])
