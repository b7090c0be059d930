"""Labs that compute with the learner's functions, each in place of a reference."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from course.labs.faults import InvalidSetting as InvalidSetting
from course.labs.faults import OwnFailed as OwnFailed
from course.labs.settings_lab import SettingsLab
from course.labs.settings_lab import check_whole as check_whole

Own = Mapping[str, Callable[..., Any]]  # the learner's functions by name, those that there are


def call_own(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call the learner's function; what it raises becomes a sentence.

    Raises:
        OwnFailed: the function raised.
    """
    try:
        return function(*args)
    except Exception as error:
        told = str(error).split("\n")[0]
        text = f": {told}" if told else ""
        raise OwnFailed(f"Your {name} raised {type(error).__name__}{text}.") from error


def check_one_of(value: Any, known: Container[Any] | tuple[Any, ...], called: str) -> None:
    """Say in a sentence that something is none of what is known.

    Raises:
        InvalidSetting: it is not.
    """
    if not isinstance(value, str | int) or value not in known:
        there = ", ".join(map(str, known))  # type: ignore[arg-type]
        raise InvalidSetting(f"{called} must be one of {there}, not {value!r}.")


class OwnFunctionsLab(SettingsLab):
    """A lab of settings that takes the learner's functions by name.

    Args:
        own: the functions by name, None where there is none.
        asked: the settings' defaults.
        chosen: the selection's defaults.
        given: what the caller set, by name, of either.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or one of `own` cannot be called.
    """

    def __init__(
        self,
        own: Mapping[str, Callable[..., Any] | None],
        asked: Any,
        chosen: Any,
        given: Mapping[str, Any],
    ) -> None:
        for name, function in own.items():
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be a function, not {type(function).__name__}.")
        self._functions: Own = {name: each for name, each in own.items() if each is not None}
        self.begin(asked, chosen, given)
        super().__init__()

    def functions(self, own: bool) -> Own:
        """The learner's functions, or none where the reference stands in for them."""
        return self._functions if own else {}

    def stand_in(self) -> str:
        """What is seen in place of the learner's own that failed."""
        return "Until it works, the picture is the reference's."

    def own_name(self) -> str | None:
        """How `repr` names the functions."""
        return ", ".join(f"{name}={_name(each)}" for name, each in self._functions.items()) or None

    def whose(self) -> str:
        """A sentence about the functions: use() may have handed out the reference."""
        told = [
            f"{'the reference' if getattr(each, '__course_reference__', False) else 'your own'} "
            f"{_name(each)}"
            for each in self.functions(self._made_from[1]).values()
        ]
        return f"Computed by {' and '.join(told)}." if told else ""


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
