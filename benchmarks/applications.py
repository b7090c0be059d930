"""Train what the chapters train, with three seeds each, beside what needs no training.

    python benchmarks/applications.py [--only masked-words] [--rows "NAME; NAME"] [--seeds 0,1,2] [--write]

Budgets are in updates, so other work on the machine changes the seconds and no figure. With `--write` each run is
merged into course/content/<chapter>/recorded/<name>.json as soon as it ends, and the page
benchmarks/results/applications.md is made from all of these files: rows and seeds can be run one by one, on one
machine or on several. A run that is there is not repeated unless `--again` is given or its code or settings have
changed. `--page` makes the page alone.

Settings were chosen on validation. The test split is read once, at the end of each run.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import torch  # noqa: E402

from course.content import recorded  # noqa: E402
from course.training import Record, Training, train  # noqa: E402

PAGE = ROOT / "benchmarks/results/applications.md"
SEEDS = (0, 1, 2)

Figures = dict[str, dict[str, float]]  # split -> figure -> value


@dataclass(frozen=True)
class Run:
    """What a training has reached: the figures of its splits, and its seconds."""

    figures: Figures
    seconds: float
    losses: list[float] = field(default_factory=list)  # of the training, a mean of every 25 updates
    shown: Mapping[str, Any] = field(
        default_factory=dict
    )  # what the model has made, to be printed or drawn


@dataclass(frozen=True)
class Row:
    """A training that is run with several seeds; settings and key tell when a kept run is out of date."""

    run: Callable[[int], Run]
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True)
class Application:
    """A table: its rows, its baselines, and the figures it shows of each split.

    Attributes:
        name: "bert.masked-words": its chapter, and its file there.
        forms: figure -> its column's head and its form.
        rows: makes the rows; called once it is known that they are wanted.
        baselines: what needs no seeds: name -> figures.
        on_request: rows that take long; they are run if `--rows` names them.
    """

    name: str
    title: str
    forms: dict[str, tuple[str, str]]
    rows: Callable[[], dict[str, Row]]
    baselines: Callable[[], dict[str, Figures]] = dict
    on_request: tuple[str, ...] = ()


def trained(make: Callable[[int], Training], *, losses: bool = False) -> Row:
    """Make a row of a training that is made for a seed; its figures on validation and test are kept."""

    def run(seed: int) -> Run:
        found = train(make(seed), cache=False, progress=False)
        figures = {"validation": found.metrics, "test": found.test}
        return Run(figures, found.seconds, _means(found.records) if losses else [])

    example = make(0)
    return Row(run, {**example.settings.as_json(), "seed": None}, example.key)


def _means(records: list[Record], every: int = 25) -> list[float]:
    losses = [record.loss for record in records]
    return [
        round(sum(losses[i : i + every]) / every, 4)
        for i in range(0, len(losses) - every + 1, every)
    ]


def _by_name(
    plain_baselines: Callable[[str], Mapping[str, dict[str, float]]],
) -> dict[str, Figures]:
    """The figures of baselines that are computed a split at a time: name -> split -> figures."""
    found = {split: plain_baselines(split) for split in ("validation", "test")}
    return {name: {split: found[split][name] for split in found} for name in found["validation"]}


def masked_words() -> dict[str, Row]:
    from course import use
    from course.content.bert.pretraining import masked_words

    training = masked_words(
        layer=use("stacking.EncoderLayer"),
        mask_tokens=use("bert.mask_tokens"),
        masked_lm_loss=use("bert.masked_lm_loss"),
    )

    def make(seed: int) -> Training:
        return replace(training, settings=training.settings.changed(seed=seed))

    return {"a small BERT": trained(make)}


def masked_words_baselines() -> dict[str, Figures]:
    from course.content.bert.pretraining import plain_baselines

    return _by_name(plain_baselines)


def bert_changes() -> dict[str, Row]:
    from course import use
    from course.content.bert.experiments.recipes import CHANGES
    from course.content.bert.pretraining import recipe_changed

    parts = {name: use(f"bert.{name}") for name in ("mask_tokens", "masked_lm_loss")}
    return {
        name: trained(lambda seed, name=name: recipe_changed(name, **parts, seed=seed), losses=True)
        for name in CHANGES
    }


def docstring_families() -> dict[str, Row]:
    from course.content.classification.experiments import methods

    def row(method: str, per_class: int | None) -> Row:
        def run(seed: int) -> Run:
            return Run(*methods.measure(method, per_class, seed))

        if method not in methods.TRAINED:
            return Row(run)
        training, settings = methods.training_of(method, per_class, 0)
        return Row(run, {**settings.as_json(), "seed": None}, training.key)

    sizes = [size for size in methods.SIZES if size is not None]
    rows = {methods.row_name(m, size): row(m, size) for size in sizes for m in methods.METHODS}
    return rows | {methods.row_name(m, None): row(m, None) for m in methods.TRAINED}


def docstring_families_baselines() -> dict[str, Figures]:
    from course.content.classification.experiments import methods

    return {methods.row_name(m, None): methods.measure(m, None, 0)[0] for m in methods.FITTED}


def keywords() -> dict[str, Row]:
    from course.content.generation.keywords import KINDS, ORDERED

    return _described(KINDS) | {name: ordered(counted) for name, counted in ORDERED.items()}


def ordered(counted: bool) -> Row:
    """Make a row of the model of shuffled keywords that writes by a search; its training is kept for the next row."""
    from course.content.generation.experiments import ordering
    from course.content.generation.keywords import as_in_the_chapter, ordering_key

    training = as_in_the_chapter(in_order=False)

    def run(seed: int) -> Run:
        seeded = replace(training, settings=training.settings.changed(seed=seed))
        found = train(seeded, progress=False)
        splits = ("validation", "test")
        figures = {split: ordering.evaluate(found.model, split, counted) for split in splits}
        return Run(figures, found.seconds)

    return Row(run, {**training.settings.as_json(), "seed": None}, ordering_key())


def _described(kinds: Mapping[str, Callable[[], Training]]) -> dict[str, Row]:
    """Make a row of each training that a chapter describes."""

    def row(describe: Callable[[], Training]) -> Row:
        training = describe()
        return trained(
            lambda seed: replace(training, settings=training.settings.changed(seed=seed))
        )

    return {name: row(describe) for name, describe in kinds.items()}


def keywords_baselines() -> dict[str, Figures]:
    from course.content.generation.keywords import plain_baselines

    return _by_name(plain_baselines)


def phrases() -> dict[str, Row]:
    from course.content.translation.phrases import KINDS

    return _described(KINDS)


def phrases_baselines() -> dict[str, Figures]:
    from course.content.translation.phrases import plain_baselines

    return _by_name(plain_baselines)


def help_text() -> dict[str, Row]:
    from course.content.translation.help_text import KINDS

    return _described(KINDS) | long_run()


def long_run() -> dict[str, Row]:
    """Score the model that comes with the course; it is not trained again."""
    from course.content.translation.experiments.help_text import long

    def row(beam: int) -> Row:
        return Row(lambda seed: Run(long.scores(beam), long.facts()["seconds"]), {}, long.key())

    names = {"a long run": 1, "a long run, beam of 4": 4}
    return {name: row(beam) for name, beam in names.items()} if long.CHECKPOINT.exists() else {}


def help_text_baselines() -> dict[str, Figures]:
    from course.content.translation.help_text import plain_baselines

    return _by_name(plain_baselines)


def history() -> dict[str, Row]:
    from course.content.translation.history import KINDS, shown

    def row(training: Training) -> Row:
        def run(seed: int) -> Run:
            seeded = replace(training, settings=training.settings.changed(seed=seed))
            found = train(seeded, cache=False, progress=False)
            figures = {"validation": found.metrics, "test": found.test}
            return Run(figures, found.seconds, shown=shown(found.model))

        return Row(run, {**training.settings.as_json(), "seed": None}, training.key)

    return {name: row(describe()) for name, describe in KINDS.items()}


def vision() -> dict[str, Row]:
    from course.content.vision_and_speech.experiments.images import baselines, recipe
    from course.content.vision_and_speech.images import KINDS, as_in_the_chapter

    rows = {
        name: trained(lambda seed, how=how: as_in_the_chapter(seed=seed, **how))
        for name, how in KINDS.items()
    }

    def fitted(per_class: int) -> Row:
        return Row(lambda seed: Run(baselines.score("SVM", "writers", per_class, seed), 0.0))

    return rows | {f"SVM, {10 * count} images": fitted(count) for count in recipe.FEWER}


def vision_baselines() -> dict[str, Figures]:
    from course.content.vision_and_speech.experiments.images.baselines import score
    from course.content.vision_and_speech.images import plain_baselines

    known = {f"{name}, writers known": each for name, each in plain_baselines("random").items()}
    return {**plain_baselines(), **known, "SVM, pixels mixed": score("SVM", "writers", mixed=True)}


def spoken() -> dict[str, Row]:
    from course.content.vision_and_speech.sounds import KINDS

    return _described(KINDS)


def spoken_baselines() -> dict[str, Figures]:
    from course.content.vision_and_speech.sounds import plain_baselines

    return _by_name(plain_baselines)


# A chapter's training is added here, with a function above that makes its rows.
APPLICATIONS = {
    "masked-words": Application(
        "bert.masked-words",
        "Masked words of Python's documentation (chapter 05)",
        {
            "accuracy": ("right", "{:.1%}"),
            "top5": ("among the first five", "{:.1%}"),
            "perplexity": ("perplexity", "{:.1f}"),
        },
        masked_words,
        masked_words_baselines,
    ),
    "bert-changes": Application(
        "bert.changes",
        "From BERT to RoBERTa to ModernBERT, one change at a time (chapter 05)",
        {"accuracy": ("right", "{:.1%}"), "perplexity": ("perplexity", "{:.0f}")},
        bert_changes,
    ),
    "docstring-families": Application(
        "classification.few",
        "Families of docstrings (chapter 06)",
        {"accuracy": ("accuracy", "{:.3f}"), "macro F1": ("macro F1", "{:.3f}")},
        docstring_families,
        docstring_families_baselines,
    ),
    "keywords": Application(
        "generation.keywords",
        "From keywords to a sentence (chapter 07)",
        {"bleu": ("BLEU", "{:.3f}"), "exact": ("exact", "{:.1%}")},
        keywords,
        keywords_baselines,
    ),
    "phrases": Application(
        "translation.phrases",
        "Dates, amounts and lists in another language (chapter 08)",
        {
            "exact": ("exact", "{:.1%}"),
            "decades": ("decades never seen", "{:.1%}"),
            "lists": ("longer lists", "{:.1%}"),
        },
        phrases,
        phrases_baselines,
    ),
    "history": Application(
        "translation.history",
        "Three translators of one size (chapter 08)",
        {"exact": ("exact", "{:.1%}")},
        history,
    ),
    "vision": Application(
        "vision_and_speech.vision",
        "Handwritten digits, by writers never seen (chapter 09)",
        {"accuracy": ("right", "{:.1%}"), "read often": ("read nine times each", "{:.1%}")},
        vision,
        vision_baselines,
    ),
    "spoken": Application(
        "vision_and_speech.spoken",
        "Strings of spoken digits (chapter 09)",
        {"errors": ("word error rate", "{:.1%}")},
        spoken,
        spoken_baselines,
    ),
    "help-text": Application(
        "translation.help_text",
        "The help of LibreOffice, from English to Chinese (chapter 08)",
        {"bleu": ("BLEU", "{:.3f}"), "chrf": ("chrF", "{:.3f}")},
        help_text,
        help_text_baselines,
        on_request=("ten minutes", "a minute, with the nearest pair beside"),
    ),
}


def machine() -> dict[str, Any]:
    """Describe the machine and the libraries of a run."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def read(application: Application) -> dict[str, Any]:
    """Return what is recorded, `{"title", "rows"}`; no rows where nothing is."""
    file = recorded.path(application.name)
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {"rows": {}}
    return {"title": application.title, "rows": found["rows"]}


