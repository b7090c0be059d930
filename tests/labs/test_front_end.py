"""The front end's modules: joined into one, tested under Node, checked by TypeScript."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course.datasets.passages.box import FRONT as BOX
from course.labs.front import FOLDER, front_end, join_modules
from course.labs.lab import Lab
from course.labs.packing import as_read, pack, signed_codes, weight_codes
from course.quiz.front import FOLDER as QUIZ

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted(Path(__file__).with_name("front_end").glob("*.test.mjs"))
ON_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def bundled_node() -> str | None:
    """The Node that Playwright's wheel ships."""
    try:
        import playwright
    except ImportError:
        return None
    name = "node.exe" if os.name == "nt" else "node"
    return shutil.which(name, path=str(Path(playwright.__file__).parent / "driver"))


def missing(sentence: str) -> None:
    """Skip a test whose tool is missing; on CI it must be there."""
    if ON_CI:
        pytest.fail(f"{sentence}; on CI it must be there")
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a Node."""
    path = shutil.which("node") or bundled_node()
    if path is None:
        missing("needs Node: install it, or the test extra, whose Playwright ships one")
    assert path is not None
    return path


def run(*command: str | Path) -> str:
    """The output of a command; the test fails with it if the command does."""
    # Under CI's and pytest's own variables Node's test runner would report to nobody.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, encoding="utf-8", env=environ
    )
    if done.returncode:
        pytest.fail(f"{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


# Joined


def test_a_lab_carries_one_module_without_imports() -> None:
    script, style = front_end()
    assert Lab._esm == script
    assert Lab._css == style
    assert not re.search(r"^\s*import\b", script, re.MULTILINE)
    exports = re.findall(r"^[ \t]*export\b.*", script, re.MULTILINE)
    assert exports == ["export default { render };"]
    assert script.count("\nclass ") == sum(
        len(re.findall(r"^(?:export )?class ", path.read_text("utf-8"), re.MULTILINE))
        for path in FOLDER.glob("*.js")
    )


def test_the_joined_module_is_the_same_each_time() -> None:
    code = "from course.labs.front import front_end; print(front_end()[0], end='')"
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, check=True, env=environ)
        assert done.stdout.decode("utf-8").replace("\r\n", "\n") == front_end()[0]


def test_the_joined_module_parses_and_has_a_render(node: str, tmp_path: Path) -> None:
    module = tmp_path / "joined.mjs"
    module.write_text(front_end()[0], "utf-8")
    run(node, "--check", module)
    code = (
        f"import({json.dumps(module.as_uri())}).then((m) => console.log(typeof m.default.render))"
    )
    assert run(node, "-e", code).strip() == "function"


def test_modules_are_joined_after_those_that_they_import() -> None:
    joined = join_modules(
        {
            "lab": 'import { b } from "./b.js";\nimport {\n  a, c,\n} from "./a.js";\n\n'
            "export default { a, b, c };\n",
            "b": 'import { a } from "./a.js";\nexport function b() { return a; }\n',
            "a": "/**\n * A number.\n */\nexport const a = 1;\nexport class c {}\nconst own = 2;\n",
        },
        "lab",
    )
    assert joined == (
        "// a.js\nconst a = 1;\nclass c {}\nconst own = 2;\n\n"
        "// b.js\nfunction b() { return a; }\n\n"
        "// lab.js\nexport default { a, b, c };\n"
    )


USES_A = 'import { a } from "./a.js";\n'


@pytest.mark.parametrize(
    ("modules", "sentence"),
    [
        ({"lab": USES_A}, "lab imports a.js, which is missing"),
        ({"lab": USES_A, "a": "const a = 1;\n"}, "lab.js imports a, which a.js does not export"),
        ({"lab": USES_A, "a": 'import { b } from "./lab.js";\n'}, "circle: lab -> a -> lab"),
        ({"lab": "const a = 1;\n", "b": "const b = 1;\n"}, "Nothing imports b.js"),
        (
            {"lab": f"{USES_A}function b() {{}}\n", "a": "export const a = 1;\nlet b = 2;\n"},
            "lab.js and a.js both declare b",
        ),
        ({"lab": "export { a };\n"}, "lab.js: cannot join 'export { a };'"),
        ({"lab": 'import * as a from "./a.js";\n'}, "cannot join 'import"),
        ({"lab": 'import { a as b } from "./a.js";\n'}, "which a.js does not export|cannot join"),
        ({"lab": 'import { a } from "other";\n'}, "cannot join 'import"),
        ({"lab": "const [a, b] = [1, 2];\n"}, r"cannot join 'const \["),
        ({"lab": 'function a() { return import("./a.js"); }\n'}, "cannot join"),
        (
            {"lab": USES_A, "a": "export const a = 1;\nexport default { a };\n"},
            "a.js: cannot join 'export default",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(modules: dict[str, str], sentence: str) -> None:
    if "as b" in modules["lab"]:
        modules = {**modules, "a": "export const a = 1;\n"}
    with pytest.raises(ValueError, match=sentence):
        join_modules(modules, "lab")


def test_ids_are_made_in_one_module() -> None:
    for path in FOLDER.glob("*.js"):
        if path.stem != "dom":
            made = re.findall(
                r"course-lab-(?:control|panel)-|\bid: [`\"']|(?<!this)\.id = ",
                path.read_text("utf-8"),
            )
            assert made == [], path.name


# Under Node


def test_there_are_unit_tests() -> None:
    assert len(UNITS) >= 6


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name.partition(".")[0])
def test_units(node: str, file: Path) -> None:
    said = run(node, "--test", "--test-reporter=tap", file)
    (passed,) = re.findall(r"^# pass (\d+)$", said, re.MULTILINE)
    assert int(passed) == file.read_text("utf-8").count('\ntest("')


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_codes_mean_the_same_in_python_and_javascript(node: str, bits: int) -> None:
    weights = np.linspace(0, 1, 15, dtype=np.float32)
    blocked = np.arange(15) == 3
    packed = pack(weight_codes(weights, blocked, bits)[None], bits)  # type: ignore[arg-type]
    assert decoded(node, packed, bits, 15, "weights", 1) == pytest.approx(
        np.where(blocked, np.nan, weights), abs=1.2 / (2**bits - 2), nan_ok=True
    )


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_codes_mean_the_same_in_python_and_javascript(node: str, bits: int) -> None:
    numbers = np.linspace(-2.5, 2.5, 11, dtype=np.float32)
    packed = pack(signed_codes(numbers, 2.5, bits)[None], bits)  # type: ignore[arg-type]
    read = decoded(node, packed, bits, 11, "signed", 2.5)
    assert read == pytest.approx(numbers, abs=2.5 / (2**bits - 2))
    if bits == 16:
        assert read == [as_read(float(number), 2.5) for number in numbers]


def decoded(
    node: str, packed: bytes, bits: int, count: int, scale: str, limit: float
) -> list[float]:
    """What `codes.js` reads from packed codes."""
    code = f"""
        import({json.dumps((FOLDER / "codes.js").as_uri())}).then(({{ decode, readCodes }}) => {{
          const codes = readCodes(Uint8Array.from({list(packed)}).buffer, {bits}, {count});
          const coding = {json.dumps({"scale": scale, "limit": limit})};
          console.log(JSON.stringify(Array.from(codes.slice(0, {count}), (code) => decode(code, {bits}, coding))));
        }});
    """
    return [np.nan if number is None else number for number in json.loads(run(node, "-e", code))]


# Types


@pytest.fixture(scope="session")
def compiler() -> str:
    """The path of TypeScript's compiler."""
    path = shutil.which("tsc")
    if path is None:
        missing("needs TypeScript's tsc: install Debian's node-typescript, or npm's typescript")
    assert path is not None
    return path


