"""From key press to changed picture: the attention lab beside a plotly FigureWidget, in one run.

    python benchmarks/lab_latency.py [--presses 60] [--write]
    python benchmarks/lab_latency.py --labs all [--presses 60] [--write]
    python benchmarks/lab_latency.py --labs tokenizer position [--presses 60] [--write]

The second and third form measure other labs in the same way, without a peer. `--write` puts each lab's
row into `results/labs_latency.md` as soon as it is measured, in the place of its last one; the other
rows stay. A row stands under the CPU that it was measured on and has the load of its own minutes.

Both show eight heads of a fresh layer stack, d_model 256, on 32 tokens, each in a notebook of its
own in one real JupyterLab in one real Chromium on this machine. An arrow key on a focused slider changes the
temperature; both compute the same arrays with the same code and draw every head and one large.
The clock starts with the key's event in the page. It stops, for the lab, in the first frame after
its `data-drawn` grew, when the canvases have been drawn; for plotly, in the first frame after its
`plotly_afterplot`. One after the other has the machine for itself, as a learner's lab has.

Bytes are those of the websocket's messages from the server in answer to a key press, all of them:
the update, and the kernel's "busy" and "idle". Times and bytes are noted by the page itself;
between a press and its picture nothing asks it, since asking would take its time.

On a machine that does other work too, `chrt -r 1 python benchmarks/lab_latency.py` (as root)
gives what it would be without that work; the report says how it was run.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Error as PlaywrightError  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from course.setup.doctor import chromium  # noqa: E402
from tests.browser.more import begin_open  # noqa: E402
from tests.browser.server import (  # noqa: E402
    ARGUMENTS,
    JupyterLab,
    jupyterlab,
    open_and_run,
    write_notebook,
)

TEXT = "the quick brown fox jumps over the lazy dog " * 3 + "again and again"  # 32 tokens
LAB = f"""
from course import labs
lab = labs.AttentionLab(text={TEXT!r}, encoder="fresh", heads=8, d_model=256, layers=1, head=0)
assert len(lab.drawing().labels["tokens"]) == 32
lab
"""
PLOTLY = f"""
import ipywidgets, plotly.graph_objects as go
from plotly.subplots import make_subplots
from course.labs.attention.compute import compute
from course.labs.attention.settings import Settings

def weights(temperature):
    settings = Settings({TEXT!r}, encoder="fresh", heads=8, d_model=256, layers=1,
                        temperature=temperature)
    return compute(settings).weights[0]

