"""What crystal structures were recognised with before: the other rows of the paper's Table 2.

Each method is one function from a structure to an answer; which classes it treats, on which
structures and how it is counted stands in one table, `METHODS`:

* `local_order`: per atom, by OVITO (PTM, CNA, a-CNA, BAA);
* `symmetry`: the space group of the whole cell, by spglib and by moyopy;
* `steinhardt`: per atom, averaged bond order by freud and a learned classifier;
* `naive_bayes`: per structure, on the vectors that ARISE sees.

`counting` sends the defective structures through them, `benchmark` makes the table of it.
"""

from __future__ import annotations

from arise_lib.baselines.benchmark import order_dependence, scored, seconds_per_structure, summary
from arise_lib.baselines.counting import COLUMNS, benchmark_units, column_of, outcomes
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval
from arise_lib.baselines.methods import METHODS, Method, absent, available, described

__all__ = [
    "COLUMNS",
    "METHODS",
    "Method",
    "absent",
    "available",
    "benchmark_units",
    "bootstrap_interval",
    "column_of",
    "described",
    "order_dependence",
    "outcomes",
    "scored",
    "seconds_per_structure",
    "summary",
    "wilson_interval",
]
