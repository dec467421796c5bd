"""What every room needs and no scientist reads: folders, files, caches, executors.

`paths` knows the folders, `files` how files are written, `external` the published data,
`checksums` the project's own tables, `cache` the derived results, `fingerprints` what they depend
on, `jsonl` tables that grow by a row, `ledger` what a notebook used and wrote, `parallel` where
long work runs.
"""

from arise_lib.storage.cache import Arrays, cached, load_arrays, save_arrays
from arise_lib.storage.external import available, data_dir, fetch, registry
from arise_lib.storage.files import atomic_write, locked
from arise_lib.storage.fingerprints import fingerprint

__all__ = [
    "Arrays",
    "atomic_write",
    "available",
    "cached",
    "data_dir",
    "fetch",
    "fingerprint",
    "load_arrays",
    "locked",
    "registry",
    "save_arrays",
]
