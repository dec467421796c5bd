from __future__ import annotations

import contextlib
import hashlib
import json
import math
import multiprocessing
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy

from arise_lib import compendium
from arise_lib.compendium import contents, external_data, profiles
from arise_lib.compendium.results import networks
from arise_lib.compendium.scorecard import VERDICTS
from arise_lib.errors import DataError, InputError
from arise_lib.storage import checksums, paths

#: Rows and columns of the paper's Table 2, by the names of the scorecard.
METHODS = {"spglib_loose", "spglib_tight", "ptm", "cna", "acna", "baa", "gnb", "bnb", "arise"}
COLUMNS = ["pristine", "d0.1", "d0.6", "d1", "d2", "d4", "m1", "m5", "m10", "m20"]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of its own for recorded numbers."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


# --- the paper's values ------------------------------------------------------------------------


def test_headline_numbers_of_the_paper() -> None:
    values = compendium.paper_values()
    assert values.index.is_unique
    assert list(values.columns) == ["paper", "low", "high", "unit", "where", "rule"]
    assert not values.isna().any(axis=None)
    # The paper's own value reproduces itself.
    assert (values["low"] <= values["paper"]).all() and (values["paper"] <= values["high"]).all()
    expected = {
        "dataset.classes": 108,
        "dataset.pristine_structures": 396,
        "dataset.pristine_vectors": 39204,
        "dataset.defective_structures": 588,
        "dataset.defective_vectors": 141120,
        "network.accuracy_pristine": 99.66,
        "fig2a.boxes": 7968,
        "fig3b.graphene": 79,
        "fig4a.boxes": 43679,
        "fig4a.l10_boxes": 5359,
    }
    for key, value in expected.items():
        assert values.at[key, "paper"] == value, key


def test_counts_have_no_band() -> None:
    values = compendium.paper_values()
    counts = values[values["rule"].str.startswith("a count: equality")]
    assert len(counts) >= 7
    assert (counts["low"] == counts["high"]).all()


def test_keys_are_those_of_the_scorecard() -> None:
    columns = [*COLUMNS, "d7", "d10", "m25", "m30"]
    for key in compendium.paper_values().index:
        assert re.fullmatch(r"(dataset|network|table2|fig\d[a-m])\.[a-z0-9_.]+", key)
        if key.startswith("table2."):
            _, method, column = key.split(".", 2)
            assert method in METHODS and column in columns


def test_table_2_of_the_paper() -> None:
    table = compendium.paper_table2()
    assert set(table.index) == METHODS
    assert list(table.columns) == ["name", "classes", *COLUMNS]
    accuracies = table[COLUMNS]
    assert ((accuracies >= 0) & (accuracies <= 100)).all(axis=None)
    assert table["classes"].to_dict() == {
        "spglib_loose": 96, "spglib_tight": 96, "ptm": 12, "cna": 3, "acna": 3, "baa": 3,
        "gnb": 108, "bnb": 108, "arise": 108,
    }  # fmt: skip
    for method, column, value in [
        ("arise", "pristine", 100), ("arise", "d4", 99.29), ("arise", "m20", 99.85),
        ("spglib_loose", "d1", 95.26), ("spglib_tight", "m1", 11.23), ("ptm", "m20", 6.24),
        ("cna", "pristine", 66.14), ("acna", "m1", 89.25), ("baa", "d4", 97.85),
        ("gnb", "d0.6", 55.94), ("bnb", "m5", 64.00),
    ]:  # fmt: skip
        assert accuracies.at[method, column] == value, (method, column)


def test_headline_numbers_agree_with_table_2() -> None:
    values, table = compendium.paper_values(), compendium.paper_table2()
    keys = [key for key in values.index if key.startswith("table2.")]
    assert len(keys) >= 10
    for key in keys:
        _, method, column = key.split(".", 2)
        assert values.at[key, "paper"] == table.at[method, column]