def merge(
    application: Application, order: list[str], name: str, row: Row, run: dict[str, Any]
) -> None:
    """Write a run into its file, in the place of one with the same seed; drop runs of other code.

    `order` lists the rows that the table has.
    """
    facts = read(application)
    current = {"settings": dict(row.settings), "key": row.key}
    entry = facts["rows"].get(name, {})
    same = {part: entry.get(part) for part in current} == json.loads(json.dumps(current))
    kept = [other for other in entry.get("runs", []) if same and other["seed"] != run["seed"]]
    runs = sorted([*kept, run], key=lambda run: -1 if run["seed"] is None else run["seed"])
    facts["rows"][name] = {**current, "runs": runs}
    facts["rows"] = {name: facts["rows"][name] for name in order if name in facts["rows"]}
    file = recorded.path(application.name)
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(draft, file)


def missing(application: Application, name: str, row: Row, seeds: list[int]) -> list[int]:
    """Return the seeds that are not recorded with this code and these settings."""
    entry = read(application)["rows"].get(name, {})
    current = json.loads(json.dumps({"settings": dict(row.settings), "key": row.key}))
    if {part: entry.get(part) for part in current} != current:
        return seeds
    return [seed for seed in seeds if seed not in {run["seed"] for run in entry["runs"]}]


