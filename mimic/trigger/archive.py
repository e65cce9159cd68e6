"""Reading the arrays of a trigger file within bounds, and what each of them must be."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mimic.datasets.npz import Member
from mimic.datasets.zip_file import open_zip
from mimic.errors import TriggerError
from mimic.paths import open_regular
from mimic.printable import shown

MAX_TRIGGER_BYTES = 64 * 2**20
MAX_MEMBERS = 64
MAX_LIST_BYTES = 64 * 2**10


def read_arrays(path: Path, keys: Iterable[str]) -> dict[str, np.ndarray]:
    """Those of the named arrays that an ``.npz`` holds, read without pickle.

    Raises:
        TriggerError: if the file is missing, damaged, too large, or needs pickle.
    """
    if not path.is_file():
        raise TriggerError(f"There is no trigger file '{shown(path.name)}'.", "Check the path.")
    with open_regular(path, TriggerError) as file:
        demand_small(os.fstat(file.fileno()).st_size)
        return arrays_of(file, shown(path.name), keys)


def arrays_of(file: BinaryIO, name: str, keys: Iterable[str]) -> dict[str, np.ndarray]:
    """Those of the named arrays that an open ``.npz`` holds.

    Raises:
        TriggerError: as ``read_arrays``.
    """
    try:
        with open_zip(file, MAX_LIST_BYTES) as archive:
            check_sizes(archive)
            held = set(archive.namelist())
            found = {key: archive.getinfo(f"{key}.npy") for key in keys if f"{key}.npy" in held}
            return {key: Member(archive, found[key], name).read() for key in found}
    except TriggerError:
        raise
    except Exception as error:  # A hostile archive can raise nearly anything; all mean refusal.
        raise TriggerError(
            f"'{name}' cannot be read as a trigger.",
            "A trigger is an .npz with the arrays t and tm, written without pickle.",
        ) from error


def check_sizes(archive: zipfile.ZipFile) -> None:
    """Refuse archives that unpack to much, or hold one name twice."""
    members = archive.infolist()
    declared = sum(info.file_size for info in members)
    demand_small(declared, "unpacks to")
    if len(members) > MAX_MEMBERS or len({info.filename for info in members}) < len(members):
        raise TriggerError(
            "The trigger file holds one array twice, or too many arrays.",
            "Write it anew with numpy.savez.",
        )


def demand_small(size: int, has: str = "has") -> None:
    """Refuse more bytes than any trigger needs, stored or unpacked.

    Raises:
        TriggerError: naming how many they are.
    """
    if size > MAX_TRIGGER_BYTES:
        raise TriggerError(
            f"The trigger file {has} {size / 2**20:.0f} MiB.",
            "A trigger needs well below 64 MiB; check that this is the right file.",
        )


def values(arrays: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    """An array of finite numbers.

    Raises:
        TriggerError: if it holds anything else.
    """
    array = arrays[key]
    # As doubles: a longer number can be finite and still too large to compute with.
    with np.errstate(over="ignore"):
        finite = array.dtype.kind in "fiub" and np.isfinite(array.astype(np.float64)).all()
    if not finite:
        raise TriggerError(
            f"The trigger's {key} holds something other than finite numbers.",
            "Save the trigger again with MIMIC Studio.",
        )
    return array


def number(arrays: Mapping[str, np.ndarray], key: str) -> float:
    """A single finite number."""
    array = values(arrays, key)
    if array.shape != ():
        raise TriggerError(
            f"The trigger's {key} is not one number.", "Save the trigger again with MIMIC Studio."
        )
    return float(array)


def picture(arrays: Mapping[str, np.ndarray], key: str, channels: int) -> np.ndarray:
    """A picture, uint8 (h, w, channels)."""
    array = arrays[key]
    good = array.ndim == 3 and array.shape[-1] == channels and array.size > 0
    if not good or array.dtype != np.uint8:
        raise TriggerError(
            f"The trigger's {key} is {array.dtype} of shape {array.shape}.",
            f"Store it as uint8 (height, width, {channels}).",
        )
    return array
