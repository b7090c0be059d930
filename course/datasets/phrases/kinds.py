"""How each kind of phrase is drawn, and written in a language. Needs Babel, and nothing else."""

from __future__ import annotations

import datetime
import functools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval, format_time
from babel.lists import format_list
from babel.numbers import format_currency
from babel.units import format_unit

__all__ = ["KINDS", "LONGEST_LIST", "PLACES", "UNSEEN_DECADES", "Phrase", "draw"]

UNSEEN_DECADES = (1950, 1980)  # kept out of training
LONGEST_LIST = 4  # names, in training
_YEARS = range(1900, 2040)
# Each has at least a short name in all languages that the course offers.
_UNITS = (
    "area-hectare area-square-kilometer area-square-meter digital-gigabyte digital-megabyte duration-day "
    "duration-hour duration-minute duration-month duration-second duration-week duration-year "
    "energy-kilocalorie frequency-megahertz length-centimeter length-foot length-kilometer "
    "length-light-year length-meter length-mile length-millimeter mass-gram mass-kilogram mass-ounce "
    "mass-pound power-horsepower power-kilowatt power-watt pressure-hectopascal "
    "speed-kilometer-per-hour speed-meter-per-second speed-mile-per-hour temperature-celsius "
    "temperature-fahrenheit volume-cubic-meter volume-gallon volume-liter volume-milliliter"
)
_CURRENCIES = (
    "AUD BRL CAD CHF CNY CZK DKK EGP EUR GBP HUF ILS INR JPY KRW MXN NOK PLN RUB SEK TRY USD"
)
_PLACES = (
    "AR AT AU BE BG BR CA CH CL CN CO CU CZ DE DK EE EG ES ET FI FR GB GH GR HR HU ID IE IL IN IQ IR IS IT "
    "JM JO JP KE KR LT LU LV MA MN MX MY NG NL NO NP NZ PE PH PK PL PT RO RU SE SG SI SK SN TH TN TR UA US "
    "UY VN ZA"
)
PLACES = tuple(_PLACES.split())  # of the lists: ISO 3166-1
_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")  # direction, invisible
_SPACES = re.compile("[\u00a0\u2009\u202f]")  # that no keyboard has


@dataclass(frozen=True)
class Phrase:
    """What is said, apart from any language: `write` says it in one."""

    kind: str
    form: str
    values: tuple[int | float | str, ...]

    def write(self, language: str) -> str:
        """Return the phrase in a language, with common spaces and without marks of direction."""
        text = KINDS[self.kind].write(self.form, self.values, language)
        return _SPACES.sub(" ", _MARKS.sub("", text)).strip()

    @property
    def unseen(self) -> str:
        """Why it may not be trained on: `"decades"`, `"lists"`, or nothing."""
        if self.kind in ("date", "interval") and self.values[0] // 10 * 10 in UNSEEN_DECADES:  # type: ignore[operator]
            return "decades"
        return "lists" if self.kind == "list" and len(self.values) > LONGEST_LIST else ""


Values = Sequence[int | float | str]


@dataclass(frozen=True)
class Kind:
    """A kind of phrase: its forms, how values are drawn, and how they are written."""

    forms: tuple[str, ...]
    draw: Callable[[random.Random], Values]
    write: Callable[[str, Values, str], str]


def _draw_date(random: random.Random) -> Values:
    day = datetime.date(random.choice(_YEARS), 1, 1) + datetime.timedelta(random.randrange(365))
    return day.year, day.month, day.day


def _draw_interval(random: random.Random) -> Values:
    """Two days of one year."""
    year = random.choice(_YEARS)
    first, last = sorted(random.sample(range(365), 2))
    days = [datetime.date(year, 1, 1) + datetime.timedelta(day) for day in (first, last)]
    return year, days[0].month, days[0].day, days[1].month, days[1].day


def _draw_moment(random: random.Random) -> Values:
    return *_draw_date(random)[1:], random.randrange(24), random.randrange(60)


def _draw_amount(random: random.Random) -> Values:
    return _number(random), random.choice(_UNITS.split())


def _draw_money(random: random.Random) -> Values:
    return _number(random), random.choice(_CURRENCIES.split())


def _number(random: random.Random) -> int | float:
    """Mostly small whole numbers, as people say them."""
    whole = random.choice((10, 100, 1000, 100_000))
    number = random.randrange(1, whole)
    return number if random.random() < 0.75 else number + random.randrange(1, 10) / 10


def _draw_list(random: random.Random) -> Values:
    return random.sample(PLACES, random.randint(2, LONGEST_LIST + 2))


def _date(values: Values) -> datetime.date:
    year, month, day = map(int, values)
    return datetime.date(year, month, day)


def _write_interval(form: str, values: Values, language: str) -> str:
    year, *rest = values
    days = (_date((year, *rest[:2])), _date((year, *rest[2:])))
    return str(format_interval(*days, skeleton=form, locale=language))


def _write_moment(form: str, values: Values, language: str) -> str:
    month, day, hour, minute = map(int, values)
    moment = datetime.datetime(2024, month, day, hour, minute)
    time = str(format_time(moment, "short", locale=language))
    if form == "time":
        return time
    formats = _locale(language).datetime_formats
    return str(formats["medium"]).replace("'", "").format(time, _write_day(moment, language))


def _write_day(moment: datetime.datetime, language: str) -> str:
    """Write a day without its year."""
    skeletons = _locale(language).datetime_skeletons
    pattern = skeletons["MMMMd" if "MMMMd" in skeletons else "MMMd"]
    return str(format_datetime(moment, pattern, locale=language))


def _write_amount(form: str, values: Values, language: str) -> str:
    number, unit = values
    text = str(format_unit(number, str(unit), length=form, locale=language))  # type: ignore[arg-type]
    if str(unit) in text:  # some languages lack the long name, and Babel then writes the unit's id
        return str(format_unit(number, str(unit), length="short", locale=language))
    return text


def _write_money(form: str, values: Values, language: str) -> str:
    return str(format_currency(values[0], str(values[1]), format_type="name", locale=language))


def _write_list(form: str, values: Values, language: str) -> str:
    names = [_locale(language).territories[str(code)] for code in values]
    return str(format_list(names, style=form, locale=language))  # type: ignore[arg-type]


@functools.cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


KINDS: Mapping[str, Kind] = {
    "date": Kind(
        ("full", "long", "medium"),
        _draw_date,
        lambda form, values, language: str(format_date(_date(values), form, locale=language)),
    ),
    "interval": Kind(("yMMMd", "yMMM"), _draw_interval, _write_interval),
    "time": Kind(("time", "day and time"), _draw_moment, _write_moment),
    "amount": Kind(("long",), _draw_amount, _write_amount),
    "money": Kind(("name",), _draw_money, _write_money),
    "list": Kind(("standard", "or"), _draw_list, _write_list),
}


def draw(count: int, seed: int = 0) -> list[Phrase]:
    """Return so many phrases of each kind, each once, the same ones for the same seed."""
    found: dict[Phrase, None] = {}
    for name, kind in KINDS.items():
        source = random.Random(f"{seed}:{name}")
        own: dict[Phrase, None] = {}
        for _ in range(20 * count):  # a kind may not have so many
            if len(own) == count:
                break
            own[Phrase(name, source.choice(kind.forms), tuple(kind.draw(source)))] = None
        found |= own
    return list(found)