def page() -> str:
    """Make the page of all recordings."""
    parts = [
        "# What the chapters' trainings reach\n\nMade by `benchmarks/applications.py`: the median of the seeds, the "
        "lowest and the highest in brackets. Settings were chosen on validation; test is read once, at the end of a "
        "run. A baseline draws nothing, so it has one run. The seconds are those of one training and depend on what "
        "else the machine does."
    ]
    for application in APPLICATIONS.values():
        if recorded.path(application.name).exists():
            found = recorded.recording(application.name)
            parts.append(f"## {found.title}\n\n{found.machine[0].upper()}{found.machine[1:]}.")
            parts += [table(application, found, split) for split in splits(found)]
    return "\n\n".join(parts) + "\n"


def splits(found: recorded.Recording) -> list[str]:
    first = next(iter(found.rows.values())).runs[0]
    return [split for split in ("validation", "test") if first.get(split)]


def table(application: Application, found: recorded.Recording, split: str) -> str:
    heads = [head for head, _ in application.forms.values()]
    lines = [f"| {split} | {' | '.join(heads)} | seeds | seconds |"]
    lines.append("|" + "---|" * (len(heads) + 3))
    for name, row in found.rows.items():
        cells = [
            row.spread(split, figure).text(form) if figure in row.runs[0][split] else "-"
            for figure, (_, form) in application.forms.items()
        ]
        seeds = ", ".join(map(str, row.seeds)) or "-"
        seconds = f"{row.seconds():.0f}" if row.seeds else "-"
        lines.append(f"| {name} | {' | '.join(cells)} | {seeds} | {seconds} |")
    return "\n".join(lines)


