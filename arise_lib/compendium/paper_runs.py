"""What remains of runs at the paper's sizes: when, where and how long, and the scorecard.

Such a run takes hours and is not repeated by whoever reads its figures, so the record stands beside
them in ``figures/paper``.
"""

from __future__ import annotations

import platform
from datetime import date
from os import cpu_count

import pandas as pd

from arise_lib import storage
from arise_lib.compendium.figures import save_table
from arise_lib.compendium.machine import processor
from arise_lib.compendium.scorecard import scorecard
from arise_lib.compendium.versions import versions
from arise_lib.storage import paths


def note_run(notebook: str, seconds: float) -> None:
    """Note that a notebook has been run at the paper's sizes, in place of its earlier run.

    Writes ``runs`` and ``scorecard``, what has been measured so far, to ``figures/paper``, as CSV
    and as Markdown.

    Parameters
    ----------
    notebook : str
        File name without suffix.
    seconds : float
        Time it took, in s.

    Examples
    --------
    >>> from arise_lib.compendium.paper_runs import note_run
    >>> note_run("05_stem", 680.0)  # doctest: +SKIP
    """
    path = paths.FIGURES / "paper" / "runs.csv"
    with storage.locked(path):
        earlier = pd.read_csv(path, index_col="notebook") if path.is_file() else pd.DataFrame()
        run = {
            "date": date.today().isoformat(),
            "minutes": round(seconds / 60, 1),
            "cores": cpu_count(),
            "machine": f"{processor()}, {platform.system()} {platform.machine()}",
            "versions": versions(),
        }
        new = pd.DataFrame(run, index=[notebook])
        runs = pd.concat([earlier.drop(index=notebook, errors="ignore"), new]).sort_index()
        save_table(runs.rename_axis("notebook"), "runs", "paper")
        card = scorecard("paper")
        save_table(card[card["ours"].notna()], "scorecard", "paper")
