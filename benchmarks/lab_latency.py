"""From key press to changed picture: the attention lab beside a plotly FigureWidget, in one run.

    python benchmarks/lab_latency.py [--presses 60] [--write]

Both show eight heads of a fresh layer stack, d_model 256, on 32 tokens, in one notebook in a real
JupyterLab in a real Chromium on this machine. An arrow key on a focused slider changes the
temperature; both compute the same arrays with the same code and draw every head and one large.
The clock starts with the key's event in the page. It stops, for the lab, in the first frame after
its `data-drawn` grew, when the canvases have been drawn; for plotly, in the first frame after its
`plotly_afterplot`. The presses alternate between the two, so that both meet the same machine.

Bytes are those of the websocket's frames from the server in answer to a key press, all of them:
the update, and the kernel's "busy" and "idle".

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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, WebSocket, sync_playwright  # noqa: E402

from course.setup.doctor import chromium  # noqa: E402
from tests.browser.server import ARGUMENTS, jupyterlab, open_and_run, write_notebook  # noqa: E402

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
# In the page: note the key's time and that of the first frame after the picture changed.
WATCH = """() => {
  const marks = window.courseMarks = { key: null, taken: null };
  const stop = () => requestAnimationFrame(() => {
    if (marks.key !== null && marks.taken === null) marks.taken = performance.now() - marks.key;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) Object.assign(marks, { key: event.timeStamp, taken: null });
  }, true);
  new MutationObserver(stop).observe(document.querySelector("[data-lab]"),
    { attributes: true, attributeFilter: ["data-drawn"] });
  document.querySelector(".js-plotly-plot").on("plotly_afterplot", stop);
}"""


def measure(presses: int) -> dict[str, tuple[list[float], list[int]]]:
    """Press keys, alternating between the two; milliseconds and bytes of each press."""
    program = chromium()
    if program is None:
        raise SystemExit(
            "This benchmark needs Chromium: install it, or name it in COURSE_CHROMIUM."
        )
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        folder = Path(name) / "notebooks"
        folder.mkdir()
        write_notebook(folder / "latency.ipynb", LAB, PLOTLY)
        with jupyterlab(folder, Path(name) / "home") as server:
            browser = play.chromium.launch(executable_path=program, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1400, "height": 1900})
            frames: list[int] = []
            page.on("websocket", lambda socket: _count(socket, frames))
            open_and_run(page, server, "latency.ipynb")
            page.wait_for_selector("[data-lab=attention][data-drawn]", timeout=120_000)
            page.wait_for_selector(".js-plotly-plot .heatmaplayer image", timeout=120_000)
            page.wait_for_timeout(3000)
            page.evaluate(WATCH)
            results = _press_all(page, frames, presses)
            browser.close()
            return results


def _count(socket: WebSocket, frames: list[int]) -> None:
    socket.on("framereceived", lambda data: frames.append(len(data)))


def _press_all(
    page: Page, frames: list[int], presses: int
) -> dict[str, tuple[list[float], list[int]]]:
    sliders = {
        "attention lab": page.locator("[data-lab] input[type=range]"),
        "plotly FigureWidget": page.locator(".jupyter-widgets.widget-slider [tabindex='0']").first,
    }
    results: dict[str, tuple[list[float], list[int]]] = {name: ([], []) for name in sliders}
    for i in range(presses + 5):  # the first five warm up
        for name, slider in sliders.items():
            slider.focus()
            page.wait_for_timeout(250)
            frames.clear()
            page.keyboard.press("ArrowRight" if i % 2 else "ArrowLeft")
            page.wait_for_function("() => window.courseMarks.taken !== null", timeout=20_000)
            taken = page.evaluate("() => window.courseMarks.taken")
            page.wait_for_timeout(250)  # the kernel's "idle" comes after the picture
            if i >= 5:
                results[name][0].append(taken)
                results[name][1].append(sum(frames))
    return results


def processor() -> str:
    """The CPU's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        if names:
            return names[0].split(":")[1].strip()
    return platform.processor()


def scheduling() -> str:
    """Whether other work on the machine could get in the way."""
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else 0
    if policy in (1, 2):  # SCHED_FIFO, SCHED_RR
        return "Real-time priority (`chrt -r 1`): the machine's other work had to wait."
    return "Ordinary priority: the machine's other work, if any, got in the way."


def report(results: dict[str, tuple[list[float], list[int]]], busy: str) -> str:
    """The results as a Markdown table."""
    lines = [
        "# Key press to changed picture",
        "",
        "Made by `benchmarks/lab_latency.py`: JupyterLab in headless Chromium, 8 heads, d_model 256,",
        "32 tokens; the arrow keys move the temperature.",
        "",
        f"CPU: {processor()}, {os.cpu_count()} cores. Load average (1 minute) before and after: {busy}.",
        scheduling(),
        "",
        "| | presses | median | p95 | bytes an update |",
        "|---|---|---|---|---|",
    ]
    for name, (times, sizes) in results.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        lines.append(
            f"| {name} | {len(times)} | {statistics.median(times):.0f} ms | {p95:.0f} ms | "
            f"{statistics.median(sizes):,.0f} |"
        )
    medians = [statistics.median(times) for times, _ in results.values()]
    lines += ["", f"The lab's median is {medians[1] / medians[0]:.1f} times shorter.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and with `--write` keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--presses", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="keep the table beside this file")
    arguments = parser.parse_args()
    load: Any = getattr(os, "getloadavg", lambda: (float("nan"),))
    before = load()[0]
    results = measure(arguments.presses)
    text = report(results, f"{before:.1f} and {load()[0]:.1f}")
    print(text)
    if arguments.write:
        (Path(__file__).parent / "results" / "lab_latency.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
