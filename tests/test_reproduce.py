"""The notebook driver, its kernel, the progress bars and the package's face."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import psutil
import pytest
from nbformat import v4

import arise_lib
from arise_lib import compendium, storage
from arise_lib.compendium import notebooks, resuming, runner
from arise_lib.compendium.paper_runs import note_run
from arise_lib.errors import InputError
from arise_lib.storage import parallel, paths


def add(folder: Path, name: str, *sources: str) -> Path:
    """Write an unexecuted notebook whose parameters come first."""
    cells = [v4.new_markdown_cell("# Title")]
    cells.append(v4.new_code_cell('profile = "quick"', metadata={"tags": ["parameters"]}))
    cells += [v4.new_code_cell(source) for source in sources]
    path = folder / name
    path.write_text(nbformat.writes(v4.new_notebook(cells=cells)), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "notebooks"
    made.mkdir()
    return made


def texts(path: Path) -> str:
    cells = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    return "".join(output.get("text", "") for cell in cells for output in cell.outputs)


def start(code: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    python_path = os.pathsep.join([str(paths.ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": python_path} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def alive(number: int) -> bool:
    """Tell whether a process still runs, a moment after it was ended."""
    try:
        process = psutil.Process(number)
        process.wait(5)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return process.status() != psutil.STATUS_ZOMBIE
    return False


# --- choosing notebooks ------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["03", "3", "03_b", "03_b.ipynb", "notebooks/03_b.ipynb"])
def test_select_by_number_or_name(folder: Path, wanted: str) -> None:
    for name in ["03_b.ipynb", "00_a.ipynb", "notes.ipynb", "13_c.ipynb"]:
        add(folder, name)
    assert [p.name for p in runner.select([wanted], folder)] == ["03_b.ipynb"]


def test_select_keeps_the_order_of_numbers(folder: Path) -> None:
    for name in ["03_b.ipynb", "00_a.ipynb", "13_c.ipynb", "notes.ipynb"]:
        add(folder, name)
    every = ["00_a.ipynb", "03_b.ipynb", "13_c.ipynb"]
    assert [p.name for p in runner.select([], folder)] == every
    assert [p.name for p in runner.select(["13", "3", "03"], folder)] == every[1:]


@pytest.mark.parametrize("wanted", ["04", "b", "", "0", "03_"])
def test_unknown_notebook_lists_the_known(folder: Path, wanted: str) -> None:
    add(folder, "03_b.ipynb")
    with pytest.raises(InputError, match=r"no notebook '.*'; name one of 03_b"):
        runner.select([wanted], folder)


def test_folder_without_notebooks(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no notebook NN_name\.ipynb"):
        runner.select([], folder)


def test_unknown_profile(folder: Path) -> None:
    with pytest.raises(InputError, match="Unknown profile 'fast'; choose one of quick, paper"):
        runner.run("fast", folder=folder)


def test_only_quick_is_stored(folder: Path) -> None:
    with pytest.raises(InputError, match="drop --store"):
        runner.run("paper", keep=True, folder=folder)


# --- running -----------------------------------------------------------------------------------


def test_run_resume_and_store(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """One notebook: executed with its parameter, kept on resuming, run again when it changed."""
    source = "import os, sys\nprint(profile, os.getcwd(), sys.executable)"
    low_level = "os.write(1, b'noise'); os.write(2, b'noise');"
    path = add(folder, "00_a.ipynb", source, low_level)
    build = tmp_path / "build"
    # A kernel specification of the same name, found first, that leads nowhere.
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    wrong = {"argv": ["false"], "display_name": "Wrong", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(wrong))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    monkeypatch.setattr(paths, "FIGURES", tmp_path / "figures")
    (first,) = runner.run("paper", folder=folder, build=build)
    assert first.state == "done"
    written = sorted(p.name for p in (tmp_path / "figures" / "paper").iterdir())
    assert written == ["runs.csv", "runs.md", "scorecard.csv", "scorecard.md"]
    assert first.copy == build / "paper" / "00_a.ipynb"
    assert texts(first.copy) == f"paper {folder} {sys.executable}\n"
    assert [p.name for p in first.copy.parent.iterdir()] == ["00_a.ipynb"]
    assert "00_a" in capsys.readouterr().out
    (again,) = runner.run("paper", resume=True, folder=folder, build=build)
    assert again.state == "kept"

    path = add(folder, "00_a.ipynb", "print(profile)")
    before = notebooks.read(path)
    (changed,) = runner.run(resume=True, keep=True, folder=folder, build=build)
    assert (changed.state, changed.copy.parent.name) == ("done", "quick")
    stored = notebooks.read(path)
    assert [cell.source for cell in stored.cells] == [cell.source for cell in before.cells]
    assert texts(path) == "quick\n"
    assert [cell.get("execution_count") for cell in stored.cells] == [None, 1, 2]
    assert notebooks.stripped(stored) == stored
    # Storing changed the outputs only, so nothing is left to do.
    (after,) = runner.run(resume=True, folder=folder, build=build)
    assert after.state == "kept"


def test_failing_notebook_stops_the_run(folder: Path, tmp_path: Path) -> None:
    add(folder, "00_a.ipynb", "print(1)", "raise ValueError('too cold')", "print(2)")
    add(folder, "01_b.ipynb", "print(profile)")
    (failed,) = runner.run(folder=folder, build=tmp_path)
    assert failed.state == "failed"
    # In [1] are the parameters and In [2] those injected.
    assert failed.message == "cell In [4]: ValueError: too cold"
    cells = notebooks.read(failed.copy).cells
    errors = [o for c in cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert [(e.ename, e.evalue) for e in errors] == [("ValueError", "too cold")]
    assert texts(failed.copy) == "1\n"
    assert notebooks.read(folder / "00_a.ipynb").cells[2].outputs == []

    states = [
        outcome.state
        for outcome in runner.run(
            resume=True, keep=True, keep_going=True, folder=folder, build=tmp_path
        )
    ]
    assert states == ["failed", "done"]
    # A failed notebook is not stored.
    assert notebooks.read(folder / "00_a.ipynb").cells[2].outputs == []


def test_dead_kernel_is_a_failure(folder: Path, tmp_path: Path) -> None:
    add(folder, "00_a.ipynb", "print(1)", "import os; os._exit(9)")
    (failed,) = runner.run(folder=folder, build=tmp_path)
    assert failed.state == "failed"
    assert "the kernel died" in failed.message
    reason = resuming.why_again(folder / "00_a.ipynb", "quick", failed.copy)
    assert reason == "it did not come to its end"


def test_heartbeat_goes_to_stderr(folder: Path, tmp_path: Path, capsys: Any) -> None:
    add(folder, "00_a.ipynb", "import time; time.sleep(1.5)")
    (outcome,) = runner.run(folder=folder, build=tmp_path, every=0.5)
    assert outcome.state == "done"
    captured = capsys.readouterr()
    assert "00_a: cell 4 of 4, running for" in captured.err
    assert "running" not in captured.out


def test_interruption_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C in the second notebook: the first is kept, the second's processes are gone."""
    mark = tmp_path / "pid"
    wait = f"""
import os, pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
pathlib.Path({str(mark)!r}).write_text(f"{{os.getpid()}} {{worker.pid}}")
"""
    add(folder, "00_a.ipynb", "print(1)")
    add(folder, "01_b.ipynb", wait, "time.sleep(120)")
    # A shell that runs the tests in the background has them ignore Ctrl-C; this process must not.
    code = f"""
        import signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from functools import partial
        from pathlib import Path
        from arise_lib.compendium import cli, runner
        runner.run = partial(
            runner.run, folder=Path({str(folder)!r}), build=Path({str(tmp_path / "build")!r})
        )
        sys.exit(cli.main(["reproduce", "--store"]))
    """
    process = start(code, tmp_path)
    deadline = time.monotonic() + 90
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "arise: interrupted" in err
    assert "Traceback" not in err
    assert out.startswith("00_a")
    assert [p.name for p in (tmp_path / "build" / "quick").iterdir()] == ["00_a.ipynb"]
    assert sorted(p.name for p in folder.iterdir()) == ["00_a.ipynb", "01_b.ipynb"]
    assert texts(folder / "01_b.ipynb") == ""
    assert [number for number in map(int, mark.read_text().split()) if alive(number)] == []


