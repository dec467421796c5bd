"""Stored notebooks: read, written, and stripped of what changes from run to run.

A stored notebook is read without being run, compared by nbval, and kept under version control.
So it holds sources, outputs and tags, and nothing of when, where and by whom it was run.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat

from arise_lib.errors import InputError
from arise_lib.storage.files import atomic_write

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"

_GENERATED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}


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
