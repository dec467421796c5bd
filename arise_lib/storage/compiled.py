"""Machine code that is kept only as long as all the code behind it stays the same.

A compiled function holds the functions that it calls. Numba's own cache looks at the file of the
function alone, so that after an update it may silently go on with an old version of what is called.
Here compiled code is kept in a folder named by the fingerprint of the function's module, which
follows imports: other code, another folder.

The kept files are a matter of time only. One that is damaged, truncated or unreadable is compiled
anew, and where none can be written nothing is kept.

All of Numba's internals that this needs are in this module. They are those of Numba 0.68 and may
change with any minor release, hence the upper bound in ``pyproject.toml``.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, overload

import llvmlite
import numba
from numba.core import config, sigutils
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from arise_lib.storage import fingerprints, paths

Function = TypeVar("Function", bound=Callable[..., Any])

#: Days after which the code of a version that nobody used is removed.
KEPT_DAYS = 30

#: Settings of Numba on which machine code depends, beside the processor.
_SETTINGS = (
    "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "ENABLE_AVX", "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE",
)  # fmt: skip

#: Stamps that the files of the library's modules had when these were imported.
_imported: dict[str, tuple[int, int]] = {}


@overload
def compiled(function: Function, /) -> Function: ...
@overload
def compiled(*, error_model: str) -> Callable[[Function], Function]: ...
def compiled(function: Any = None, /, *, error_model: str = "python") -> Any:
    """Compile a function at its first call, and keep the machine code for other processes.

    The function must be that of a module, and may call others that are compiled so. It releases
    Python's lock, and does not check the bounds of arrays unless ``NUMBA_BOUNDSCHECK=1``.

    Parameters
    ----------
    function : callable
        In the part of Python that Numba compiles without Python objects.
    error_model : {"python", "numpy"}
        What a division by zero is: an error, or infinite. The latter needs no check, which would
        keep a loop from being vectorised.

    Returns
    -------
    callable
        The same function, compiled; without a function, a decorator.

    Examples
    --------
    >>> from arise_lib.storage.compiled import compiled
    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    if function is None:
        return partial(compiled, error_model=error_model)
    _note_imported()
    dispatcher = numba.njit(nogil=True, error_model=error_model)(function)
    # With NUMBA_DISABLE_JIT=1 it is the function itself.
    if dispatcher is not function:
        dispatcher._cache = _KeptCode(function)
    return dispatcher


class _KeptCode(_Cache):
    """Where Numba asks for machine code before it compiles, and hands it over afterwards."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._module, self._name = function.__module__, function.__qualname__

    @property
    def cache_path(self) -> str | None:
        """Folder of the code, for Numba's statistics."""
        places = self._places()
        return str(places[0]) if places else None

    def load_overload(self, signature: Any, target: Any) -> CompileResult | None:
        """Return the code for these types of arguments, or None."""
        target.refresh()
        key = self._key(signature, target.codegen())
        for folder in self._places():
            try:
                # Only what has the right checksum gets as far as this.
                result = CompileResult._rebuild(target, *_read(self._file(folder, key), key))
                if result.signature.args == sigutils.normalize_signature(signature)[0]:
                    _touch(folder)
                    return result
            # Whatever is wrong with a kept file, compiling anew is right.
            except Exception:
                continue
        return None

    def save_overload(self, signature: Any, result: CompileResult) -> None:
        """Keep the code in the first folder that can be written."""
        places = self._places()
        # What refers to addresses of this process is of no use to another.
        if not places or result.lifted or result.library.has_dynamic_globals:
            return
        key = self._key(signature, result.codegen)
        content = _sealed(key, dumps(result._reduce()))
        problem = None
        for folder in places:
            try:
                if not folder.is_dir():
                    folder.mkdir(parents=True, exist_ok=True)
                    _sweep(folder.parent)
                _write(self._file(folder, key), content)
                return
            except OSError as error:
                problem = problem or error
        _warn(str(problem))

    def enable(self) -> None:
        """Do nothing: what is compiled is kept."""

    def disable(self) -> None:
        """Do nothing: what is compiled is kept."""

    def flush(self) -> None:
        """Do nothing: code that no longer fits is never found."""

    def _places(self) -> list[Path]:
        """Folders for the code of the function's module, the preferred one first."""
        name = _version(self._module)
        return [root / name for root in _roots()] if name else []

    def _key(self, signature: Any, codegen: Any) -> str:
        """State all that the code depends on, beside the source."""
        arguments, _ = sigutils.normalize_signature(signature)
        settings = [f"{name}={getattr(config, name, None)}" for name in _SETTINGS]
        versions = [sys.version, numba.__version__, llvmlite.__version__]
        names = [self._module, self._name, repr(arguments)]
        return "\n".join([*names, repr(codegen.magic_tuple()), *settings, *versions])

    def _file(self, folder: Path, key: str) -> Path:
        """Name the file of one key: a file for each, so that processes do not mix up theirs."""
        return folder / f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.code"


