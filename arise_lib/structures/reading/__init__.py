"""Reading structure files: each as what it is, or not at all.

`formats` lists what is read and tells one format from another, `files` unpacks and decodes, `words`
converts numbers and species. The readers, one for each kind of file: `xyz`, `aims`, `cif`,
`lammps`, `poscar`, `pdb`, `programs` (GROMACS, DL_POLY, CASTEP, SHELX, XCrySDen), `data_json`, and
`others`, which are left to ASE behind guards. `frames` is what they return, `read` what users call.
"""

from arise_lib.structures.reading.formats import FORMATS, format_names
from arise_lib.structures.reading.frames import OCCUPANCIES
from arise_lib.structures.reading.read import (
    Source,
    described,
    load_structure,
    read_frames,
    read_source,
    read_structure,
)

__all__ = [
    "FORMATS",
    "OCCUPANCIES",
    "Source",
    "described",
    "format_names",
    "load_structure",
    "read_frames",
    "read_source",
    "read_structure",
]
