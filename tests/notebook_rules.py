"""Rules for stored notebooks: their structure, and what must not be in them.

For the tests, and for nbval's settings in ``notebooks/conftest.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import nbformat

from arise_lib.compendium.notebooks import WIDGET, read, stripped
from arise_lib.errors import InputError

MAX_LINES = 15
EXTERNAL_TAG = "external-data"

# Two components at least, and before them nothing that makes a relative path, URL or fraction.
_ABSOLUTE = re.compile(
    r"(?<![\w.~/:<)\]}*+-])/[A-Za-z_][\w.+-]*(?:/[\w.+-]+)+"
    r"|(?<!\w)[A-Z]:\\{1,2}\w[\w .-]*\\{1,2}\w+"
    r"|file:///\S*"
)
_FENCED = re.compile(r"```.*?```", re.DOTALL)
_BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


def problems(path: Path | str) -> list[str]:
    """List what keeps a notebook from being stored.

    Parameters
    ----------
    path : path-like
        The notebook.

    Returns
    -------
    list of str
        One sentence for each finding; cells of all types are counted from 1.
    """
    try:
        notebook = read(path)
    except InputError as error:
        return [str(error)]
    found, count = list(_structure(notebook)), 0
    for number, cell in enumerate(notebook.cells, start=1):
        texts = [f"absolute path {text!r}" for text in _absolute_paths(cell)]
        if cell.cell_type == "code":
            count += 1
            if cell.execution_count != count:
                texts.append(f"execution count {cell.execution_count} instead of {count}")
            texts += [*_source(cell), *_outputs(cell)]
        found += [f"cell {number}: {text}" for text in texts]
    if stripped(notebook) != notebook:
        found.append("time stamps or other traces of a run: strip it (arise reproduce --store)")
    return found


def external_names(notebook: Any, number: int, known: Collection[str]) -> list[str]:
    """List the external files that the outputs of a code cell depend on.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook.
    number : int
        Number of the cell among the code cells, from 0.
    known : collection of str
        Names in the registry of external data.

    Returns
    -------
    list of str
        None for a cell without the tag ``external-data``; else the names that stand in its source
        or in that of the cells before it, or every known name where none does.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"][: number + 1]
    if EXTERNAL_TAG not in _tags(cells[-1]):
        return []
    source = "\n".join(cell.source for cell in cells)
    return [name for name in known if name in source] or list(known)


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _structure(notebook: Any) -> Iterator[str]:
    cells = notebook.cells
    prose = {n: c.source for n, c in enumerate(cells, start=1) if c.cell_type == "markdown"}
    titles = [n for n, text in prose.items() if re.search(r"^# \S", _FENCED.sub("", text), re.M)]
    if titles != [1]:
        yield f"one title ('# ...') in cell 1 is wanted, titles are in cells {titles}"
    last = cells[-1] if cells else nbformat.v4.new_markdown_cell()
    if last.cell_type != "code" or "versions" not in last.source:
        yield "the last cell does not print the versions"
    elif "nbval-ignore-output" not in _tags(last):
        yield "the versions differ between machines: tag that cell 'nbval-ignore-output'"
    tagged = [cell for cell in cells if "parameters" in _tags(cell)]
    if len(tagged) != 1 or tagged[0].cell_type != "code":
        yield f"one code cell tagged 'parameters' is wanted, there are {len(tagged)}"
    else:
        yield from _parameters(tagged[0])


def _parameters(cell: Any) -> Iterator[str]:
    values = {}
    tree = _parsed(cell.source)
    for node in tree.body if tree else []:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                name, value = "", ast.Name("none")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, TypeError):
            yield f"parameters: {ast.unparse(node)!r} is no assignment of a literal to a name"
    if values.get("profile") != "quick":
        yield 'parameters: the line profile = "quick" is missing'


def _parsed(source: str) -> ast.Module | None:
    try:
        # IPython's %magics are no Python; they stand on lines of their own.
        return ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.MULTILINE))
    except SyntaxError:
        return None


def _source(cell: Any) -> Iterator[str]:
    lines = len(cell.source.splitlines())
    if lines > MAX_LINES:
        yield f"{lines} lines, at most {MAX_LINES} are wanted"
    if not cell.source.strip():
        yield "empty code cell"
    if "nbval-skip" in _tags(cell) or "NBVAL_SKIP" in cell.source:
        yield "left out by nbval; tag it 'nbval-ignore-output' or 'external-data' instead"
    tree = _parsed(cell.source)
    if tree is None:
        yield "no plain Python"
        return
    if cell.source.rstrip().endswith(";"):
        yield "ends in ';', which has no effect under nbval: assign to _, or end in plt.show()"
    nodes = list(ast.walk(tree))
    if any(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for n in nodes):
        yield "defines a function or class; those live in arise_lib"
    lambdas = sum(isinstance(n, ast.Lambda) for n in nodes)
    named = any(isinstance(n, ast.Assign) and isinstance(n.value, ast.Lambda) for n in nodes)
    if named or lambdas > 1:
        yield "named or several lambdas; functions live in arise_lib"


def _outputs(cell: Any) -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"error in the output: {output.ename}"
        elif output.output_type == "stream" and output.name == "stderr":
            yield f"stderr in the output: {output.text.strip().partition(chr(10))[0]!r}"
        elif WIDGET in output.get("data", {}):
            yield "widget in the output"


def _absolute_paths(cell: Any) -> list[str]:
    texts = [cell.source]
    if cell.cell_type == "code":
        for output in cell.outputs:
            texts += [str(output.get("text", "")), *map(str, output.get("traceback", []))]
            data = output.get("data", {}).items()
            texts += [str(value) for kind, value in data if kind not in ("image/png", "image/jpeg")]
    found = [match for text in texts for match in _ABSOLUTE.findall(_BASE64.sub("", text))]
    # In code a string of one component ("/data") is a path as well; part of an f-string is not.
    tree = _parsed(cell.source) if cell.cell_type == "code" else None
    nodes = list(ast.walk(tree)) if tree else []
    pieces = {id(piece) for n in nodes if isinstance(n, ast.JoinedStr) for piece in n.values}
    strings = [n.value for n in nodes if isinstance(n, ast.Constant) and id(n) not in pieces]
    found += [s for s in strings if isinstance(s, str) and re.match(r"/\w[\w.-]*$", s)]
    return found