@pytest.mark.slow
def test_types_fit_and_one_that_does_not_is_found(compiler: str, tmp_path: Path) -> None:
    """One run over the three front ends, each with a wrong line at the end of a file."""
    wrong, includes = [], []
    for folder in (FOLDER, QUIZ, BOX):
        copied = shutil.copytree(folder, tmp_path / folder.relative_to(ROOT))
        includes += [str(copied / "*.js"), str(copied / "*.d.ts")]
        first = min(copied.glob("*.js"))
        with first.open("a", encoding="utf-8") as file:
            file.write('\n/** @type {number} */\nexport const wrong = "1";\n')
        wrong.append((first.name, len(first.read_text("utf-8").splitlines())))
    settings = tmp_path / "jsconfig.json"
    common = (tmp_path / FOLDER.relative_to(ROOT) / "jsconfig.json").as_posix()
    settings.write_text(json.dumps({"extends": common, "include": includes}), "utf-8")
    done = subprocess.run([compiler, "-p", settings], capture_output=True, text=True)
    found = re.findall(r"(\w+\.js)\((\d+),\d+\): error", done.stdout)
    assert sorted((name, int(line)) for name, line in found) == sorted(wrong), done.stdout


@pytest.mark.parametrize("folder", [QUIZ, BOX], ids=["quiz", "box"])
def test_the_settings_for_types_are_those_of_the_labs(folder: Path) -> None:
    settings = json.loads((folder / "jsconfig.json").read_text("utf-8"))
    assert (folder / settings.pop("extends")).resolve() == FOLDER / "jsconfig.json"
    assert settings.keys() == {"include"}
