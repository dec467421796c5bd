"""The command line ``arise``: reproduce, classify, fetch.

Exit status: 0 all went well, 1 something failed (the rest was done all the same), 2 the command
itself was wrong, 130 interrupted, 129 and 143 ended by SIGHUP and SIGTERM, 141 (nothing is said)
the output is no longer read, as by ``| head``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arise_lib import storage
from arise_lib.compendium import external_data, runner
from arise_lib.compendium._options import parser
from arise_lib.compendium._signals import Ended
from arise_lib.errors import AriseError, InputError
from arise_lib.structures.reading import Source, read_source

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit status, see above.
    """
    options = parser().parse_args(arguments)
    try:
        status = _COMMANDS[options.command](options)
        # Here, where it can be told, and not at the interpreter's end.
        sys.stdout.flush()
        return status
    except InputError as error:
        _complain(str(error))
        return 2
    except AriseError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        _give_up_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        _give_up_output()
        _complain(f"{error}: check the disk and the permissions")
        return 1
    except MemoryError as error:
        _complain(_short_of_memory(error))
        return 1
    except Ended as end:
        _complain(str(end))
        return 128 + end.number
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130


def _complain(message: str) -> None:
    # Of a terminal that was closed nobody can complain.
    with suppress(OSError):
        print(f"arise: {message}", file=sys.stderr, flush=True)


def _give_up_output() -> None:
    """Send what is still to be printed nowhere; the interpreter would try again at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reproduce(options: argparse.Namespace) -> int:
    terminal = sys.stderr.isatty()
    if absent := external_data.bring():
        _complain(absent)
    outcomes = runner.run(
        options.profile,
        options.only,
        resume=options.resume,
        keep=options.store,
        keep_going=options.keep_going,
        every=0.0 if terminal else 30.0,
        bar=terminal,
    )
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    for outcome in failed:
        copy = os.path.relpath(outcome.copy)
        _complain(f"{outcome.name} failed in {outcome.message}; executed copy: {copy}")
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"{len(outcomes) - len(failed)} done, {len(failed)} failed, {seconds:.1f} s in all")
    return 1 if failed else 0


def _classify(options: argparse.Namespace) -> int:
    _check(options)
    records = []
    for file in options.files:
        record = _record(file, options)
        records.append(record)
        if not options.json and "error" not in record:
            print(_table(record, options.top), flush=True)
    if options.json:
        print(json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False))
    return 1 if any("error" in record for record in records) else 0


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit together."""
    of_local = (options.box, options.stride, options.output, options.padding)
    if not options.local and any(option is not None for option in of_local):
        raise InputError(
            "--box, --stride, --padding and --output belong to --local: add it or drop them"
        )
    if options.output and len(options.files) > 1:
        raise InputError("--output takes the maps of one file: give one file only")
    if options.output and options.output.suffix not in (".nc", ".npz"):
        raise InputError(f"maps are written as .nc or .npz, not as {options.output.name!r}")


def _record(file: str, options: argparse.Namespace) -> dict[str, Any]:
    """Recognise the structure in one file; what cannot be done does not stop the other files."""
    chosen = {name: getattr(options, name) for name in ("network", "passes", "tolerance")}
    settings = {name: value for name, value in chosen.items() if value is not None}
    recognise = _local if options.local else _whole
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                source = _read(file, options)
                return {
                    "file": file,
                    "read": str(source),
                    **recognise(source.atoms, options, settings),
                }
            finally:
                for warning in caught:
                    _complain(f"warning: {_about(file, warning.message)}")
    except (AriseError, OSError) as error:
        message = str(error)
    except MemoryError as error:
        message = _short_of_memory(error)
    _complain(_about(file, message))
    return {"file": file, "error": message}


