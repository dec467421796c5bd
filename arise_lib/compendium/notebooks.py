"""Hygiene of stored notebooks: what is stripped, and what must not be there.

A stored notebook is read without being run, compared by nbval, and kept under version control.
So it holds sources, outputs and tags, and nothing of when, where and by whom it was run.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import nbformat

from arise_lib.errors import InputError
from arise_lib.storage.cache import atomic_write

MAX_LINES = 15
EXTERNAL_TAG = "external-data"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"

_GENERATED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}
# Two components at least, and before them nothing that makes a relative path, URL or fraction.
_ABSOLUTE = re.compile(
    r"(?<![\w.~/:<)\]}*+-])/[A-Za-z_][\w.+-]*(?:/[\w.+-]+)+"
    r"|(?<!\w)[A-Z]:\\{1,2}\w[\w .-]*\\{1,2}\w+"
    r"|file:///\S*"
)
_FENCED = re.compile(r"```.*?```", re.DOTALL)
_BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


def read(path: Path | str) -> Any:
    """Read a notebook.

    Parameters
    ----------
    path : path-like
        A notebook in any version of the format.

    Returns
    -------
    nbformat.NotebookNode
        The notebook in version 4.

    Raises
    ------
    InputError
        If the file is missing or holds no notebook.
    """
    try:
        notebook = nbformat.read(str(path), as_version=4)
        nbformat.validate(notebook)
        return notebook
    except FileNotFoundError:
        raise InputError(f"no notebook at {Path(path).name}: check the name") from None
    # nbformat looks into files of any shape as if they were notebooks.
    except (ValueError, LookupError, AttributeError, TypeError, nbformat.ValidationError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise InputError(
            f"{Path(path).name} is no valid notebook ({reason}): restore or repair the file"
        ) from error


def write(notebook: Any, path: Path | str) -> None:
    """Write a notebook atomically.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook.
    path : path-like
        Where to; an existing file is replaced.
    """
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    with atomic_write(Path(path)) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def stripped(notebook: Any) -> Any:
    """Copy a notebook without what changes from run to run or machine to machine.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook; it stays as it is.

    Returns
    -------
    nbformat.NotebookNode
        Sources, outputs, execution counts and tags. Cells that papermill added are gone and the
        counts after them closed up; stderr stays, because hiding a warning would not cure it.
    """
    result = copy.deepcopy(notebook)
    added = [cell for cell in result.cells if _GENERATED_TAGS & set(_tags(cell))]
    gaps = [cell.execution_count for cell in added if cell.get("execution_count")]
    result.cells = [cell for cell in result.cells if not _GENERATED_TAGS & set(_tags(cell))]
    result.metadata = nbformat.from_dict(
        {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    )
    for cell in result.cells:
        tags = _tags(cell)
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type != "code":
            continue
        if cell.execution_count is not None:
            cell.execution_count -= sum(gap < cell.execution_count for gap in gaps)
        cell.outputs = _stripped_outputs(cell)
    return result


def strip(path: Path | str) -> None:
    """Strip a stored notebook in place (see `stripped`); doing it twice changes nothing more.

    Parameters
    ----------
    path : path-like
        The notebook.

    Raises
    ------
    InputError
        If the file is missing or holds no notebook.
    """
    write(stripped(read(path)), path)


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


def _stripped_outputs(cell: Any) -> list[Any]:
    kept: list[Any] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            # How a stream is cut into pieces depends on timing.
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
                continue
        elif WIDGET in output.get("data", {}):
            continue
        elif output.output_type == "execute_result":
            output.execution_count = cell.execution_count
        kept.append(output)
    return kept


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
