from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.distance import pdist

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from ase import Atoms
from ase.build import bulk, graphene
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from arise_lib import compendium, plotting
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.samples.polycrystals import Cuboid
from arise_lib.storage import paths
from arise_lib.structures import prototypes


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Turn warnings into errors; close figures and put the style back afterwards."""
    with plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        plotting.use_style()
        yield
    plt.close("all")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(paths, "FIGURES", tmp_path / "figures")
    return tmp_path / "figures"


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def example_maps(n_layers: int = 3) -> xr.Dataset:
    rng = np.random.default_rng(0)
    p = rng.random((2, n_layers, 4, 5))
    p[:, :, 0, 0] = np.nan  # an empty box
    return xr.Dataset(
        {
            "probability": (("class", "z", "y", "x"), p),
            "mutual_information": (("z", "y", "x"), p[0]),
        },
        coords={
            "class": ["fcc", "bcc"],
            "x": np.arange(5.0),
            "y": np.arange(4.0),
            "z": np.arange(float(n_layers)),
        },
    )


def example_history() -> pd.DataFrame:
    epochs = np.arange(1, 6)
    return pd.DataFrame(
        {
            "accuracy": 1 - 0.5 / epochs,
            "val_accuracy": 1 - 0.4 / epochs,
            "loss": 1 / epochs,
            "val_loss": 1.1 / epochs,
        }
    )


def line_figure() -> tuple[Figure, pd.DataFrame]:
    data = pd.DataFrame({"accuracy": [1 / 3, 2.0, 4.0]}, index=pd.Index([0, 1, 2], name="epoch"))
    figure, panel = plt.subplots()
    panel.plot(data)
    return figure, data


# --- every kind of panel -----------------------------------------------------------------------


def labels_of(figure: Figure) -> list[tuple[str, str]]:
    return [(panel.get_xlabel(), panel.get_ylabel()) for panel in figure.axes]


def test_gallery() -> None:
    figure = plotting.gallery(["fcc", "graphene", "nanotube (3,3)"], n_columns=2)
    figure.canvas.draw()
    assert len(figure.axes) == 4
    drawn = [panel for panel in figure.axes if panel.patches]
    assert [panel.get_title() for panel in drawn] == [
        prototypes.get(label).tex for label in ("fcc", "graphene", "nanotube (3,3)")
    ]
    assert len(drawn[0].patches) == plotting.GALLERY_ATOMS
    assert len(figure.legends) == 1


def test_gallery_with_a_title_of_several_lines() -> None:
    long = next(label for label in prototypes.LABELS if len(label) > 18)
    figure = plotting.gallery([long], n_columns=1)
    figure.canvas.draw()
    assert len(figure.axes[0].patches) == plotting.GALLERY_ATOMS


def test_every_title_can_be_drawn() -> None:
    # Labels are set in TeX's notation, which matplotlib reads only when it draws.
    figure = plt.figure()
    for label in prototypes.LABELS:
        figure.text(0.5, 0.5, prototypes.get(label).tex)
    figure.canvas.draw()


def test_each_family_has_a_colour_of_its_own() -> None:
    assert set(plotting.FAMILY_COLOURS) == set(prototypes.FAMILIES)
    assert len(set(plotting.FAMILY_COLOURS.values())) == len(prototypes.FAMILIES)


def test_draw_atoms() -> None:
    panel = plt.figure().add_subplot()
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    atoms.rotate(20.0, (1, 2, 3))  # no two atoms at the same height
    before = atoms.copy()
    plotting.draw_atoms(panel, atoms, np.eye(3)[[1, 2, 0]])  # seen along -x
    assert atoms == before
    # One disc per atom, painted from the back to the front, all of them inside the frame.
    seen = np.array([patch.center for patch in panel.patches])
    np.testing.assert_array_equal(seen, atoms.positions[np.argsort(atoms.positions[:, 0]), 1:])
    for axis, limits in enumerate((panel.get_xlim(), panel.get_ylim())):
        assert limits[0] < seen[:, axis].min() and seen[:, axis].max() < limits[1]


@pytest.mark.parametrize("atoms", [bulk("Cu"), graphene(size=(2, 2, 1), vacuum=3.0)])
def test_draw_a_single_atom_and_a_flat_sheet(atoms: object) -> None:
    figure = plt.figure()
    plotting.draw_atoms(figure.add_subplot(), atoms)
    figure.canvas.draw()


def test_descriptor_lines() -> None:
    vectors = pd.DataFrame(np.random.default_rng(0).random((20, 3)))
    vectors.columns = ["fcc, pristine", "fcc, displaced", "bcc, pristine"]
    figure = plotting.descriptor_lines(vectors)
    figure.canvas.draw()
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["fcc", "bcc"]
    # Grey for the first of a group, a line for each change.
    assert [len(panel.collections) for panel in figure.axes] == [1, 1]
    (change,) = figure.axes[0].lines
    expected = vectors["fcc, displaced"] - vectors["fcc, pristine"]
    np.testing.assert_allclose(change.get_ydata(), expected)
    assert not figure.axes[1].lines
    assert labels_of(figure) == [("", "SOAP / 1"), ("component / 1", "SOAP / 1")]


def test_class_map() -> None:
    points = pd.DataFrame(
        {"x": [0.0, 1, 60, 100], "y": [0.0, 1, 50, 100], "label": ["fcc", "fcc", "fcc", "bcc"]}
    )
    figure = plotting.class_map(points)
    figure.canvas.draw()
    panel, key = figure.axes
    # A number on each island of a class, in the middle of its points; names beside the map.
    found = [(text.get_text(), *map(float, text.xy)) for text in panel.texts]
    assert found == [("1", 0.5, 0.5), ("1", 60.0, 50.0), ("2", 100.0, 100.0)]
    assert [text.get_text() for text in key.texts] == ["1 fcc", "2 bcc"]
    assert sum(len(dots.get_offsets()) for dots in panel.collections) == 4


def test_numbers_of_a_map_do_not_cover_each_other() -> None:
    points = pd.DataFrame(
        {
            "x": [0.0, 0.01, 0.02, 1],
            "y": [0.0, 0, 0, 1],
            "label": ["fcc", "bcc", "hcp", "sc"],
        }
    )
    panel = plotting.class_map(points).axes[0]
    places = np.array([text.get_position() for text in panel.texts])
    assert pdist(places).min() > 0.02


def test_learning_curves() -> None:
    figure = plotting.learning_curves(example_history())
    figure.canvas.draw()
    assert labels_of(figure) == [
        ("epoch / 1", "errors / %"),
        ("epoch / 1", "cross entropy / nat"),
    ]
    epoch, errors = figure.axes[0].lines[1].get_data()
    np.testing.assert_array_equal(epoch, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(errors, [40, 20, 13.3333, 10, 8], rtol=1e-5)


def test_learning_curves_mark_where_a_network_settles() -> None:
    history = example_history()
    history.loc[history.index[-1], "val_accuracy"] = 1.0
    left, right = plotting.learning_curves(history, settled=4).axes
    assert [panel.lines[2].get_xdata()[0] for panel in (left, right)] == [4, 4]
    # No error has no place on a logarithmic scale.
    assert np.isnan(left.lines[1].get_ydata()[-1])


def test_class_bars() -> None:
    shares = pd.Series({f"class {i}": 0.5 / 2**i for i in range(8)})
    figure = plotting.class_bars({"left": shares, "right": pd.Series({"graphene": 0.75})})
    figure.canvas.draw()
    left, right = figure.axes
    # Six at most, the largest on top.
    assert [bar.get_width() for bar in left.patches] == [50.0 / 2**i for i in range(6)][::-1]
    assert [text.get_text() for text in left.get_yticklabels()][-1] == "class 0"
    assert (right.get_title(), right.patches[0].get_width()) == ("right", 75.0)
    assert left.get_xlim() == (0, 100) and left.get_xlabel() == "probability / %"


def test_class_bars_of_another_quantity() -> None:
    bits = pd.Series({"fcc": 0.02, "bcc": 0.5})
    (panel,) = plotting.class_bars({"": bits}, "mutual information", "bit").axes
    assert [bar.get_width() for bar in panel.patches] == [0.5, 0.02]
    assert panel.get_xlabel() == "mutual information / bit"
    (panel,) = plotting.class_bars({"": bits}, "mutual information", "bit", upper=2.0).axes
    assert panel.get_xlim() == (0, 2.0)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_flat_maps(n_layers: int) -> None:
    maps = example_maps(n_layers)
    figure = plotting.flat_maps(maps, ["bcc", "fcc"])
    figure.canvas.draw()
    panels = [panel for panel in figure.axes if panel.get_xlabel() == "x / Å"]
    assert [panel.get_title() for panel in panels] == [
        "p(bcc)", "p(fcc)", "mutual information",
    ]  # fmt: skip
    drawn = panels[0].collections[0].get_array()
    expected = maps["probability"].sel({"class": "bcc"}).isel(z=n_layers // 2).values
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan), expected)
    assert panels[0].collections[0].get_clim() == (0, 1)


def test_accuracy_curves() -> None:
    table = pd.DataFrame({"ARISE": [100.0, 99.0], "PTM": [88.0, 52.0]}, index=[1.0, 5.0])
    figure = plotting.accuracy_curves(table, "missing atoms / %")
    figure.canvas.draw()
    assert labels_of(figure) == [("missing atoms / %", "accuracy / %")]
    assert [line.get_label() for line in figure.axes[0].lines] == ["ARISE", "PTM"]


def test_accuracy_curves_with_intervals() -> None:
    names = ["PTM", "CNA", "BAA", "GNB", "ARISE"]
    table = pd.DataFrame(np.full((3, 5), 50.0), columns=names, index=[0.1, 1.0, 10.0])
    figure = plotting.accuracy_curves(
        table, "displacement / %", low=table - 5, high=table + 5, ylabel="share / %",
        logarithmic=True,
    )  # fmt: skip
    figure.canvas.draw()
    panel = figure.axes[0]
    assert (panel.get_xscale(), panel.get_ylabel()) == ("log", "share / %")
    assert len(panel.collections) == 5
    # ARISE is the one that stands out.
    widths = {line.get_label(): line.get_linewidth() for line in panel.lines}
    assert max(widths, key=lambda name: widths[name]) == "ARISE"
    assert len({line.get_color() for line in panel.lines}) == 5


def test_like_for_like_curves() -> None:
    cells = [
        (classes, method, f"{letter}{ratio}")
        for classes, methods in ((3, ("acna", "arise")), (12, ("ptm", "arise", "robust")))
        for method in methods
        for letter in "dmb"
        for ratio in (1, 4)
    ]
    index = pd.MultiIndex.from_tuples(cells, names=["classes", "method", "column"])
    values = np.arange(len(cells), dtype=float)
    table = pd.DataFrame({"accuracy": values, "low": values - 1, "high": values + 1}, index)
    names = {"acna": "a-CNA", "ptm": "PTM", "arise": "ARISE", "robust": "ARISE, robust"}
    figure = plotting.like_for_like_curves(table, names)
    above, _, below, _ = figure.axes
    assert [line.get_label() for line in above.lines] == ["a-CNA", "ARISE"]
    assert above.get_title() == "3 classes" and below.get_xlabel() == "missing atoms / %"
    np.testing.assert_allclose(above.lines[0].get_xdata(), [1, 4])
    np.testing.assert_allclose(above.lines[0].get_ydata(), [0, 1])
    np.testing.assert_allclose(below.lines[0].get_ydata(), [2, 3])
    # The same colour for a method in every panel, another for each.
    colours = {line.get_label(): line.get_color() for axes in figure.axes for line in axes.lines}
    assert len(set(colours.values())) == 4 and colours["ARISE"] == "black"


def test_cost_scatter() -> None:
    table = pd.DataFrame(
        {"milliseconds": [0.5, 0.6, 40.0], "accuracy": [88.0, 88.5, 100.0]},
        index=["CNA", "PTM", "ARISE"],
    )
    figure = plotting.cost_scatter(table)
    figure.canvas.draw()
    panel = figure.axes[0]
    assert panel.get_xscale() == "log"
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["CNA", "PTM", "ARISE"]
    # Methods near each other differ in their marks.
    marks = [dots.get_paths()[0].vertices.tolist() for dots in panel.collections]
    assert marks[0] != marks[1] != marks[2]


# --- files -------------------------------------------------------------------------------------


def test_picture_and_numbers_side_by_side(figures: Path) -> None:
    figure, data = line_figure()
    compendium.save_figure(figure, "fig1_test", data)
    assert files(figures) == ["fig1_test.csv", "fig1_test.png"]
    assert (figures / "fig1_test.csv").read_bytes() == b"epoch,accuracy\n0,0.333333\n1,2\n2,4\n"
    assert (figures / "fig1_test.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_same_view_is_the_same_bytes(figures: Path) -> None:
    view = {"meta": {"name": "µ"}, "environments": [{"center": 3}]}
    for profile in ("quick", "quick", "paper"):
        compendium.save_view(view, "linked", profile)
    assert files(figures) == [
        "linked.chemiscope.json.gz", "paper/linked.chemiscope.json.gz",
    ]  # fmt: skip
    written = [(figures / name).read_bytes() for name in files(figures)]
    assert written[0] == written[1] and json.loads(gzip.decompress(written[0])) == view
    with pytest.raises(ValueError, match="JSON compliant"):
        compendium.save_view({"x": float("nan")}, "linked")


def test_full_size_results_have_a_folder_of_their_own(figures: Path) -> None:
    figure, data = line_figure()
    compendium.save_figure(figure, "fig1", data, profile="paper")
    compendium.save_table(data, "table1", profile="paper")
    assert files(figures) == [
        "paper/fig1.csv", "paper/fig1.png", "paper/table1.csv", "paper/table1.md",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "draw",
    [
        lambda: line_figure()[0],
        lambda: plotting.gallery(["fcc", "graphene"], n_columns=2),
        lambda: plotting.flat_maps(example_maps(), ["fcc"]),
        lambda: plotting.learning_curves(example_history()),
    ],
)
def test_same_figure_same_bytes(figures: Path, draw: Callable[[], Figure]) -> None:
    data = pd.DataFrame({"a": [1.0]})
    for name in ("one", "two"):
        compendium.save_figure(draw(), name, data)
    assert (figures / "one.png").read_bytes() == (figures / "two.png").read_bytes()
    content = (figures / "one.png").read_bytes()
    assert b"Software" not in content and b"tIME" not in content and b"Creation" not in content


def test_interrupted_figure_leaves_the_old_one(
    figures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, data = line_figure()
    compendium.save_figure(figure, "fig1", data)
    before = {name: (figures / name).read_bytes() for name in files(figures)}

    def interrupted(path: Path, **options: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(figure, "savefig", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compendium.save_figure(figure, "fig1", data + 1)
    assert {name: (figures / name).read_bytes() for name in files(figures)} == before


def test_table(figures: Path) -> None:
    table = pd.DataFrame(
        {"accuracy / %": [100.0, 66.14], "where": ["Table 2", "Å"]},
        index=pd.Index(["ARISE", "CNA"], name="method"),
    )
    compendium.save_table(table, "table2")
    assert files(figures) == ["table2.csv", "table2.md"]
    assert (figures / "table2.md").read_text(encoding="utf-8") == (
        "| method | accuracy / % | where |\n| --- | --- | --- |\n"
        "| ARISE | 100.0 | Table 2 |\n| CNA | 66.14 | Å |\n"
    )
    read = pd.read_csv(figures / "table2.csv", index_col="method")
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


def test_unknown_profile(figures: Path) -> None:
    figure, data = line_figure()
    with pytest.raises(InputError, match="Unknown profile 'full'; choose one of quick, paper"):
        compendium.save_figure(figure, "fig1", data, profile="full")
    with pytest.raises(InputError, match="Unknown profile 'full'"):
        compendium.save_table(data, "table1", profile="full")
    assert not figures.exists()


# --- colours of classes ------------------------------------------------------------------------


def test_every_class_has_one_colour_and_those_of_the_paper_are_apart() -> None:
    colours = plotting.class_colours(prototypes.LABELS)
    assert set(colours) == set(prototypes.LABELS)
    named = list(plotting.CLASS_COLOURS)
    assert set(named) <= {*prototypes.LABELS, plotting.OTHER}
    rgb = np.array([to_rgb(plotting.class_colour(label)) for label in named])
    distance = np.linalg.norm(rgb[:, None] - rgb, axis=-1) + np.eye(len(rgb))
    assert distance.min() > 0.2


def test_a_map_of_labels_is_painted_in_the_colours_of_the_classes() -> None:
    labels = np.array([["fcc", "", "other"], ["fcc", "my class", ""]])
    painted = plotting.coloured(labels)
    assert painted.shape == (2, 3, 4)
    for where, label in np.ndenumerate(labels):
        expected = (*to_rgb(plotting.class_colour(label)), 1.0) if label else (0, 0, 0, 0)
        np.testing.assert_allclose(painted[where], expected)
    assert plotting.coloured(np.empty((0, 2), dtype="U3")).shape == (0, 2, 4)


# --- maps of several samples -------------------------------------------------------------------


def two_layers(top: float) -> xr.Dataset:
    """Maps of 2 x 3 x 4 boxes along z, y and x, one of them without an answer."""
    shape = (2, 3, 4)
    information = np.linspace(0.0, top, 24).reshape(shape)
    label = np.where(np.arange(24).reshape(shape) % 2 == 0, "fcc", "bcc")
    information[1, 0, 0], label[1, 0, 0] = np.nan, ""
    return xr.Dataset(
        {
            "label": (("z", "y", "x"), label),
            "mutual_information": (("z", "y", "x"), information),
            "probability": (("class", "z", "y", "x"), np.stack([information, 1 - information])),
        },
        coords={"x": range(4), "y": range(3), "z": [0.0, 2.0], "class": ["fcc", "bcc"]},
    )


def test_samples_that_are_compared_have_one_scale_and_one_colour_for_a_class() -> None:
    figure = plotting.compared_maps({"one": two_layers(0.2), "two": two_layers(1.5)}, ["bcc"])
    images = [panel.collections[0] for panel in figure.axes[:6]]
    assert images[2].get_clim() == images[5].get_clim() == (0.0, 1.5)
    assert images[1].get_clim() == images[4].get_clim() == (0.0, 1.0)
    titles = [panel.get_title() for panel in figure.axes[:3]]
    assert titles == ["class", "p(bcc)", "mutual information"]
    assert [figure.axes[k].get_ylabel().split("\n")[0] for k in (0, 3)] == ["one", "two"]
    painted = np.asarray(images[0].get_array()).reshape(3, 4, 4)
    np.testing.assert_allclose(painted[0, 2, :3], to_rgb(plotting.class_colour("fcc")))
    assert painted[0, 0, 3] == 0.0  # no answer
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(entries) == ["bcc", "fcc"]


def halves(points: np.ndarray) -> np.ndarray:
    """Two phases that meet at x = 1.5."""
    return np.where(points[:, 0] < 1.5, "fcc", "bcc")


def test_outlines_stand_where_phases_meet_and_each_is_named_once() -> None:
    figure = plotting.compared_maps({"one": two_layers(1.0)}, ["bcc"], phases=halves)
    for panel in figure.axes[:3]:
        lines = [c for c in panel.collections if isinstance(c, ContourSet)]
        places = np.concatenate([path.vertices[:, 0] for c in lines for path in c.get_paths()])
        np.testing.assert_allclose(places, 1.5, atol=3.0 / 199)
    names = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert set(names) == {"fcc", "bcc"} and names["fcc"] < 1.5 < names["bcc"]
    assert not figure.axes[1].texts
    without = plotting.compared_maps(
        {"one": two_layers(1.0), "two": two_layers(1.0)}, [], phases={"two": halves}
    )
    assert [len(panel.texts) for panel in without.axes[:4]] == [0, 0, 2, 0]


def test_maps_of_many_classes_have_one_scale_and_say_their_share() -> None:
    figure = plotting.class_maps(two_layers(1.0), ["fcc", "bcc"], n_columns=1, phases=halves)
    assert [panel.get_title() for panel in figure.axes[:2]] == ["fcc, 47.8 %", "bcc, 52.2 %"]
    limits = [panel.collections[0].get_clim() for panel in figure.axes[:2]]
    assert limits == [(0.0, 1.0)] * 2


def test_a_sliding_box_stops_where_the_doubt_is_largest() -> None:
    maps = two_layers(1.0).assign_attrs(box=2.0)
    maps["mutual_information"][1, 1, 2] = 9.0
    # More doubt at the rim does not count.
    maps["mutual_information"][1, 1, 3] = 99.0
    maps["filled"] = maps["mutual_information"] * 0.0 + [1.0, 1.0, 1.0, 0.5]
    atoms = Atoms("Fe4", positions=[[2.2, 1, 2], [2.5, 1.2, 1.5], [9, 9, 9], [0, 1, 2]])
    figure = plotting.sliding_box(atoms, np.array(["fcc", "bcc", "bcc", "fcc"]), maps, 0.9, ["fcc"])
    sample, *boxes = figure.axes
    assert [patch.get_xy() for patch in sample.patches[:3]] == [(-1, 0), (1, 0), (1, 0)]
    # In the middle box are the first two atoms, in the first one the last.
    assert [len(axis.collections[0].get_offsets()) for axis in boxes[:2]] == [1, 2]
    np.testing.assert_array_equal(boxes[4].lines[0].get_ydata()[2], 9.0)


def test_panels_of_points_share_a_legend() -> None:
    points = pd.DataFrame({"x": range(4), "y": range(4), "cluster": [0, 0, 1, -1]})
    figure = plotting.point_panels({"a": points, "b": points}, "cluster", n_columns=1)
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"none", "0", "1"}
    clouds = {cloud.get_label(): cloud for cloud in figure.axes[1].collections}
    np.testing.assert_array_equal(clouds["1"].get_offsets(), [[2, 2]])


def test_intervals_are_drawn_from_low_to_high() -> None:
    index = pd.MultiIndex.from_product([["arise", "PTM"], ["perfect"]])
    table = pd.DataFrame({"value": [0.8, 0.6], "low": [0.7, 0.5], "high": [0.95, 0.6]}, index)
    axis = plotting.interval_dots(table, "area / 1", chance=0.5).axes[0]
    for bars, (_, row) in zip(axis.containers, table.iterrows(), strict=True):
        (segment,) = bars.lines[2][0].get_segments()
        np.testing.assert_allclose(segment[:, 0], [row["low"], row["high"]])
    assert [text.get_text() for text in axis.get_legend().get_texts()][-2:] == ["arise", "PTM"]


def test_a_plane_is_cut_through_the_middle_of_the_third_axis() -> None:
    layer = plotting.middle_layer(two_layers(1.0), ("x", "z"))
    assert layer["label"].dims == ("z", "x") and layer["probability"].dims == ("class", "z", "x")
    np.testing.assert_array_equal(layer["label"], two_layers(1.0)["label"].isel(y=1))


def test_layers_are_counted_along_an_axis_and_stacked() -> None:
    layers = plotting.layers_along(two_layers(1.0), "z", ["fcc"])
    assert layers.index.tolist() == [0.0, 2.0] and layers["boxes"].tolist() == [12, 11]
    assert layers["fcc"].tolist() == pytest.approx([0.5, 5 / 11])
    assert layers["rest"].tolist() == pytest.approx([0.5, 6 / 11])
    figure = plotting.profile(layers)
    assert figure.axes[0].get_ylim() == (0.0, 100.0)
    drawn = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, layers["mutual_information"])


def test_points_without_a_cluster_are_grey() -> None:
    points = pd.DataFrame(
        {"x": range(6), "y": range(6), "cluster": [0, 0, 1, 1, -1, -1], "label": ["fcc"] * 6,
         "mutual_information": np.arange(6.0)}
    )  # fmt: skip
    figure = plotting.coloured_points(points, ["cluster", "label"], "mutual_information")
    clouds = {cloud.get_label(): cloud for cloud in figure.axes[0].collections}
    assert set(clouds) == {"none", "0", "1"}
    np.testing.assert_allclose(clouds["none"].get_facecolor()[0, :3], [0.75] * 3)
    np.testing.assert_array_equal(clouds["none"].get_offsets(), [[4, 4], [5, 5]])
    (one,) = figure.axes[1].collections
    np.testing.assert_allclose(one.get_facecolor()[0, :3], to_rgb(plotting.class_colour("fcc")))


def test_boxes_of_one_label_in_space() -> None:
    truth = Cuboid((0.0, 0.0, 0.0), (1.0, 2.0, 3.0), "bcc", "fcc")
    maps = two_layers(1.0).assign_attrs(box=2.0)
    panel = plotting.boxes_in_space(maps, "bcc", truth=truth).axes[0]
    (cloud,) = panel.collections
    assert len(cloud.get_offsets()) == 12
    # The edges of the first box and of the truth.
    edges = np.array([line.get_data_3d() for line in panel.lines])
    assert edges.shape == (24, 3, 2)
    assert sorted(np.ptp(edges[12:], axis=2).sum(axis=1)) == [1] * 4 + [2] * 4 + [3] * 4
    assert edges[:12].min() == -1.0 and edges[:12].max() == 1.0


def test_a_sample_is_drawn_in_the_colours_of_its_phases_with_the_box() -> None:
    atoms = bulk("Fe", cubic=True) * 3
    phases = np.where(atoms.positions[:, 0] > 3.0, "fcc", "bcc")
    _, axes = plt.subplots()
    plotting.sample_view(axes, atoms, phases, plane=("x", "z"), box=4.0)
    assert sum(len(cloud.get_offsets()) for cloud in axes.collections) == len(atoms)
    (frame,) = axes.patches
    assert (frame.get_width(), frame.get_height()) == (4.0, 4.0)
    assert axes.get_ylabel() == "z / Å"


def test_maps_of_labels_share_colours_and_leave_empty_boxes_white() -> None:
    axes = {"z": [0.0, 4.0, 8.0], "y": [0.0, 4.0], "x": [0.0, 4.0, 8.0]}
    labels = xr.DataArray(np.full((3, 2, 3), ""), axes, ["z", "y", "x"]).astype("<U8")
    labels[1] = [["fcc", "L1_2", ""], ["fcc", "fcc", ""]]
    figure = plotting.label_maps({"fit": labels, "network": labels[:, :, ::-1]})
    first = figure.axes[0].images[0].get_array()
    assert first.shape == (2, 3, 4)
    assert first[..., 3].tolist() == [[1, 1, 0], [1, 1, 0]]
    assert first[0, 0, :3].tolist() == pytest.approx(to_rgb(plotting.class_colour("fcc")))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["fcc", "L1_2"]
    table = plotting.label_table({"fit": labels})
    assert table.loc[(0.0, 4.0), "fit"] == "L1_2" and len(table) == 4
    row = plotting.label_maps({"fit": labels[:, :1]})  # one row of boxes has no distance
    assert row.axes[0].images[0].get_extent() == [-2.0, 10.0, -0.5, 0.5]


def test_profiles_have_bands() -> None:
    values = {"median": [1.0, 2.0], "low": [0.5, 1.5], "high": [1.5, 2.5]}
    profile = pd.DataFrame(values, index=[0.25, 0.75])
    figure = plotting.radial_profiles({"a": profile, "b": profile}, "order", "1", xlabel="r / R")
    (panel,) = figure.axes
    assert panel.lines[0].get_ydata().tolist() == [1.0, 2.0] and len(panel.collections) == 2


# --- from a structure to an answer -------------------------------------------------------------
def test_vector_as_a_matrix() -> None:
    settings = SoapSettings()
    vector = np.arange(settings.n_features, dtype=float)
    matrix = plotting.vector_matrix(vector, settings)
    assert matrix.shape == (45, 7) and matrix.index[:3].tolist() == ["1,1", "2,1", "2,2"]
    layout = settings.layout
    for entry in (0, 8, 200, 314):
        name = f"{layout.first[entry] + 1},{layout.second[entry] + 1}"
        assert matrix.at[name, layout.degree[entry]] == vector[entry]
    # The last entry of QUIP's vectors belongs to no pair.
    assert 315 not in matrix.to_numpy()


def test_changes_of_a_matrix_share_a_scale() -> None:
    matrix = pd.DataFrame([[1.0, 2.0], [0.5, 0.0]], ["1,1", "2,1"], [0, 1])
    figure = plotting.matrix_panels({"all": matrix, "less": -0.1 * matrix, "more": matrix})
    limits = [axes.images[0].get_clim() for axes in figure.axes if axes.images]
    assert limits[0][0] == 0 and limits[1] == limits[2] == (-2.0, 2.0)


def test_histograms_of_the_passes() -> None:
    passes = pd.DataFrame({"fcc": [0.01, 0.99, 0.995], "mine": [0.99, 0.01, 0.005]})
    (panel,) = plotting.pass_histograms({"nickel, 0.9 bit": passes}).axes
    assert panel.get_title() == "nickel, 0.9 bit" and panel.get_yscale() == "log"
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels == ["fcc", "mine"]


def test_pipeline() -> None:
    settings, nickel = SoapSettings(), bulk("Ni", cubic=True) * 2
    matrix = plotting.vector_matrix(np.ones(settings.n_features), settings)
    passes = pd.DataFrame({"fcc": [0.9, 0.8], "hcp": [0.1, 0.2]})
    figure = plotting.pipeline(nickel, matrix, [np.arange(5.0), np.ones(3)], passes)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "a  structure, 32 atoms", "b  vector, 315 entries", "c  hidden layers", "d  2 passes",
    ]  # fmt: skip
