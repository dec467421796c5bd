"""Absolute folders of the checkout; no other module knows a path.

The library works on the files of its checkout (prototypes, the paper's values, the released
network), so it is installed editable; imported from elsewhere it says so at once.
"""

from __future__ import annotations

import os
from pathlib import Path

from arise_lib.errors import DataError

#: Root of the checkout.
ROOT = Path(__file__).resolve().parents[2]

NOTEBOOKS = ROOT / "notebooks"

#: Facts that the project states itself.
DATA = ROOT / "data"
PROTOTYPES = DATA / "prototypes"
PAPER = DATA / "paper"
NETWORKS = DATA / "networks"

#: Pictures and the numbers behind them.
FIGURES = ROOT / "figures"
RESULTS = FIGURES / "results"

#: Cache of derived results, ignored by git; ``ARISE_CACHE_DIR`` puts it elsewhere.
DERIVED = Path(os.environ.get("ARISE_CACHE_DIR") or DATA / "derived").expanduser().absolute()

# DATA alone would not do: other packages leave a folder "data" beside their modules.
if not PROTOTYPES.is_dir():
    raise DataError(
        f"no folder {PROTOTYPES}: arise_lib needs the files of its checkout. "
        "Clone the repository and install from there, editable: pip install -e ."
    )