# --- what a resumed run goes by ----------------------------------------------------------------


def test_input_hash_counts_sources_tags_and_profile(folder: Path) -> None:
    path = add(folder, "00_a.ipynb", "print(1)")
    reference = resuming.input_hash(path, "quick")
    assert resuming.input_hash(path, "paper") != reference
    notebook = notebooks.read(path)
    notebook.cells[2].outputs.append(v4.new_output("stream", name="stdout", text="1\n"))
    notebook.cells[2].execution_count = 2
    notebooks.write(notebook, path)
    assert resuming.input_hash(path, "quick") == reference
    notebook.cells[2].metadata["tags"] = ["external-data"]
    notebooks.write(notebook, path)
    assert resuming.input_hash(path, "quick") != reference
    assert resuming.input_hash(add(folder, "00_a.ipynb", "print(2)"), "quick") != reference


def test_input_hash_counts_data_but_not_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = add(folder, "00_a.ipynb")
    data = tmp_path / "checkout" / "data"
    shutil.copytree(
        paths.DATA, data, ignore=lambda folder, _: ["derived"] if folder == str(paths.DATA) else []
    )
    monkeypatch.setattr(paths, "DATA", data)
    monkeypatch.setattr(paths, "DERIVED", data / "derived")
    monkeypatch.setenv("ARISE_DATA_DIR", str(tmp_path / "external"))
    reference = resuming.input_hash(path, "quick")
    (data / "derived").mkdir()
    (data / "derived" / "x.npz").write_bytes(b"1")
    assert resuming.input_hash(path, "quick") == reference
    # External data that have come make a difference to the notebooks that use them.
    name, size = min(storage.registry()["bytes"].items(), key=lambda item: item[1])
    come = tmp_path / "external" / str(name)
    come.parent.mkdir(parents=True)
    come.write_bytes(bytes(size))
    found = {reference, resuming.input_hash(path, "quick")}
    # One digit of one score of the search, which notebook 02 shows: the fault that kept a stale 02.
    scores = data / "search" / "scores.jsonl"
    scores.write_text(scores.read_text().replace("9", "8", 1))
    found.add(resuming.input_hash(path, "quick"))
    (data / "paper" / "values.csv").unlink()
    found.add(resuming.input_hash(path, "quick"))
    (data / "new.csv").write_text("1")
    found.add(resuming.input_hash(path, "quick"))
    assert len(found) == 5


