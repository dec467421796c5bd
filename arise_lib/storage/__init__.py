"""What every room needs and no scientist reads: folders, files, caches, executors.

`paths` knows the folders, `external` the published data, `cache` the derived results,
`jsonl` tables that grow by a row, `parallel` where long work runs.
"""

from arise_lib.storage.cache import (
    Arrays,
    atomic_write,
    cached,
    load_arrays,
    locked,
    save_arrays,
)
from arise_lib.storage.external import available, data_dir, fetch, registry
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