def test_altered_table_of_the_paper_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One digit more would turn a verdict."""
    shutil.copytree(paths.PAPER, tmp_path / "paper")
    monkeypatch.setattr(paths, "PAPER", tmp_path / "paper")
    assert compendium.compare({"fig2a.boxes": 7968})["verdict"].to_list() == ["reproduced"]
    table = paths.PAPER / "values.csv"
    table.write_text(table.read_text().replace("7968", "7986"))
    with pytest.raises(DataError, match=r"values\.csv has SHA-256 .* restore the file"):
        compendium.compare({"fig2a.boxes": 7968})
    table.unlink()
    with pytest.raises(DataError, match=r"values\.csv cannot be read"):
        compendium.paper_values()
    (paths.PAPER / "SHA256SUMS").unlink()
    with pytest.raises(DataError, match="SHA256SUMS cannot be read"):
        compendium.paper_table2()


def test_every_table_of_the_paper_is_listed() -> None:
    listed = checksums.listed(paths.PAPER)
    assert set(listed) == {path.name for path in paths.PAPER.glob("*.csv")}


# --- comparison --------------------------------------------------------------------------------

BANDS = """key,paper,low,high,unit,where,rule
inside,50,40,60,%,Fig. 1,ten points
low_edge,50,40,60,%,Fig. 1,ten points
high_edge,50,40,60,%,Fig. 1,ten points
below,50,40,60,%,Fig. 1,ten points
above,50,40,60,%,Fig. 1,ten points
missing,50,40,60,%,Fig. 1,ten points
"""


def test_verdicts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "values.csv").write_text(BANDS)
    digest = hashlib.sha256(BANDS.encode()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  values.csv\n")
    monkeypatch.setattr(paths, "PAPER", tmp_path)
    ours = {
        "above": 60.004, "inside": 51.239, "low_edge": 40, "high_edge": 60, "below": 39.999,
        "sim.fig2a.boundary_auc": 0.9,
    }  # fmt: skip
    table = compendium.compare(ours)
    # In our order; no row for what the paper has no number for, nor for what we have none.
    assert list(table.index) == ["above", "inside", "low_edge", "high_edge", "below"]
    assert list(table.columns) == ["ours", "paper", "difference", "unit", "where", "verdict"]
    # Judged before rounding: 60.004 shows as 60.0, but differs.
    assert table["verdict"].to_dict() == {
        "above": "differs", "inside": "reproduced", "low_edge": "reproduced",
        "high_edge": "reproduced", "below": "differs",
    }  # fmt: skip
    assert table.at["inside", "ours"] == 51.24
    assert table.at["inside", "difference"] == 1.24
    assert table.at["above", "ours"] == 60.0


def test_comparison_with_the_paper() -> None:
    table = compendium.compare({"fig2a.boxes": 7968, "fig4a.boxes": 43680, "fig3b.graphene": 65.0})
    assert table["verdict"].tolist() == ["reproduced", "differs", "reproduced"]
    assert table["difference"].tolist() == [0.0, 1.0, -14.0]


def test_nothing_to_compare() -> None:
    for ours in ({}, {"sim.fig2d.ari": 0.99}):
        table = compendium.compare(ours)
        assert isinstance(table, pd.DataFrame) and len(table) == 0


# --- record ------------------------------------------------------------------------------------


def test_record_merges_and_sorts(results: Path) -> None:
    compendium.record("quick", {"fig3a.graphene": 97.0, "dataset.classes": 108})
    compendium.record("quick", {"fig3a.graphene": 98.25, "fig2a.boxes": 7968})
    text = (results / "quick.json").read_text()
    assert json.loads(text) == {
        "dataset.classes": 108,
        "fig2a.boxes": 7968,
        "fig3a.graphene": 98.25,
    }
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert text.endswith("}\n")
    assert [file.name for file in results.iterdir()] == ["quick.json"]


def test_recorded_numbers_are_read_back(results: Path) -> None:
    assert compendium.recorded("quick") == {}
    compendium.record("quick", {"dataset.classes": 108, "fig3a.graphene": 97.5})
    assert compendium.recorded("quick") == {"dataset.classes": 108, "fig3a.graphene": 97.5}
    assert compendium.recorded("paper") == {}
    with pytest.raises(InputError, match="Unknown profile 'fast'"):
        compendium.recorded("fast")


def test_profiles_are_kept_apart(results: Path) -> None:
    compendium.record("quick", {"dataset.defective_vectors": 14112})
    compendium.record("paper", {"dataset.defective_vectors": 141120})
    assert json.loads((results / "quick.json").read_text()) == {"dataset.defective_vectors": 14112}
    assert json.loads((results / "paper.json").read_text()) == {"dataset.defective_vectors": 141120}


def test_numbers_as_they_are_written(results: Path) -> None:
    compendium.record(
        "quick",
        {
            "count": np.int64(39204), "whole": 141120.0, "large": 1234567.0, "zero": 0.0,
            "single": np.float32(99.9), "digits": 2 / 3, "small": 1.23456789e-7,
        },
    )  # fmt: skip
    text = (results / "quick.json").read_text()
    found = json.loads(text)
    # Counts as whole numbers, whatever their type was, and with all their digits.
    for line in ('"count": 39204,', '"whole": 141120,', '"large": 1234567,', '"zero": 0\n'):
        assert line in text
    # Six digits: single precision would show as 99.9000015.
    assert (found["single"], found["digits"], found["small"]) == (99.9, 0.666667, 1.23457e-7)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_what_is_not_measured_is_not_recorded(results: Path, value: float) -> None:
    compendium.record("quick", {"fig3a.graphene": 97.0})
    before = (results / "quick.json").read_bytes()
    with pytest.raises(InputError, match=r"fig4c\.trend = .* is not a number; leave out"):
        compendium.record("quick", {"fig3a.graphene": 1.0, "fig4c.trend": value})
    assert (results / "quick.json").read_bytes() == before


def test_interrupted_record_leaves_the_old_one(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compendium.record("quick", {"fig3a.graphene": 97.0})
    before = (results / "quick.json").read_bytes()

    def interrupted(self: Path, text: str) -> None:
        self.write_bytes(text[:10].encode())
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compendium.record("quick", {"fig3a.graphene": 1.0})
    assert [file.name for file in results.iterdir()] == ["quick.json"]
    assert (results / "quick.json").read_bytes() == before


def _record_many(folder: str, writer: int) -> None:
    paths.RESULTS = Path(folder)
    for number in range(60):
        compendium.record("quick", {f"fig{writer}a.n{number}": number})


def test_processes_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_record_many, [(str(tmp_path), writer) for writer in range(3)])
    found = json.loads((tmp_path / "quick.json").read_text())
    assert found == {f"fig{writer}a.n{n}": n for writer in range(3) for n in range(60)}
    assert [file.name for file in tmp_path.iterdir()] == ["quick.json"]


@pytest.mark.parametrize("profile", ["fast", "", "Quick"])
def test_unknown_profile(results: Path, profile: str) -> None:
    message = f"Unknown profile {profile!r}; choose one of quick, paper"
    with pytest.raises(InputError, match=re.escape(message)):
        compendium.record(profile, {"dataset.classes": 108})
    assert not results.exists()
    with pytest.raises(InputError, match=re.escape(message)):
        profiles.check_profile(profile)


def test_network_of_a_number(results: Path) -> None:
    compendium.record("quick", {"fig3a.graphene": 97.0, "fig3b.graphene": 60.0}, network="arise")
    compendium.record("quick", {"fig3a.graphene_robust": 99.0}, network="robust")
    of = {"fig3a.graphene": "arise", "fig3a.graphene_robust": "robust", "fig3b.graphene": "arise"}
    assert networks("quick") == of
    # Measured anew without a word of the network, and no longer measured.
    compendium.record("quick", {"fig3a.graphene": 98.0}, replaces=["fig3a", "fig3b"])
    assert networks("quick") == {}


def test_without_external_data_published_numbers_stay(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {"fig3a.graphene": 97.0, "sim.stem.recall": 90.0, "table2.moyo.d1": 100}
    compendium.record("quick", earlier)
    monkeypatch.setattr(external_data, "missing", lambda: ["stem/graphene_a.xyz"])
    compendium.record("quick", {"sim.stem.error_pm": 5.0}, replaces=["fig3", "sim.", "table2."])
    assert compendium.recorded("quick") == {"fig3a.graphene": 97.0, "sim.stem.error_pm": 5.0}
    monkeypatch.setattr(external_data, "missing", list)
    compendium.record("quick", {}, replaces=["fig3"])
    assert compendium.recorded("quick") == {"sim.stem.error_pm": 5.0}


# --- figures and tables ------------------------------------------------------------------------


def test_without_external_data_a_table_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    whole = pd.DataFrame({"simulated": [1.0, 2.0], "published": [3.0, 4.0]}, ["fcc", "hcp"])
    compendium.save_table(whole, "maps")
    stored = (tmp_path / "maps.csv").read_bytes()
    monkeypatch.setattr(external_data, "missing", lambda: ["stem/graphene_a.xyz"])
    for less in (whole[["simulated"]], whole[:1]):
        compendium.save_table(less, "maps")
        assert (tmp_path / "maps.csv").read_bytes() == stored
        assert capsys.readouterr().out.startswith("maps.md is kept as it was")
    figure, _ = plt.subplots()
    compendium.save_figure(figure, "maps", whole[["simulated"]])
    assert not (tmp_path / "maps.png").exists()
    # As much, with other numbers, is a new result.
    compendium.save_table(whole + 1, "maps")
    assert (tmp_path / "maps.csv").read_bytes() != stored
    # With the data here, less is meant.
    monkeypatch.setattr(external_data, "missing", list)
    compendium.save_table(whole[:1], "maps")
    assert (
        len(pd.read_csv(tmp_path / "maps.csv")) == 1 and capsys.readouterr().out.count("kept") == 1
    )


# --- scorecard ---------------------------------------------------------------------------------


def test_scorecard_has_every_number_of_the_paper_misses_first(results: Path) -> None:
    compendium.record(
        "quick", {"fig3a.graphene": 50.0, "fig3a.graphene_robust": 96.0}, network="arise"
    )
    compendium.record(
        "quick", {"table2.arise.d4": 99.29, "table2.robust.d4": 99.8, "table2.ptm.m1": 90.0}
    )
    table = compendium.scorecard("quick")
    of_table2 = {f"table2.{method}.{column}" for method in METHODS for column in COLUMNS}
    assert set(table.index) == set(compendium.paper_values().index) | of_table2
    assert table.index.is_unique
    assert table.index[:2].tolist() == ["fig3a.graphene", "table2.ptm.m1"]
    verdicts = table["verdict"].tolist()
    assert verdicts == sorted(verdicts, key=VERDICTS.index)
    assert table["verdict"].value_counts()["reproduced"] == 1
    assert table.loc["fig3a.graphene", ["network", "robust"]].tolist() == ["arise", 96.0]
    assert table.loc["table2.arise.d4", ["network", "robust"]].tolist() == ["arise", 99.8]
    assert table.at["table2.ptm.m1", "network"] == "-"
    # A network is named by the notebook that recorded the number, never guessed.
    assert table.at["network.accuracy_pristine", "network"] == "not stated"
    assert np.isnan(table.at["fig2a.boxes", "ours"])


# --- contents ----------------------------------------------------------------------------------


def test_list_of_notebooks_is_the_same_everywhere() -> None:
    stored = [path.stem for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
    assert contents.contents().index.tolist() == stored
    for path, text, folder in contents.places():
        assert contents.updated(text, folder) == text, f"{path.name}: run tools/list_notebooks.py"


def test_a_text_without_marks_is_refused() -> None:
    with pytest.raises(InputError, match="has no lines '<!-- notebooks -->'"):
        contents.updated("# Title")


# --- versions ----------------------------------------------------------------------------------


def test_versions_name_what_can_change_a_number() -> None:
    line = compendium.versions()
    assert "\n" not in line
    assert re.match(r"Python 3\.\d+\.\d+ · ", line)
    assert f"numpy {np.__version__} · " in line
    for package in ("scipy", "ase", "dscribe", "numba", "keras", "scikit-learn", "spglib"):
        assert re.search(rf"(^| · ){package} \d", line), package


def test_versions_leave_out_what_is_not_installed_and_what_computes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["numpy>=2,<3", "no-such-package>=1", "papermill>=2.7"]\n'
        "optional-dependencies.baselines = [\"scipy>=1; sys_platform == 'linux'\"]\n"
    )
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    line = re.sub(r"Python \S+", "Python", compendium.versions())
    assert line == f"Python · numpy {np.__version__} · scipy {scipy.__version__}"


def test_versions_of_every_method_are_named() -> None:
    """Whatever the library imports is named, unless it is known to compute nothing."""
    line = compendium.versions()
    for package in ("spglib", "moyopy", "ovito", "freud-analysis", "umap-learn", "pandas"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            assert f" · {package} {metadata.version(package)}" in line


def test_damaged_results_are_named(results: Path) -> None:
    results.mkdir()
    (results / "quick.json").write_text('{"a": 1')
    with pytest.raises(DataError, match=r"quick\.json is not readable .* delete it"):
        compendium.recorded("quick")


def test_networks_trained_alike_are_shown_by_their_ends() -> None:
    table = pd.DataFrame(
        {"x": [1.0, "fcc"], "a": [3.0, "fcc"], "b": [2.0, "dhcp"]}, index=["share", "first"]
    )
    shown = compendium.spread(table, ["a", "b"], "five")
    assert list(shown) == ["x", "five, least", "five, most"]
    assert shown.loc["share"].tolist() == [1.0, 2.0, 3.0]
    assert shown.loc["first"].tolist() == ["fcc", "dhcp / fcc", "dhcp / fcc"]
    for members in (["a", "c"], []):
        with pytest.raises(InputError, match="the table has"):
            compendium.spread(table, members, "five")
