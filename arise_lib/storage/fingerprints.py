"""Fingerprints of code and data: a stored result is used again only if nothing behind it changed.

What a result depends on is not listed by hand. Of a module, the fingerprint follows the imports
to every module of the library that it uses; docstrings and comments do not count, so better prose
throws no result away.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from arise_lib.errors import DataError

#: Folder of the package, whose modules are followed.
PACKAGE = Path(__file__).resolve().parents[1]


def fingerprint(*roots: str | Path, package: Path = PACKAGE) -> str:
    """Hash modules with all that they import from the library, and data files.

    Parameters
    ----------
    *roots : str or pathlib.Path
        A dotted name of a module of the library (``"arise_lib"`` is all of it), or a data file or
        folder (all files in it).
    package : pathlib.Path, optional
        Folder of the package; a copy of it for tests.

    Returns
    -------
    str
        SHA-256 in hexadecimal of the syntax trees without docstrings, of the files' bytes, and of
        the versions of the other packages that these modules import.

    Raises
    ------
    DataError
        If a module or a file is not there.

    Examples
    --------
    >>> from arise_lib.storage import fingerprint
    >>> len(fingerprint("arise_lib.structures.scale"))
    64
    """
    digest = hashlib.sha256()
    modules = sorted(
        {name for root in roots if isinstance(root, str) for name in follow(root, package)}
    )
    others: set[str] = set()
    for name in modules:
        tree, foreign = _module(_file(name, package), _stamp(_file(name, package)))
        others |= foreign
        digest.update(f"{name} {tree}\n".encode())
    for name, path in sorted(_files(root for root in roots if isinstance(root, Path))):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    for name, version in sorted(_versions(frozenset(others))):
        digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()


def follow(root: str, package: Path = PACKAGE) -> frozenset[str]:
    """List a module and all modules of the library that it depends on.

    Parameters
    ----------
    root : str
        Dotted name of a module of the library.
    package : pathlib.Path, optional
        Folder of the package.

    Returns
    -------
    frozenset of str
        Dotted names. Through the face of a package (its ``__init__``) only the names that are
        asked for are followed, all of them where the package itself is imported.

    Raises
    ------
    DataError
        If there is no such module.
    """
    found: set[str] = set()
    waiting = list(_every(package)) if root == "arise_lib" else [root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(_file(name, package), name, package)
    return frozenset(found)


def _every(package: Path) -> Iterator[str]:
    """Dotted names of all modules of the package."""
    for path in package.rglob("*.py"):
        parts = ("arise_lib", *path.relative_to(package).with_suffix("").parts)
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _file(name: str, package: Path) -> Path:
    """File of a module."""
    inside = package.joinpath(*name.split(".")[1:])
    for path in (inside.with_suffix(".py"), inside / "__init__.py"):
        if path.is_file() and name.split(".")[0] == "arise_lib":
            return path
    raise DataError(f"{name} is no module of {package}: name one as arise_lib.structures.scale")


def _is_module(name: str, package: Path) -> bool:
    inside = package.joinpath(*name.split(".")[1:])
    return inside.with_suffix(".py").is_file() or (inside / "__init__.py").is_file()


def _imports(path: Path, name: str, package: Path) -> Iterator[str]:
    """Modules of the library that a module imports, wherever in it."""
    for node in _statements(path):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if _ours(a.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            for alias in node.names:
                yield from _behind(node.module, alias.name, package)


def _behind(module: str, symbol: str, package: Path) -> Iterator[str]:
    """Modules behind one imported name: a submodule, or what a package's face takes it from."""
    submodule = f"{module}.{symbol}"
    if _is_module(submodule, package):
        yield submodule
        return
    path = _file(module, package)
    if path.name == "__init__.py":
        for node in _statements(path):
            if isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
                for alias in node.names:
                    if (alias.asname or alias.name) == symbol:
                        yield from _behind(node.module, alias.name, package)
                        return
        if not _binds(path, symbol):
            raise DataError(f"{submodule} is no module of {package}: restore its file")
    yield module


def _binds(path: Path, symbol: str) -> bool:
    """Tell whether the face of a package makes a name itself, if only at its first use."""
    bound: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
    return bool({symbol, "__getattr__"} & bound)


def _ours(name: str) -> bool:
    return name.split(".")[0] == "arise_lib"


def _statements(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return _parsed(path, _stamp(path))[1]


def _module(path: Path, stamp: tuple[int, int]) -> tuple[str, frozenset[str]]:
    """Hash of a module's syntax tree, and the other packages that it imports."""
    text, statements = _parsed(path, stamp)
    foreign = set()
    for node in statements:
        names = (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
        foreign |= {name.split(".")[0] for name in names if name and not _ours(name)}
    return text, frozenset(foreign)


def _stamp(path: Path) -> tuple[int, int]:
    """Tell one state of a file from another without reading it."""
    state = path.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=1024)
def _parsed(path: Path, stamp: tuple[int, int]) -> tuple[str, list[ast.Import | ast.ImportFrom]]:
    """Hash of a file's syntax tree without docstrings, and its import statements.

    Imports under ``if TYPE_CHECKING`` are not run and do not count.
    """
    tree = ast.parse(path.read_bytes())
    statements: list[ast.Import | ast.ImportFrom] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            statements.append(node)
        waiting += ast.iter_child_nodes(node)
    for node in ast.walk(tree):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), statements


def _files(roots: Iterator[Path]) -> Iterator[tuple[str, Path]]:
    """Files, each with its name as seen from the folder that holds its root."""
    for root in roots:
        if root.is_dir():
            found = (path for path in root.rglob("*") if path.is_file())
            yield from ((path.relative_to(root.parent).as_posix(), path) for path in found)
        elif root.is_file():
            yield root.name, root
        else:
            raise DataError(f"{root} is not there: restore it from the repository (git checkout)")


@lru_cache
def _versions(names: frozenset[str]) -> frozenset[tuple[str, str]]:
    """Versions of packages, by the names that are imported; the standard library has none."""
    found: set[tuple[str, str]] = set()
    for name in names - sys.stdlib_module_names:
        try:
            # Most are called as they are imported, and all others take a third of a second.
            found.add((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found |= {(known, metadata.version(known)) for known in _providers().get(name, ())}
    return frozenset(found)


@lru_cache
def _providers() -> Mapping[str, list[str]]:
    """Installed packages by the names that are imported."""
    return metadata.packages_distributions()