def _read(file: str, options: argparse.Namespace) -> Source:
    """Read a file, or standard input, and say what the reader had to decide."""
    source = read_source(
        sys.stdin.buffer if file == "-" else file,
        options.index,
        format=options.format,
        types=options.types,
        one_species=options.one_species,
        ignore=options.ignore,
        occupancy=options.occupancy,
    )
    for note in source.notes:
        _complain(f"warning: {_about(file, note)}")
    return source


def _about(file: str, message: object) -> str:
    """Put the file before a message that does not name it."""
    return str(message) if Path(file).name in str(message) else f"{file}: {message}"


def _short_of_memory(error: MemoryError) -> str:
    reason = f" ({error})" if str(error) else ""
    return f"the memory was not enough{reason}: take a part of the sample or a larger stride"


def _whole(atoms: Atoms, options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    from arise_lib.recognition import classify

    prediction = classify(atoms, **settings)
    return {
        "n_atoms": int(prediction.n_atoms),
        "classes": list(prediction.classes),
        "probabilities": _numbers(prediction.probabilities),
        "mutual_information": _number(prediction.mutual_information),
    }


def _local(atoms: Atoms, options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    from arise_lib.strided.maps import label_shares
    from arise_lib.strided.sweep import scan

    box = options.box or 16.0
    stride = options.stride or box / 4
    if options.padding is not None:
        settings = settings | {"padding": options.padding}
    maps = scan(atoms, box=box, stride=stride, **settings)
    if options.output:
        _save(maps, options.output)
    information = maps["mutual_information"].to_numpy()
    filled = np.isfinite(information)
    shares = label_shares(maps)
    return {
        "n_atoms": len(atoms),
        "box": box,
        "stride": stride,
        "boxes": int(filled.size),
        "filled_boxes": int(filled.sum()),
        "classes": list(shares),
        "shares": _numbers(shares.values()),
        "mutual_information": _number(information[filled].mean()) if filled.any() else None,
    }


def _save(maps: xr.Dataset, path: Path) -> None:
    with storage.atomic_write(path) as temporary:
        if path.suffix == ".nc":
            maps.to_netcdf(temporary, engine="scipy")
        else:
            arrays = {str(name): maps[name].to_numpy() for name in maps.variables}
            with open(temporary, "wb") as stream:
                np.savez_compressed(stream, allow_pickle=False, **arrays)


def _number(value: float) -> float | None:
    """Return a number, or None, JSON's only word for what is undefined, for NaN."""
    return float(value) if np.isfinite(value) else None


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(value) for value in values]


def _table(record: dict[str, Any], top: int) -> str:
    local = "shares" in record
    lines = [record["read"]]
    if local:
        lines.append(
            f"  {record['filled_boxes']} of {record['boxes']} boxes of {record['box']:g} Å"
        )
    uncertainty = record["mutual_information"]
    text = "undefined" if uncertainty is None else f"{uncertainty:.4f} bit"
    lines.append(f"  {'mean ' if local else ''}mutual information {text}")
    values = record["shares" if local else "probabilities"]
    width = max(map(len, record["classes"][:top]), default=0)
    for rank, (label, value) in enumerate(zip(record["classes"], values, strict=True), start=1):
        if rank > top:
            break
        share = "undefined" if value is None else f"{100 * value:7.2f} %"
        lines.append(f"  {rank:3d}  {label:<{width}}  {share}")
    return "\n".join(lines)


def _fetch(options: argparse.Namespace) -> int:
    table = storage.registry()
    if options.list:
        for name, size in table["bytes"].items():
            state = "here" if storage.available(str(name)) else "-"
            print(f"{state:<5} {int(size):>10}  {name}")
        return 0
    if options.all == bool(options.names):
        raise InputError("name the files to fetch, or give --all; --list shows their names")
    failed = 0
    for name in table.index if options.all else options.names:
        try:
            print(storage.fetch(str(name)), flush=True)
        except AriseError as error:
            failed += 1
            _complain(str(error))
    return 1 if failed else 0


_COMMANDS = {"reproduce": _reproduce, "classify": _classify, "fetch": _fetch}
