"""What an exercise is: a model solution, cases to try it on, and the mistakes people make in it."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from course.checking.exercise.mistake import Mistake as Mistake
from course.learner import catalogue
from course.sandbox import answering


@dataclass(frozen=True)
class Case:
    """One input to try a submission on.

    Floating tensors in `args` are float64; the checker converts them. `sizes` names the sizes, so
    that a factor can be told as "sqrt(Dh)". `regions` are boolean tensors that broadcast to the
    result and have a name ("blocked keys"). `same` are other arguments that must give the same
    result: (what was changed, the arguments).

    A random result is judged by its `summary`: `summary(value, *args)` gives statistics by name,
    each within `tolerance` of the reference's (at least six standard deviations, or a right answer
    would be turned down now and then). In the trial of gradients it is given the gradient of the
    result's sum with respect to the first floating tensor instead of the value.
    """

    args: tuple[Any, ...]
    says: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    raises: type[Exception] | None = None
    explained: bool = False  # the error that it raises must have a message
    differentiable: bool = True
    regions: Mapping[str, Any] = field(default_factory=dict)
    same: Sequence[tuple[str, tuple[Any, ...]]] = ()
    heavy: bool = False  # left out for an answer that is slow on the other cases
    dtypes: tuple[str, ...] = ()  # the floating dtypes to try it in; all, when none are named
    summary: Callable[..., Mapping[str, float]] | None = None
    tolerance: float | Mapping[str, float] = 0.0  # of each statistic, absolute


def tags(*names: str) -> frozenset[str]:
    """Circumstances of a case: nouns that fit after "it is right except with", such as "a bos_id of 0"."""
    return frozenset(names)


@dataclass(frozen=True)
class Landmark:
    """A quantity met on the way, to recognise a result that is "the raw scores" or the like."""

    says: str
    compute: Callable[..., Any]


@dataclass(frozen=True)
class Undone:
    """The result with its last steps taken back, where a mistake is easier to see.

    `compute(result, *args)` gives a tensor with the axes `axes`; `says` fits after "seen ".
    """

    says: str
    compute: Callable[..., Any]
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """A trap in a right answer, told beside "Passed": no trial asks for it, and it will hurt later.

    Once every trial is right, the answer and the model solution run on `case` in one more way:
    `mode` and `dtype` as a probe's. `springs(answer's value, reference's value)` says whether the trap
    is there; in the mode "gradient" a value is the tuple of gradients that the floating inputs get, and
    where the case asks for an error, its message. An answer that raises elsewhere gets no remark.
    `says` names the trap and where it hurts.
    """

    id: str
    case: Case
    springs: Callable[[Any, Any], bool]
    says: str
    mode: str = "plain"
    dtype: str = "float64"
    default_dtype: str = ""  # what torch's default is set to meanwhile, where it is not left alone


@dataclass(frozen=True)
class Exercise:
    """All that the checker knows of one exercise of the catalogue."""

    id: str
    signature: str
    minutes: int
    difficulty: int  # 1 (a line), 2 (a few), 3 (put several ideas together)
    cases: Callable[[int], list[Case]]
    # What it says, with the clues below, is read from the text file beside it.
    mistakes: tuple[Mistake, ...] = ()
    hints: tuple[str, str, str, str] = ("", "", "", "")  # idea, shapes, pseudo-code, decisive line
    axes: tuple[tuple[str, ...], ...] = ()  # names of the axes of each result, last axis last
    results: tuple[str, ...] = ("result",)  # what each result is called
    landmarks: tuple[Landmark, ...] = ()
    undone: tuple[Undone, ...] = ()  # of the first result
    rows_sum_to_one: int | None = None  # which result holds weights, if any does
    weights_axis: Callable[..., int] = lambda *args: -1  # along which axis they sum to 1
    # What follows where every trial with a tag is right and others are wrong: (tag, sentence).
    clues: tuple[tuple[str, str], ...] = ()
    clues_if_wrong: tuple[tuple[str, str], ...] = ()  # ... and where they are all wrong
    random: bool = False  # draws from torch's global generator
    # What the cases' arguments are given to, made from a submission: for classes, and for functions
    # that take functions or modules.
    harness: Callable[[Any], Callable[..., Any]] | None = None
    # What such an argument is, in words, where a learner would see what it is made of.
    shown: Mapping[str, str] = field(default_factory=dict)
    # What only this exercise can find out about a submission that no listed mistake explains:
    # finds(submission, the failed cases) -> sentences.
    finds: Callable[[Any, list[Case]], list[str]] | None = None
    # Traps that an answer may pass with, and that it is told of.
    remarks: tuple[Remark, ...] = ()

    @property
    def is_class(self) -> bool:
        """Whether a class is asked for, and not a function."""
        return _defines_class(self.model_source)

    @property
    def name(self) -> str:
        """The function's or class's name: the part of the id after the point."""
        return self.id.rpartition(".")[2]

    @property
    def model_source(self) -> str:
        """The model solution as it stands in the chapter's manuscript."""
        return catalogue.solution(self.id)

    @functools.cached_property
    def inherited(self) -> tuple[Mistake, ...]:
        """The mistakes of the exercises that this one is built of: who writes it out makes them too."""
        return tuple(
            replace(
                mistake,
                id=f"{part}/{mistake.id}",
                says=f"In what {part.rpartition('.')[2]} does: {mistake.says}",
                within=part,
            )
            for part in _parts(self.id)
            for mistake in catalogue.exercise(part).mistakes
        )

    def mistake(self, mistake_id: str) -> Mistake:
        """The mistake of that id; KeyError when there is none."""
        for mistake in (*self.mistakes, *(self.inherited if "/" in mistake_id else ())):
            if mistake.id == mistake_id:
                return mistake
        raise KeyError(
            f"{self.id} lists no mistake {mistake_id!r}; it lists {[m.id for m in self.mistakes]}"
        )

    def mistaken_source(self, *mistakes: Mistake | str) -> str:
        """The model solution with these mistakes made in it; ValueError when they don't combine."""
        source = self.model_source
        for mistake in mistakes:
            source = (self.mistake(mistake) if isinstance(mistake, str) else mistake).applied_to(
                source
            )
        return source

    def model(self) -> Callable[..., Any]:
        """The model solution, ready to be called; the answer to the same exercise may not call it."""
        return _model(self.id)

    def mistaken(self, *mistakes: Mistake | str) -> Callable[..., Any]:
        """The model solution with these mistakes, ready to be called."""
        made = [self.mistake(m) if isinstance(m, str) else m for m in mistakes]
        source = self.mistaken_source(*(m for m in made if not m.within))
        parts: dict[str, Callable[..., Any]] = {}
        for mistake in made:
            if mistake.within:
                wrong = mistake.applied_to(catalogue.solution(mistake.within))
                parts[mistake.within] = build(mistake.within, wrong)
        return build(self.id, source, parts)


