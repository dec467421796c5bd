"""Interactive views as files, which a browser shows: the pictures beside them need none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from arise_lib import storage
from arise_lib.compendium.profiles import check_profile
from arise_lib.storage import ledger, paths


def save_view(view: Mapping[str, Any], name: str, profile: str = "quick") -> None:
    """Write what `arise_lib.explore.linked_boxes` returned as a file for chemiscope.

    Parameters
    ----------
    view : mapping of str
        The view.
    name : str
        File name without suffix.
    profile : str
        "quick" writes ``figures/NAME.json.gz``, "paper" into ``figures/paper``. Git ignores
        these files: coordinates of UMAP differ between machines.

    Examples
    --------
    >>> from arise_lib import compendium
    >>> compendium.save_view(view, "sim_fig2e_boxes", profile)  # doctest: +SKIP
    """
    check_profile(profile)
    folder = paths.FIGURES if profile == "quick" else paths.FIGURES / "paper"
    path = folder / f"{name}.json.gz"
    text = json.dumps(view, separators=(",", ":"), allow_nan=False)
    with storage.atomic_write(path) as temporary:
        # No time stamp: the same view is the same bytes.
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
    ledger.note("file", path)