def show(name: str, row: str, run: dict[str, Any]) -> None:
    figures = "; ".join(
        f"{split}: " + ", ".join(f"{figure} {value:.4f}" for figure, value in run[split].items())
        for split in ("validation", "test")
        if run.get(split)
    )
    print(f"{name} / {row} / seed {run['seed']}: {figures}; {run['seconds']:.0f} s", flush=True)


@contextmanager
def empty_home() -> Iterator[None]:
    """Use an empty learner's folder, so that the references train."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["COURSE_HOME"] = home
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(APPLICATIONS))
    parser.add_argument("--rows", help="names of rows, separated by semicolons; all by default")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--again", action="store_true", help="repeat runs that are recorded")
    parser.add_argument("--write", action="store_true", help="record the runs and make the page")
    parser.add_argument("--page", action="store_true", help="make the page and train nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    if not arguments.page:
        with empty_home():
            for name in [arguments.only] if arguments.only else list(APPLICATIONS):
                work(APPLICATIONS[name], arguments.rows, seeds, arguments.write, arguments.again)
    if arguments.write or arguments.page:
        PAGE.write_text(page(), encoding="utf-8")


def work(
    application: Application, wanted: str | None, seeds: list[int], write: bool, again: bool
) -> None:
    rows, baselines = application.rows(), application.baselines()
    order = [*baselines, *rows]
    chosen = [name.strip() for name in wanted.split(";")] if wanted else []
    chosen = chosen or [name for name in rows if name not in application.on_request]
    unknown = [name for name in chosen if name not in rows]
    if unknown:
        raise SystemExit(f"no row {unknown[0]!r}; there are {', '.join(rows)}")
    for name, figures in baselines.items() if wanted is None else ():
        run = {"seed": None, **figures, "seconds": 0.0, **machine()}
        show(application.name, name, run)
        if write:
            merge(application, order, name, Row(lambda seed: Run({}, 0.0)), run)
    for name in chosen:
        row = rows[name]
        for seed in seeds if again or not write else missing(application, name, row, seeds):
            found = row.run(seed)
            run = {"seed": seed, **found.figures, "seconds": found.seconds, **machine()}
            if found.losses:
                run["losses"] = found.losses
            if found.shown:
                run["shown"] = dict(found.shown)
            show(application.name, name, run)
            if write:
                merge(application, order, name, row, run)


if __name__ == "__main__":
    main()
