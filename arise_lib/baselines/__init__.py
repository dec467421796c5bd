"""What crystal structures were recognised with before: the other rows of the paper's Table 2.

A method is one file, which holds the function that answers and registers a `Method`: which
classes it treats, on which structures, and how it is counted.

* `spglib`, `moyo`: the space group of the whole cell;
* `ovito`: per atom, by templates, common neighbours or angles (PTM, CNA, a-CNA, BAA);
* `steinhardt`: per atom, averaged bond order by freud and a learned classifier;
* `naive_bayes`, `arise`: per structure, on descriptors, as classifiers of scikit-learn.

`columns` lists the defective structures, `counting` and `vectors` send them through a method,
`benchmark` makes the tables of it, and `orders` lists the atoms of a structure in other orders.
"""

from __future__ import annotations

from arise_lib.baselines import moyo, naive_bayes, ovito, spglib, steinhardt
from arise_lib.baselines.arise import AriseClassifier
from arise_lib.baselines.asking import ask
from arise_lib.baselines.base import METHODS, Method, absent, available, described, register
from arise_lib.baselines.benchmark import like_for_like, summary
from arise_lib.baselines.columns import COLUMNS, benchmark_units, column_of
from arise_lib.baselines.counting import outcomes, scored
from arise_lib.baselines.heat import heat_answers, heat_table, heat_templates
from arise_lib.baselines.intervals import bootstrap_interval, wilson_interval
from arise_lib.baselines.local_order import particle_bond_order
from arise_lib.baselines.orders import order_dependence
from arise_lib.baselines.ordinary import ordinary_answers
from arise_lib.baselines.timing import seconds_per_structure, seconds_to_classify
from arise_lib.baselines.vectors import fitted, settings_of, vector_outcomes

__all__ = [
    "COLUMNS",
    "METHODS",
    "AriseClassifier",
    "Method",
    "absent",
    "ask",
    "available",
    "benchmark_units",
    "bootstrap_interval",
    "column_of",
    "described",
    "fitted",
    "heat_answers",
    "heat_table",
    "heat_templates",
    "like_for_like",
    "moyo",
    "naive_bayes",
    "order_dependence",
    "ordinary_answers",
    "outcomes",
    "ovito",
    "particle_bond_order",
    "register",
    "scored",
    "seconds_per_structure",
    "seconds_to_classify",
    "settings_of",
    "spglib",
    "steinhardt",
    "summary",
    "vector_outcomes",
    "wilson_interval",
]
