"""The machinery of the compendium: amounts of work, the paper's values, results, the runner."""

from arise_lib.compendium.figures import save_figure, save_table
from arise_lib.compendium.paper import (
    compare,
    compare_table2,
    paper_table1,
    paper_table2,
    paper_values,
)
from arise_lib.compendium.profiles import PROFILES, check_profile
from arise_lib.compendium.results import record, recorded
from arise_lib.compendium.scorecard import scorecard
from arise_lib.compendium.spread import spread
from arise_lib.compendium.versions import versions
from arise_lib.compendium.views import save_view

__all__ = [
    "PROFILES",
    "check_profile",
    "compare",
    "compare_table2",
    "paper_table1",
    "paper_table2",
    "paper_values",
    "record",
    "recorded",
    "save_figure",
    "save_table",
    "save_view",
    "scorecard",
    "spread",
    "versions",
]
