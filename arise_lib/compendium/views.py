"""Interactive views as files: beside the figures, but not under version control."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arise_lib import storage
from arise_lib.compendium.profiles import check_profile
from arise_lib.storage import ledger, paths


def save_view(view: Mapping[str, Any], name: str, profile: str = "quick") -> Path:
    """Write an input file of chemiscope.

    Git ignores these files: they hold the positions of published samples, which are not ours
    to distribute, and coordinates of UMAP, which differ between machines.

    Parameters
    ----------
    view : mapping
        From `arise_lib.plotting.linked_view`.
    name : str
        File name without suffix, such as ``"fig4b_boxes"``.
    profile : str
        "quick" writes to ``figures/``, "paper" to ``figures/paper/``.

    Returns
    -------
    pathlib.Path
        The file, compressed; chemiscope.org opens it as it is.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.save_view(view, "fig4b_boxes", profile)  # doctest: +SKIP
    """
    check_profile(profile)
    folder = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    path = folder / f"{name}.chemiscope.json.gz"
    text = json.dumps(view, separators=(",", ":"), sort_keys=True, allow_nan=False)
    with storage.atomic_write(path) as temporary:
        # No time stamp: the same view is the same bytes.
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
    ledger.note("file", path)
    return path
