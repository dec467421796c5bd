"""Files that are written whole or not at all, by one process at a time."""

from __future__ import annotations

import os
import platform
import re
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

#: Temporary files: machine, process, a random part, and the final name.
_TEMPORARY = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}-.", re.ASCII)
#: Seconds after which a temporary file of another machine was left behind.
_DAY = 86_400.0


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file so that it is there whole or not at all.

    Parameters
    ----------
    path : path-like
        The final name; missing folders are made.

    Yields
    ------
    pathlib.Path
        A new name in the same folder, with the same ending. It replaces `path` when the block
        ends, and is removed when the block raises, ``KeyboardInterrupt`` included. What a killed
        process leaves there is removed when another one first writes into the folder.

    Examples
    --------
    >>> import tempfile
    >>> from arise_lib import storage
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with storage.atomic_write(f"{folder}/a.csv") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     print([path.name for path in temporary.parent.iterdir()])
    ['a.csv']
    """
    final = Path(path).absolute()
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final.parent)
    # Same folder: a rename is atomic within one file system only. Same ending: numpy.savez,
    # matplotlib and gzip go by it.
    temporary = final.with_name(f".{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}-{final.name}")
    try:
        yield temporary
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@cache
def _machine() -> str:
    """Name what numbers of processes belong to: a host, and on Linux one of its containers."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        namespace = 0
    return f"{zlib.crc32(f'{platform.node()} {namespace}'.encode()):08x}"


@cache
def _sweep(folder: Path) -> None:
    """Remove temporary files of killed processes, once for each folder."""
    with suppress(OSError):
        for path in folder.iterdir():
            named = _TEMPORARY.match(path.name)
            if named is None:
                continue
            machine, process = named[1], int(named[2])
            # A file that is gone or not ours to remove is left alone.
            with suppress(OSError):
                if machine != _machine():
                    left = time.time() - path.stat().st_mtime > _DAY
                else:
                    left = not _runs(process)
                if left:
                    path.unlink()


def _runs(process: int) -> bool:
    """Tell whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Have a file to oneself, among all processes and threads that lock it.

    Parameters
    ----------
    path : path-like
        The file to be read and replaced; missing folders are made. The lock is a file beside it,
        gone afterwards; the system frees it when its process is killed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from arise_lib import storage
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "count.txt"
    ...     with storage.locked(path), storage.atomic_write(path) as temporary:
    ...         _ = temporary.write_text("1")
    ...     print([path.name for path in Path(folder).iterdir()])
    ['count.txt']
    """
    # POSIX alone has it; nothing else of the library needs it.
    import fcntl

    final = Path(path).absolute()
    final.parent.mkdir(parents=True, exist_ok=True)
    lock = final.with_name(f".{final.name}.lock")
    while True:
        stream = lock.open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # Whoever had it may have removed the file that was waited for.
            if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                break
        except FileNotFoundError:
            pass
        except BaseException:
            stream.close()
            raise
        stream.close()
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        stream.close()