@functools.lru_cache(maxsize=256)
def _defines_class(source: str) -> bool:
    return isinstance(ast.parse(source).body[-1], ast.ClassDef)


@functools.cache
def _model(exercise_id: str) -> Callable[..., Any]:
    with answering.paused():
        return build(exercise_id, catalogue.solution(exercise_id), watched=True)


@functools.cache
def _parts(exercise_id: str) -> tuple[str, ...]:
    """The other exercises of the chapter that a model solution uses, and those that they use."""
    chapter = exercise_id.rpartition(".")[0]
    by_name = {other.rpartition(".")[2]: other for other in catalogue.exercise_ids(chapter)}
    named = {
        by_name[node.id]: None
        for node in ast.walk(ast.parse(catalogue.solution(exercise_id)))
        if isinstance(node, ast.Name) and node.id in by_name
    }
    direct = [other for other in named if other != exercise_id]
    further = [part for other in direct for part in _parts(other)]
    return tuple(dict.fromkeys([*direct, *further]))


def build(
    exercise_id: str,
    source: str,
    parts: Mapping[str, Callable[..., Any]] | None = None,
    *,
    watched: bool = False,
) -> Callable[..., Any]:
    """Execute an exercise's source and return the function or class that it defines.

    The source sees what a chapter's first cell imports, and the chapter's other model solutions;
    `parts` stand in for some of these, and in what is built of them. What is `watched` reports each
    call, so that the answer to this exercise cannot pass by calling it.
    """
    import copy
    import math
    import re
    from collections import Counter

    import torch

    chapter, _, name = exercise_id.rpartition(".")
    names: dict[str, Any] = {"__name__": f"course.answers.{chapter}"}
    names.update(copy=copy, math=math, re=re, Callable=Callable, Counter=Counter)
    names.update(torch=torch, nn=torch.nn, F=torch.nn.functional, Tensor=torch.Tensor)
    for other in catalogue.exercise_ids(chapter):
        if other != exercise_id:
            own = (parts or {}) if other in _parts(exercise_id) else {}
            names[other.rpartition(".")[2]] = _part(other, own)
    filename = f"<{exercise_id} {zlib.crc32(source.encode()):08x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    with warnings.catch_warnings():  # two mistakes together can earn one; it is no one's own text
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = _watched(ast.parse(source, filename)) if watched else source
        code = compile(tree, filename, "exec")
    names[_REPORT] = functools.partial(answering.reached, exercise_id, "runs the model solution")
    exec(code, names)
    return cast("Callable[..., Any]", names[name])


_REPORT = "_reached"


def _watched(tree: ast.Module) -> ast.Module:
    """The source with a report of the call at the beginning of each function and method."""
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    for node in itertools.chain(tree.body, *(one.body for one in classes)):
        if isinstance(node, ast.FunctionDef):
            call = ast.Expr(ast.Call(ast.Name(_REPORT, ast.Load()), [], []))
            node.body.insert(ast.get_docstring(node) is not None, call)
            for part in ast.walk(call):
                ast.copy_location(part, node)
    return tree


def _part(exercise_id: str, parts: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    if exercise_id in parts:
        return parts[exercise_id]
    if parts.keys() & set(_parts(exercise_id)):
        return build(exercise_id, catalogue.solution(exercise_id), parts)
    return functools.partial(_call_model, exercise_id)


def _call_model(exercise_id: str, *args: Any, **kwargs: Any) -> Any:
    return _model(exercise_id)(*args, **kwargs)
