"""A fitted model as one `.npz`: written whole or not at all, mapped rather than read, and never a pickle.

An `.npz` is a zip of `.npy` files. Ours are stored, not packed, and each begins at a multiple of 64 bytes, so that a
server's processes share one copy of the numbers in the page cache and scipy may use them in place. `numpy.load` reads
the same file.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids

ALIGNMENT = 64
LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # ends with the lengths of the name and of the extra field
PADDING = 0xD935  # the id by which zip tools know an extra field that only aligns
MANIFEST = "manifest"


def write(path: Path, kind: str, params: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Save `state`: arrays, CSR matrices, `Ids`, and whatever JSON holds. Raises InvalidInput for anything else."""
    arrays: dict[str, NDArray[Any]] = {}
    plain: dict[str, Any] = {}
    for name, value in state.items():
        match value:
            case np.ndarray():
                arrays[name] = value
            case Ids():
                arrays |= {f"{name}.{part}": array for part, array in _of_ids(value).items()}
            case sparse.csr_matrix() | sparse.csr_array():
                arrays |= {f"{name}.{part}": getattr(value, part) for part in ("data", "indices", "indptr")}
                arrays[f"{name}.shape"] = np.array(value.shape)
            case _:
                plain[name] = value
    manifest = json.dumps({"kind": kind, "params": dict(params), "state": plain}, default=_plain)
    arrays[MANIFEST] = np.frombuffer(manifest.encode(), dtype=np.uint8)
    _write_zip(path, arrays)


def read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the state that `write` was given; arrays are read-only maps of the file.

    Raises InvalidInput for a file that is cut short, is no archive, or holds another kind of model.
    """
    try:
        arrays = _map_zip(path)
        manifest = json.loads(arrays.pop(MANIFEST).tobytes())
    except (zipfile.BadZipFile, KeyError, ValueError, struct.error) as error:
        raise InvalidInput(f"{path} is no saved model, or is cut short: fit and save it anew.") from error
    if manifest["kind"] != kind:
        raise InvalidInput(f"{path} holds a model of kind {manifest['kind']}, not {kind}.")
    state: dict[str, Any] = manifest["state"]
    for name, array in arrays.items():
        whole, _, part = name.partition(".")
        if not part:
            state[whole] = array
        elif part == "shape":
            data, indices, indptr = (arrays[f"{whole}.{each}"] for each in ("data", "indices", "indptr"))
            state[whole] = sparse.csr_matrix((data, indices, indptr), shape=tuple(array), copy=False)
        elif part == "text":
            state[whole] = _to_ids(array, arrays[f"{whole}.ends"])
    return manifest["params"], state


def _plain(value: Any) -> Any:
    """A numpy scalar as the number it is."""
    if isinstance(value, np.generic):
        return value.item()
    raise InvalidInput(
        f"{value!r} cannot be saved: its type {type(value).__name__} is neither an array nor plain data."
    )


def _of_ids(ids: Ids) -> dict[str, NDArray[Any]]:
    encoded = [name.encode("utf-8", "surrogatepass") for name in ids]
    text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return {"text": text, "ends": np.cumsum([len(name) for name in encoded], dtype=np.int64)}


def _to_ids(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> Ids:
    whole, begin, names = text.tobytes(), 0, []
    for end in ends.tolist():
        names.append(whole[begin:end].decode("utf-8", "surrogatepass"))
        begin = end
    return Ids(names)


def _write_zip(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for name, array in arrays.items():
                    member = zipfile.ZipInfo(f"{name}.npy")
                    # A member of unknown size gets a ZIP64 field of 20 bytes beside ours.
                    begin = file.tell() + LOCAL_HEADER.size + len(member.filename) + 4 + 20
                    padding = -begin % ALIGNMENT
                    member.extra = struct.pack("<HH", PADDING, padding) + bytes(padding)
                    with archive.open(member, "w", force_zip64=True) as target:
                        np.lib.format.write_array(target, np.ascontiguousarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _map_zip(path: Path) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            file.seek(member.header_offset)
            *_, name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
            file.seek(name_length + extra_length, os.SEEK_CUR)
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read_header(file)
            if dtype.hasobject or fortran:
                raise ValueError(f"{member.filename} was not written here")
            name = member.filename.removesuffix(".npy")
            if 0 in shape:  # an empty file range cannot be mapped
                arrays[name] = np.empty(shape, dtype)
            else:
                arrays[name] = np.memmap(path, dtype=dtype, mode="r", offset=file.tell(), shape=shape)
    return arrays