specs = [[{{}}, {{}}, {{}}, {{}}, {{"rowspan": 2, "colspan": 2}}, None], [{{}}, {{}}, {{}}, {{}}, None, None]]
figure = go.FigureWidget(make_subplots(2, 6, specs=specs))
for i, head in enumerate(weights(1.0)):
    figure.add_heatmap(z=head, zmin=0, zmax=1, showscale=False, row=i // 4 + 1, col=i % 4 + 1)
figure.add_heatmap(z=weights(1.0)[0], zmin=0, zmax=1, row=1, col=5)
slider = ipywidgets.FloatSlider(value=1.0, min=0.1, max=4.0, step=0.05, description="temperature")

def move(change):
    now = weights(change["new"])
    with figure.batch_update():
        for i in range(8):
            figure.data[i].z = now[i]
        figure.data[8].z = now[0]

slider.observe(move, "value")
ipywidgets.VBox([slider, figure])
"""


@dataclass(frozen=True)
class Contender:
    """A notebook with one live picture: what shows that it is there, what moves it, and by which keys."""

    name: str
    notebook: str
    cell: str
    picture: str
    moved: str
    shows: tuple[str, str] = ("[data-lab]", "data-drawn")  # what changes with its picture
    # There and back, so that no slider comes to its end, and not to the same place each time.
    keys: tuple[str, ...] = ("ArrowLeft",) * 3 + ("ArrowRight",) * 3


CONTENDERS = (
    Contender(
        "attention lab", "lab.ipynb", LAB,
        "[data-lab=attention][data-drawn]", "[data-lab] input[type=range]",
    ),
    Contender(
        "plotly FigureWidget", "plotly.ipynb", PLOTLY,
        ".js-plotly-plot .heatmaplayer image", ".jupyter-widgets.widget-slider [tabindex='0']",
    ),
)  # fmt: skip
RANGE = "[data-lab] input[type=range]"
SEARCH = """
from course import datasets, labs, passages
from course.content.classification.experiments import vectors
examples = datasets.load("docstring-families").train
shelf = [passages.Passage(example.source, example.text) for example in examples]
labs.SearchLab(passages.Index(shelf, vectors.of(examples), [each.text for each in examples]))
"""
OTHERS = {
    name: Contender(
        f"{called}: {moves}", f"{name}.ipynb", f"from course import labs\nlabs.{made}",
        f"[data-lab={lab}][data-drawn]", moved,
    )
    for name, called, moves, made, lab, moved in (
        ("tokenizer", "tokenizer lab", "the vocabulary's size", "TokenizerLab()", "tokenizer", RANGE),
        ("position", "position lab", "the base", "PositionLab()", "position", RANGE),
        ("embedding", "embedding lab", "the word on the map", "EmbeddingLab()", "embedding",
         "[data-panel=map] canvas"),
        ("minilm", "attention lab on MiniLM", "the temperature", "AttentionLab()", "attention", RANGE),
        ("feed-forward", "feed-forward lab", "the number of neurons", "FeedForwardLab()",
         "feed-forward", RANGE),
        ("stack", "stack lab", "the number of layers", "StackLab()", "stack", RANGE),
        ("shapes", "shape tracer", "the step", "ShapeTracer(step=40)", "shapes", "[role=listbox]"),
    )
}  # fmt: skip
# With real-time priority what computes would not make way for what wakes, as it does otherwise.
BEHIND = """import os
if os.sched_getscheduler(0) == os.SCHED_RR:
    os.sched_setscheduler(session._watch.worker.pid, os.SCHED_RR, os.sched_param(1))
"""
OTHERS["theatre"] = Contender(
    "training theatre, while chapter 05's training runs: the moment", "theatre.ipynb",
    "from course import labs\n"
    "from course.content.bert.pretraining import masked_words\n"
    "from course.training import Session\n"
    "training = masked_words()\n"
    "session = Session(training, training.settings.changed(steps=20_000))\n"
    "session.start()\n"
    + BEHIND + "labs.TrainingTheatre(training, session)",
    "[data-panel=answers]:not([data-at='0'])", RANGE, ("[data-panel=answers]", "data-at"),
    ("PageDown", "PageUp"),
)  # fmt: skip
WARM_UP = 6  # presses
OTHERS["search"] = Contender(
    "search lab, 3,522 passages: a letter of the question", "search.ipynb", SEARCH,
    "[data-lab=search][data-drawn]", "[data-lab] input[type=text]", keys=("x", "Backspace") * 3,
)  # fmt: skip
# Untrained: as long as a date's translation, and never sure, so that the whole beam is searched.
TRANSLATION = """
from course import labs
from course.content.translation.experiments import characters, model
both = characters.characters("zh")
labs.TranslationLab(model.build(len(both)), both, language="zh", longest=13)
"""
OTHERS["translation"] = Contender(
    "translation lab, 13 steps, a beam of 3: a letter of the phrase", "translation.ipynb",
    TRANSLATION, "[data-lab=translation][data-drawn]", "[data-lab] input[type=text]",
    # Always another letter: the lab keeps what it has translated, so the way back is shorter.
    keys=tuple(key for letter in "abcdefghijklmnopqrstuvwxyz" for key in (letter, "Backspace")),
)  # fmt: skip
# Untrained, so that no hypothesis ends early; with room for one text, so that each letter is computed anew.
DECODING = """
import functools
from course import datasets, labs
from course.content.generation.experiments import model
lab = labs.DecodingLab(model.build(), datasets.tokenizer())
lab.reader._nodes = functools.lru_cache(1)(lab.reader._search)
lab.reader._forward = functools.lru_cache(1)(lab.reader._read_forward)
lab
"""
OTHERS["decoding"] = Contender(
    "decoding lab, a beam of 3: a letter of the keywords", "decoding.ipynb", DECODING,
    "[data-lab=decoding][data-drawn]", "[data-lab] input[type=text]", keys=("x", "Backspace") * 3,
)  # fmt: skip
# What the machine can do is given, so that nothing is measured before the first picture.
OTHERS["cost"] = Contender(
    "cost lab: the length", "cost.ipynb",
    "from course import labs\nfrom encoder_core import Machine\nlabs.CostLab(Machine(5e10, 5e9))",
    "[data-lab=cost][data-drawn]", "[data-lab] input[type=number]",
    keys=("ArrowUp",) * 3 + ("ArrowDown",) * 3,
)  # fmt: skip
# Untrained, with every digit of scikit-learn as example; with room for one drawing, so that each is read anew.
VISION = """
import functools
import torch
from sklearn.datasets import load_digits
from course import labs
from encoder_core import VisionTransformer
digits = load_digits()
lab = labs.VisionLab(VisionTransformer(8, 2, 10, 32, 4, channels=1), torch.tensor(digits.images) / 16, digits.target)
lab.reader.read = functools.lru_cache(1)(lab.reader._read)
lab
"""
OTHERS["vision"] = Contender(
    "vision lab, 17 images a batch: the ink of a pixel", "vision.ipynb", VISION,
    "[data-lab=vision][data-drawn]", "[data-panel=sketch] canvas", keys=("9", "2", "5") * 2,
)  # fmt: skip
# Of the size that chapter 09 trains, untrained; five seconds, at another speed with each key.
SPEECH = """
import torch
from course import labs
from encoder_core import LogMel, SpeechEncoder
torch.manual_seed(0)
names = ["blank", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
listener = SpeechEncoder(len(names), 64, 4, front_end=LogMel(rate=8000, bands=40)).eval()
labs.SpeechLab(listener, [("noise", 0.1 * torch.randn(40_000), ())], names)
"""
OTHERS["speech"] = Contender(
    "speech lab, 5 s, 2 layers: the speed", "speech.ipynb", SPEECH, "[data-lab=speech][data-drawn]",
    "[data-lab] label:text-is('Speed') + input", keys=("ArrowLeft", "ArrowRight"),
)  # fmt: skip
OTHERS["speech-frame"] = Contender(
    "speech lab, 5 s: another frame", "speech.ipynb", SPEECH, "[data-lab=speech][data-drawn]",
    "[data-panel=sound] canvas", keys=("ArrowRight",),
)  # fmt: skip
# In the page, before it is loaded: count what comes through websockets.
COUNT = """(() => {
  const Plain = window.WebSocket;
  window.courseBytes = 0;
  window.WebSocket = class extends Plain {
    constructor(...parts) {
      super(...parts);
      this.addEventListener("message", ({ data }) => {
        window.courseBytes += data.byteLength ?? data.length;
      });
    }
  };
})()"""
# In the page: note the key's time and that of the first frame after the picture changed.
WATCH = """([selector, attribute]) => {
  const marks = window.courseMarks = { key: null, taken: null };
  const stop = () => requestAnimationFrame(() => {
    if (marks.key !== null && marks.taken === null) marks.taken = performance.now() - marks.key;
  });
  document.addEventListener("keydown", (event) => {
    const watched = event.target.closest("[data-lab], .jupyter-widgets");
    if (watched) Object.assign(marks, { key: event.timeStamp, taken: null });
  }, true);
  const shown = document.querySelector(selector);
  if (shown) new MutationObserver(stop).observe(shown, { attributes: true, attributeFilter: [attribute] });
  document.querySelector(".js-plotly-plot")?.on("plotly_afterplot", stop);
}"""


@dataclass(frozen=True)
class Measured:
    """Milliseconds and bytes of each press, and the load average (1 minute) before and after."""

    name: str
    times: list[float]
    sizes: list[int]
    load: tuple[float, float]

    def cells(self) -> list[str]:
        """A row of the table: the name, presses, median, 95th percentile, bytes."""
        p95 = statistics.quantiles(self.times, n=20)[-1]
        return [
            self.name, str(len(self.times)), f"{statistics.median(self.times):.0f} ms", f"{p95:.0f} ms",
            f"{statistics.median(self.sizes):,.0f}",
        ]  # fmt: skip


def measure(presses: int, contenders: Sequence[Contender] = CONTENDERS) -> Iterator[Measured]:
    """Press keys, first in the one, then in the other; a lab that stands still is told and left out."""
    program = chromium()
    if program is None:
        raise SystemExit(
            "This benchmark needs Chromium: install it, or name it in COURSE_CHROMIUM."
        )
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        folder = Path(name) / "notebooks"
        folder.mkdir()
        for contender in contenders:
            write_notebook(folder / contender.notebook, contender.cell)
        with jupyterlab(folder, Path(name) / "home") as server:
            browser = play.chromium.launch(executable_path=program, args=ARGUMENTS)
            for contender in contenders:
                before = load()
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                try:
                    _open(page, server, contender)
                    times, sizes = _press_all(page, contender, presses)
                    yield Measured(contender.name, times, sizes, (before, load()))
                except PlaywrightError as error:
                    told = str(error).partition("\n")[0]
                    print(f"{contender.name}: not measured. {told}", file=sys.stderr)
                page.close()
                server.shut_kernels()
            browser.close()


def _open(page: Page, server: JupyterLab, contender: Contender) -> None:
    begin_open(page)  # with all pictures of the lab, as before any was folded away
    page.add_init_script(COUNT)
    open_and_run(page, server, contender.notebook)
    page.wait_for_selector(contender.picture, timeout=120_000)
    page.wait_for_timeout(3000)
    page.evaluate(WATCH, list(contender.shows))


def _press_all(page: Page, contender: Contender, presses: int) -> tuple[list[float], list[int]]:
    page.locator(contender.moved).first.focus()
    keys = contender.keys
    taken, sizes = [], []
    for number in range(presses + WARM_UP):
        milliseconds, size = _press(page, keys[number % len(keys)])
        if number >= WARM_UP:
            taken.append(milliseconds)
            sizes.append(size)
    return taken, sizes


def _press(page: Page, key: str) -> tuple[float, int]:
    """Milliseconds from the key to its picture, and the bytes that came."""
    time.sleep(0.25)
    page.evaluate("() => { window.courseBytes = 0; }")
    page.keyboard.press(key)
    time.sleep(0.5)  # the picture, and then the kernel's "idle"
    page.wait_for_function("() => window.courseMarks.taken !== null", timeout=20_000)
    taken, size = page.evaluate("() => [window.courseMarks.taken, window.courseBytes]")
    return float(taken), int(size)


def load() -> float:
    """The load average of the last minute; NaN where the system has none."""
    found: Any = getattr(os, "getloadavg", lambda: (float("nan"),))()
    return float(found[0])


def processor() -> str:
    """The CPU's name, and how many cores it has."""
    names = [platform.processor()]
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        names = [line.split(":")[1].strip() for line in lines] or names
    return f"{names[0]}, {os.cpu_count()} cores"


def scheduling() -> str:
    """Whether other work on the machine could get in the way."""
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else 0
    if policy in (1, 2):  # SCHED_FIFO, SCHED_RR
        return "real-time priority (`chrt -r 1`): the machine's other work had to wait"
    return "ordinary priority: the machine's other work, if any, got in the way"


PEERS = """Made by `benchmarks/lab_latency.py`: JupyterLab in headless Chromium, 8 heads, d_model 256,
32 tokens; the arrow keys move the temperature. The window is 1440 x 900, drawn without a GPU."""
ALONE = """Made by `benchmarks/lab_latency.py --labs ... --write`, lab by lab: JupyterLab in headless Chromium, each
lab as it starts; the arrow keys, or a letter, change what the first column names. The window is 1440 x 900,
drawn without a GPU. Load: the average of a minute, before and after."""
HEAD = ["", "presses", "median", "p95", "bytes an update", "load"]

Sections = dict[str, dict[str, list[str]]]  # CPU and priority, the lab's name, its row


def conditions() -> str:
    """What the rows of one section have in common."""
    return f"{processor()}; {scheduling()}"


def row_of(measured: Measured) -> list[str]:
    """A row with its load."""
    before, after = measured.load
    return [*measured.cells(), f"{before:.1f}, {after:.1f}"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    cells = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in cells]


def report(results: Sequence[Measured]) -> str:
    """The lab beside its peer, as Markdown."""
    rows = [row_of(each) for each in results]
    medians = [statistics.median(each.times) for each in results]
    lines = ["# Key press to changed picture", "", PEERS, "", f"## {conditions()}", ""]
    lines += [*table(HEAD, rows), ""]
    lines += [f"The lab's median is {medians[1] / medians[0]:.1f} times shorter.", ""]
    return "\n".join(lines)


def read_sections(text: str) -> Sections:
    """The rows of `write_sections`."""
    sections: Sections = {}
    rows: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("## "):
            rows = sections.setdefault(line[3:], {})
        elif line.startswith("| ") and not line.startswith(("| |", "| ---")):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            rows[row[0]] = row
    return sections


def write_sections(sections: Sections) -> str:
    """The labs' rows as Markdown, in the order of `OTHERS`, a section for each CPU and priority."""
    order = [contender.name for contender in OTHERS.values()]
    lines = ["# Key press to changed picture", "", ALONE, ""]
    for under, rows in sections.items():
        known = [rows[name] for name in order if name in rows]
        if known:
            lines += [f"## {under}", "", *table(HEAD, known), ""]
    return "\n".join(lines)


def keep(measured: Measured, path: Path) -> None:
    """Put a lab's row into the table, in the place of its last one."""
    sections = read_sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    for rows in sections.values():
        rows.pop(measured.name, None)
    sections.setdefault(conditions(), {})[measured.name] = row_of(measured)
    path.write_text(write_sections(sections), encoding="utf-8")


def main() -> None:
    """Measure, print, and with `--write` keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--presses", type=int, default=60)
    parser.add_argument(
        "--labs", nargs="+", choices=[*OTHERS, "all"], help="other labs, without a peer"
    )
    parser.add_argument("--write", action="store_true", help="keep the rows in results/")
    arguments = parser.parse_args()
    if arguments.labs:
        names = list(OTHERS) if "all" in arguments.labs else arguments.labs
        print("\n".join([conditions(), "", *table(HEAD, [])]), flush=True)
        count = 0
        for measured in measure(arguments.presses, [OTHERS[name] for name in names]):
            print(table(row_of(measured), [])[0], flush=True)
            count += 1
            if arguments.write:
                keep(measured, RESULTS / "labs_latency.md")
        sys.exit(count < len(names))
    both = list(measure(arguments.presses))
    if len(both) < len(CONTENDERS):
        raise SystemExit("One of the two was not measured, so there is nothing to compare.")
    text = report(both)
    print(text)
    if arguments.write:
        (RESULTS / "lab_latency.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