@pytest.mark.parametrize("content", [None, "", "{}"])
def test_copy_that_is_not_whole(folder: Path, tmp_path: Path, content: str | None) -> None:
    copy = tmp_path / "00_a.ipynb"
    if content is not None:
        copy.write_text(content)
    reason = resuming.why_again(add(folder, "00_a.ipynb"), "quick", copy)
    assert reason == ("it has not been run" if content is None else "its executed copy is damaged")


def test_a_run_at_the_papers_sizes_replaces_the_record_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    for name, seconds in (("06_b", 60.0), ("05_a", 600.0), ("06_b", 90.0)):
        note_run(name, seconds)
    runs = pd.read_csv(tmp_path / "paper" / "runs.csv", index_col="notebook")
    assert runs["minutes"].to_dict() == {"05_a": 10.0, "06_b": 1.5}
    assert runs["versions"].str.startswith("Python 3").all()
    assert runs["date"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()


def test_resumed_run_sees_what_was_lost(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A picture, a table, a number, an external file of the same size: each runs it again."""
    figures, own, external = tmp_path / "figures", tmp_path / "own", tmp_path / "external"
    monkeypatch.setattr(paths, "RESULTS", figures / "results")
    monkeypatch.setenv("ARISE_DATA_DIR", str(external))
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    own.mkdir()
    external.mkdir()
    (external / "a.xyz").write_bytes(b"content")
    hashed = hashlib.sha256(b"content").hexdigest()
    columns = "name\tsha256\tbytes\turl\tlicence\tcitation"
    (own / "registry.tsv").write_text(
        f"{columns}\na.xyz\t{hashed}\t7\thttps://example.org/a.xyz\tCC0\tNobody\n"
    )
    source = f"""
import pathlib, matplotlib.pyplot as plt, pandas as pd
from arise_lib import compendium, storage
from arise_lib.storage import paths
paths.DATA, paths.FIGURES = pathlib.Path({str(own)!r}), pathlib.Path({str(figures)!r})
paths.RESULTS = paths.FIGURES / "results"
table = pd.DataFrame({{"a": [1.5]}})
compendium.save_figure(plt.figure(figsize=(1, 1)), "picture", table, profile)
compendium.save_table(table, "table", profile)
compendium.record(profile, {{"own.a": 1.5, "own.b": 2}})
print(storage.fetch("a.xyz").read_bytes(), len(compendium.recorded(profile)))
"""
    add(folder, "00_a.ipynb", source)

    def again() -> str:
        (outcome,) = runner.run(resume=True, folder=folder, build=tmp_path / "build")
        assert outcome.message == ""
        reason = capsys.readouterr().err.partition(": ")[2].strip()
        assert (outcome.state == "done") == bool(reason)
        return reason

    assert again() == "it has not been run"
    assert again() == ""
    losses = {
        "picture.png was altered": lambda: (figures / "picture.png").write_bytes(b"x"),
        "picture.csv is gone": (figures / "picture.csv").unlink,
        "table.md was altered": lambda: (figures / "table.md").write_bytes(b""),
        "own.a was altered": lambda: compendium.record("quick", {"own.a": 2.5}),
        "results is gone": lambda: (figures / "results" / "quick.json").unlink(),
        "other numbers have been recorded since": lambda: compendium.record("quick", {"b.c": 1}),
    }
    for reason, lose in losses.items():
        lose()
        expected = "own.a is gone" if reason == "results is gone" else reason
        assert again().endswith(expected)
        assert again() == ""
    (external / "a.xyz").write_bytes(b"CONTENT")
    reason = resuming.why_again(folder / "00_a.ipynb", "quick", tmp_path / "build/quick/00_a.ipynb")
    assert reason == "external file a.xyz was altered"


# --- progress bars -----------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(parallel.bar(range(3), desc="three")) == [0, 1, 2]
    assert "three:   0%|" in stream.getvalue()
    assert list(parallel.run(abs, [-1, -2], description="abs")) == [1, 2]
    assert "abs:   0%|          | 0/2" in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["a file", "closed"])
def test_bar_in_silence(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(parallel.bar(iter("ab"), total=2)) == ["a", "b"]
    assert stream is None or stream.getvalue() == ""


def test_bar_in_a_kernel(folder: Path, tmp_path: Path) -> None:
    """Silent by itself; with a terminal pretended, by the variable that the kernel is given."""
    use = f"import os, sys; sys.path.insert(0, {str(paths.ROOT)!r})\n"
    use += "from arise_lib.storage.parallel import bar"
    pretend = "sys.stderr.isatty = lambda: True"
    silence = "assert os.environ.pop('TQDM_DISABLE') == '1'"
    count = "print(list(bar(range(2))))"
    add(folder, "00_a.ipynb", use, silence, count)
    add(folder, "01_b.ipynb", use, pretend, count)
    for outcome in runner.run(folder=folder, build=tmp_path):
        assert outcome.message == ""
        assert texts(outcome.copy) == "[0, 1]\n"
        outputs = [o for c in notebooks.read(outcome.copy).cells for o in c.get("outputs", [])]
        assert [output.name for output in outputs] == ["stdout"]


# --- the package -------------------------------------------------------------------------------


def test_import_is_cheap_and_sets_the_environment(tmp_path: Path) -> None:
    code = """
        import os, sys
        for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"):
            os.environ.pop(name, None)
        os.environ["KERAS_BACKEND"] = "chosen"
        import arise_lib
        heavy = {"tensorflow", "keras", "matplotlib", "numpy", "pandas", "papermill"}
        print(sorted(heavy & set(sys.modules)))
        print(os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["TF_ENABLE_ONEDNN_OPTS"])
        print(os.environ["KERAS_BACKEND"], set(arise_lib.__all__) <= set(dir(arise_lib)))
    """
    out, err = start(code, tmp_path).communicate(timeout=60)
    assert out.splitlines() == ["[]", "3 0", "chosen True"], err


def test_unknown_public_name() -> None:
    with pytest.raises(AttributeError, match="module 'arise_lib' has no attribute 'clasify'"):
        _ = arise_lib.clasify


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    assert arise_lib.__version__ == project["version"]
