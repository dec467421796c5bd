"""Running the notebooks in order: papermill, progress, resuming and storing.

Executed copies go to ``build/<profile>/``, written atomically, so that a copy is there whole or not
at all. Each holds the hash of what went into it, and what it used and wrote, by which a resumed run
knows what is done and what has been lost since.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from arise_lib import storage
from arise_lib.compendium import notebooks
from arise_lib.compendium._signals import orderly_end
from arise_lib.compendium.paper_runs import note_run
from arise_lib.compendium.profiles import check_profile
from arise_lib.compendium.resuming import input_hash, manifest, why_again
from arise_lib.errors import InputError
from arise_lib.storage import ledger, paths

BUILD = paths.ROOT / "build"


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook.

    Attributes
    ----------
    name : str
        File name without suffix.
    state : {"done", "kept", "failed"}
        ``kept``: an earlier executed copy was complete, and what it came from and what it wrote
        unchanged.
    seconds : float
        Time it took, in s.
    copy : pathlib.Path
        The executed copy.
    message : str
        For a failed one: where and with what exception it failed.
    """

    name: str
    state: str
    seconds: float
    copy: Path
    message: str = ""


def select(only: Iterable[str] = (), folder: Path = paths.NOTEBOOKS) -> list[Path]:
    """Find the notebooks to run.

    Parameters
    ----------
    only : iterable of str, optional
        Numbers (``03`` or ``3``) or names (``03_benchmark``); all notebooks if empty. A number
        means all parts of a notebook: ``02`` is ``02_training`` and ``02b_networks``.
    folder : pathlib.Path, optional
        Where the numbered notebooks are.

    Returns
    -------
    list of pathlib.Path
        Ordered by number, each once.

    Raises
    ------
    InputError
        If the folder holds no numbered notebook, or none is called so.
    """
    every = sorted(p for p in folder.glob("*.ipynb") if re.match(r"\d\d[a-z]?_", p.name))
    if not every:
        raise InputError(f"no notebook NN_name.ipynb in {folder}: is the checkout complete?")
    chosen = set()
    for wanted in only:
        stem = Path(wanted).name.removesuffix(".ipynb")
        number = re.compile(rf"0?{re.escape(stem)}[a-z]?_")
        found = {p for p in every if p.stem == stem or number.match(p.stem)}
        if not found:
            names = ", ".join(p.stem for p in every)
            raise InputError(f"no notebook {wanted!r}; name one of {names}, or its number")
        chosen |= found
    return [p for p in every if p in chosen or not chosen]


def run_one(
    notebook: Path, profile: str, copy: Path, *, every: float = 30.0, bar: bool = False
) -> Outcome:
    """Run one notebook in a kernel of the running interpreter.

    Parameters
    ----------
    notebook : pathlib.Path
        The notebook; it is run in its own folder.
    profile : {"quick", "paper"}
        Amount of work, injected as parameter ``profile``.
    copy : pathlib.Path
        Where the executed copy goes, with the error in it if it fails.
    every : float, optional
        Seconds between two lines of progress on stderr; 0 for none.
    bar : bool, optional
        papermill's progress bar on stderr.

    Returns
    -------
    Outcome
        Done or failed. An interruption (Ctrl-C) is passed on, with the kernel and all that it has
        started ended, and any earlier executed copy as it was.
    """
    # papermill and its engine take more than a second to import: not at `arise classify`.
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillException, PapermillExecutionError

    from arise_lib.compendium._kernel import ENGINE, KERNEL_NAME

    start, message = time.monotonic(), ""
    inputs = input_hash(notebook, profile)
    with storage.atomic_write(copy.resolve()) as running, _ledger(running) as noted:
        try:
            papermill.execute_notebook(
                notebook.resolve(),
                running,
                parameters={"profile": profile},
                engine_name=ENGINE,
                kernel_name=KERNEL_NAME,
                language="python",
                cwd=notebook.resolve().parent,
                progress_bar={"desc": notebook.stem, "leave": False} if bar else False,
                start_timeout=180,
                name=notebook.stem,
                every=every,
                environment={"TQDM_DISABLE": "1", ledger.VARIABLE: str(noted)},
            )
        except PapermillExecutionError as error:
            message = f"cell In [{error.exec_count}]: {error.ename}: {error.evalue}"
        except DeadKernelError:
            message = "the kernel died; most often the memory was not enough"
        except (PapermillException, RuntimeError) as error:
            message = f"{type(error).__name__}: {error}"
        state = "failed" if message else "done"
        executed = notebooks.read(running if running.exists() else notebook)
        executed.metadata["arise"] = {
            "inputs": inputs,
            "profile": profile,
            "state": state,
            "manifest": manifest(noted, profile),
        }
        running.write_text(nbformat.writes(executed), encoding="utf-8")
    return Outcome(notebook.stem, state, time.monotonic() - start, copy, message)


@contextmanager
def _ledger(running: Path) -> Iterator[Path]:
    """Yield a file beside a running copy, by its name swept up with it after a kill."""
    noted = Path(f"{running}.ledger")
    try:
        yield noted
    finally:
        noted.unlink(missing_ok=True)


def run(
    profile: str = "quick",
    only: Sequence[str] = (),
    *,
    resume: bool = False,
    keep: bool = False,
    keep_going: bool = False,
    folder: Path = paths.NOTEBOOKS,
    build: Path = BUILD,
    **progress: Any,
) -> list[Outcome]:
    """Run notebooks in order, with one line each on stdout.

    Parameters
    ----------
    profile : {"quick", "paper"}, optional
        Amount of work.
    only : sequence of str, optional
        Numbers or names; all if empty.
    resume : bool, optional
        Leave out those for which `why_again` finds no reason; otherwise the reason is told on
        stderr.
    keep : bool, optional
        Put the executed notebook, stripped, in the place of the original. For ``quick`` only, since
        nbval compares against those outputs.
    keep_going : bool, optional
        Go on after a notebook that failed.
    folder, build : pathlib.Path, optional
        Notebooks, and where ``<profile>/`` with the executed copies goes.
    **progress
        ``every`` and ``bar`` of `run_one`.

    Returns
    -------
    list of Outcome
        One for each notebook that was reached.

    Raises
    ------
    InputError
        If profile or a notebook's name is unknown, or ``paper`` is to be stored.
    Ended
        If SIGTERM or SIGHUP has come; a kind of `KeyboardInterrupt`.
    """
    check_profile(profile)
    if keep and profile != "quick":
        raise InputError(f"stored outputs are those of 'quick', not {profile!r}: drop --store")
    outcomes = []
    with orderly_end():
        for notebook in select(only, folder):
            copy = build / profile / notebook.name
            reason = why_again(notebook, profile, copy) if resume else "asked for"
            if not reason:
                outcome = Outcome(notebook.stem, "kept", 0.0, copy)
            else:
                if resume:
                    print(f"  {notebook.stem} is run: {reason}", file=sys.stderr, flush=True)
                outcome = run_one(notebook, profile, copy, **progress)
            outcomes.append(outcome)
            print(f"{outcome.name:<24} {outcome.state:<6} {outcome.seconds:8.1f} s", flush=True)
            if outcome.state != "failed":
                if profile == "paper" and outcome.state == "done":
                    note_run(outcome.name, outcome.seconds)
                if keep:
                    notebooks.write(notebooks.stripped(notebooks.read(copy)), notebook)
            elif not keep_going:
                break
    return outcomes
