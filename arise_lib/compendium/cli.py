"""The command line ``arise``: reproduce, classify, fetch.

Exit status: 0 all went well, 1 something failed (the rest was done all the same), 2 the command
itself was wrong, 130 interrupted, 129 and 143 ended by SIGHUP and SIGTERM, 141 (nothing is said)
the output is no longer read, as by ``| head``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from arise_lib import storage
from arise_lib.compendium import external_data, runner
from arise_lib.compendium._answers import classify
from arise_lib.compendium._messages import complain, short_of_memory
from arise_lib.compendium._options import joined, parser
from arise_lib.compendium._signals import Ended
from arise_lib.errors import AriseError, InputError


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
    options = parser().parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    try:
        status = _COMMANDS[options.command](options)
        # Here, where it can be told, and not at the interpreter's end.
        sys.stdout.flush()
        return status
    except InputError as error:
        complain(str(error))
        return 2
    except AriseError as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        _give_up_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        _give_up_output()
        complain(f"{error}: check the disk and the permissions")
        return 1
    except MemoryError as error:
        complain(short_of_memory(error))
        return 1
    except Ended as end:
        complain(str(end))
        return 128 + end.number
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


def _give_up_output() -> None:
    """Send what is still to be printed nowhere; the interpreter would try again at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reproduce(options: argparse.Namespace) -> int:
    terminal = sys.stderr.isatty()
    if absent := external_data.bring():
        complain(absent)
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
        complain(f"{outcome.name} failed in {outcome.message}; executed copy: {copy}")
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"{len(outcomes) - len(failed)} done, {len(failed)} failed, {seconds:.1f} s in all")
    return 1 if failed else 0


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
            complain(str(error))
    return 1 if failed else 0


_COMMANDS = {"reproduce": _reproduce, "classify": classify, "fetch": _fetch}