def _note_imported() -> None:
    """Remember the state of the files that have been imported so far."""
    for name, module in list(sys.modules.items()):
        if name.startswith("arise_lib") and name not in _imported:
            file = getattr(module, "__file__", None)
            try:
                _imported[name] = fingerprints._stamp(Path(file or ""))
            except OSError:
                _imported[name] = (0, 0)


@cache
def _version(module: str) -> str | None:
    """Name the folder of a module's code; None if its source is not what is being run.

    The fingerprint is made at the first call of a function, which may be long after the import:
    where a file has changed in between, code of the old version must not get the new one's name.
    """
    try:
        name = fingerprints.fingerprint(module)
        for behind in fingerprints.follow(module):
            now = fingerprints._stamp(fingerprints._file(behind, fingerprints.PACKAGE))
            if _imported.get(behind, now) != now:
                return None
    except (OSError, SyntaxError, ValueError):
        return None
    return name[:32]  # Windows allows no long paths


def _roots() -> Iterator[Path]:
    """Folders in which code may be kept, the preferred one first."""
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR) / "arise" / "compiled"
        return
    yield paths.DERIVED / "compiled"
    # A checkout that may only be read, as of another user or in a container.
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    if sys.platform == "darwin":
        platform = home / "Library" / "Caches"
    elif sys.platform == "win32":
        platform = Path(os.environ.get("LOCALAPPDATA") or home)
    else:
        platform = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    yield platform / "arise" / "compiled"
    temporary = _temporary()
    if temporary is not None:
        yield temporary / "compiled"


@cache
def _temporary() -> Path | None:
    """Return this user's folder for temporary code; None if it could be somebody else's."""
    try:
        folder = Path(tempfile.gettempdir()) / f"arise-{getattr(os, 'getuid', lambda: 0)()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError:
        return None
    # In a folder that everybody may write to, anybody may have been first.
    foreign = hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o022)
    return None if foreign or not stat.S_ISDIR(state.st_mode) else folder


def _sealed(key: str, code: bytes) -> bytes:
    """Put key and checksum before the code."""
    body = f"{len(key.encode())}\n{key}\n".encode() + code
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _read(file: Path, key: str) -> Any:
    """Return what was kept, or raise an exception of whatever kind."""
    checksum, _, body = file.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ValueError(f"{file} is damaged")
    size, _, rest = body.partition(b"\n")
    if rest[: int(size)] != key.encode():
        raise ValueError(f"{file} holds other code")
    # Numba's own form. Who can forge the checksum here can as well change the library.
    return pickle.loads(rest[int(size) + 1 :])  # noqa: S301


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = file.with_name(f".{uuid.uuid4().hex[:12]}")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@cache
def _touch(folder: Path) -> None:
    """Note, once in a process, that a folder is in use."""
    try:
        os.utime(folder)
    except OSError:
        return  # it can only be read: then nobody sweeps it either


def _sweep(root: Path) -> None:
    """Remove the code of versions that nobody has used for a month."""
    for folder in root.iterdir():
        try:
            unused = time.time() - folder.stat().st_mtime > KEPT_DAYS * 24 * 3600
        except OSError:
            continue  # another process was faster
        if unused and folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _warn(problem: str) -> None:
    """Say, once for each reason, that every start will have to compile."""
    warnings.warn(
        f"compiled code cannot be kept ({problem}), so each start takes about a minute longer; "
        "set ARISE_CACHE_DIR to a folder that can be written",
        stacklevel=2,
    )
