"""The labs' front end: JavaScript modules, joined into the one module that anywidget takes.

`lab.js` is the whole of one view. Below it stand the panels (`grid`, `matrix`, `table`, `plot`,
`tokens`, `flow`, `passages`, `texts`, `image`, `sketch`, `patches`, each a kind of `panel`; `steps`
and `journey`, each a kind of `walk`), the training theatre's panels (`stage`: what runs, and its
buttons; `curves`, with the cursor; `answers`), the recording (`sound`,
with the `microphone` and the numbers of `waves`), the `controls` and `chips`, what was moved and not
yet answered (`requests`), the tasks to solve by playing (`challenges`), before and after
(`compare`), what is folded away (`more`) and the saved `picture`. Below those: `axis` and `strokes`
for plots, `tracks` for curves that grow, `lines` for the flow, `ink` for what is drawn by hand,
`differences` of two states, `codes` for packed numbers and colours, `dom` for elements and their
ids, `text` for numbers and sentences, `page` for what all labs of a page share.
`messages.d.ts` has the types of what Python sends; `jsconfig.json` tells TypeScript how to check them.

The modules import one another by name (``import { make } from "./dom.js"``) and export declarations
(``export function make``), and nothing else: this is all of the syntax that `join_modules` takes
out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
ENTRY = "lab"  # the module with anywidget's default export

_COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^import \{([\w\s,]+)\} from "\.[./\w]*/(\w+)\.js";\n', re.MULTILINE)
_DECLARATION = re.compile(
    r"^(export )?(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE
)
_DEFAULT = re.compile(r"^export default \{[\w\s,]+\};\n?", re.MULTILINE)
_LEFT_OVER = re.compile(
    r"^(?:(?:import|export)\b|(?:const|let|var) [\[{]|var ).*|\bimport\(", re.MULTILINE
)


@cache
def front_end() -> tuple[str, str]:
    """Return the front end's JavaScript, as one ES module, and its CSS."""
    modules = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.js"))}
    return join_modules(modules, ENTRY), (FOLDER / "lab.css").read_text("utf-8")


def join_modules(modules: Mapping[str, str], entry: str) -> str:
    r"""Join ES modules into one: each after those that it imports, without documentation comments.

    Every lab on a page carries the text, so the comments stay behind.

    Args:
        modules: the modules' sources by name, without ".js".
        entry: the module that imports the others, directly or not.

    Raises:
        ValueError: a module is missing, never imported or part of a circle; an imported name is not
            exported; two modules declare the same name; or the syntax is not what this package's
            docstring allows.

    >>> print(join_modules({
    ...     "a": 'import { two } from "./b.js";\n\nexport default { two };\n',
    ...     "b": "/** A number. */\nexport const two = 2;\n",
    ... }, "a"))
    // b.js
    const two = 2;
    <BLANKLINE>
    // a.js
    export default { two };
    <BLANKLINE>
    """
    sources = {name: _COMMENT.sub("", text) for name, text in modules.items()}
    order = _in_order(sources, entry)
    unused = sorted(set(sources) - set(order))
    if unused:
        raise ValueError(f"Nothing imports {unused[0]}.js.")
    _check_names(sources)
    return "\n".join(f"// {name}.js\n{_body(name, sources[name], entry)}" for name in order)


def _in_order(sources: Mapping[str, str], entry: str) -> list[str]:
    """The modules, each after those that it imports."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"The modules import in a circle: {' -> '.join((*path, name))}.")
        if name not in sources:
            raise ValueError(
                f"{path[-1] if path else 'The entry'} imports {name}.js, which is missing."
            )
        if name not in order:
            for _, imported in _IMPORT.findall(sources[name]):
                visit(imported, (*path, name))
            order.append(name)

    visit(entry, ())
    return order


def _check_names(sources: Mapping[str, str]) -> None:
    """Check that each name is declared once, and exported where another module imports it."""
    home: dict[str, str] = {}
    exported: dict[str, set[str]] = {name: set() for name in sources}
    for module, text in sources.items():
        for export, name in _DECLARATION.findall(text):
            if name in home:
                raise ValueError(f"{home[name]}.js and {module}.js both declare {name}.")
            home[name] = module
            if export:
                exported[module].add(name)
    for module, text in sources.items():
        for names, imported in _IMPORT.findall(text):
            for name in filter(None, map(str.strip, names.split(","))):
                if name not in exported[imported]:
                    raise ValueError(
                        f"{module}.js imports {name}, which {imported}.js does not export."
                    )


def _body(module: str, text: str, entry: str) -> str:
    """The module without its imports and the word "export"; the entry keeps its default export."""
    body = _DECLARATION.sub(lambda match: match.group().removeprefix("export "), text)
    body = _IMPORT.sub("", body).strip("\n") + "\n"
    rest = _DEFAULT.sub("", body) if module == entry else body
    left = _LEFT_OVER.search(rest)
    if left:
        raise ValueError(f"{module}.js: cannot join {left.group().strip()!r}.")
    return body
