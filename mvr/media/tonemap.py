"""High dynamic range to standard: one 3D table, applied alike to sampled frames and to proxies.

PQ and HLG code values (ITU-R BT.2100) become light in cd/m2; HLG is shown on a 1,000 cd/m2 display (system gamma
1.2). The roll-off is ITU-R BT.2390-11 section 5.4 (EETF) from 1,000 cd/m2 to the reference white of 203 cd/m2
(ITU-R BT.2408) on the largest component, so that hues stay. Then BT.2020 primaries become BT.709 (ITU-R BT.2087) and
light becomes code values with gamma 2.2, as the screens on which browsers show BT.709 turn them back.

A table because swscale's own conversion takes 2 to 5 s to set up for every file; this one is made once in 0.2 s.
"""

from __future__ import annotations

import atexit
import functools
import os
import tempfile
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

Light = npt.NDArray[np.float64]

REFERENCE_WHITE_NITS = 203.0
PEAK_NITS = 1000.0
_NODES = 33
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073  # ARIB STD-B67
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])
_BT2020_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)  # ITU-R BT.2087-0


class Transfer(StrEnum):
    """How code values map to light."""

    SDR = "sdr"
    PQ = "pq"
    HLG = "hlg"


def pq_to_nits(code: Light) -> Light:
    """SMPTE ST 2084: code values 0..1 to cd/m2.

    >>> pq_to_nits(np.array([0.0, 0.58, 1.0])).round(1)
    array([    0. ,   201.7, 10000. ])
    """
    power = np.power(np.clip(code, 0, 1), 1 / _M2)
    light: Light = 10000 * np.power(np.maximum(power - _C1, 0) / (_C2 - _C3 * power), 1 / _M1)
    return light


def nits_to_pq(nits: Light) -> Light:
    """Inverse of `pq_to_nits`."""
    power = np.power(np.clip(nits, 0, 10000) / 10000, _M1)
    code: Light = np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2)
    return code


def hlg_to_nits(code: Light) -> Light:
    """ARIB STD-B67 code values (..., 3) to light of a 1,000 cd/m2 display, system gamma 1.2 (BT.2100 table 5)."""
    scene = np.where(code <= 0.5, np.square(code) / 3, (np.exp((code - _C) / _A) + _B) / 12)
    luma = np.maximum(scene @ _BT2020_LUMA, 1e-9)[..., None]
    nits: Light = PEAK_NITS * np.power(luma, 0.2) * scene
    return nits


def tone_map(nits: Light) -> Light:
    """BT.2390's roll-off on the largest component of (..., 3) BT.2020 light; 1 is reference white."""
    peak, white = nits_to_pq(np.array(PEAK_NITS)), nits_to_pq(np.array(REFERENCE_WHITE_NITS))
    largest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    code = np.minimum(nits_to_pq(largest) / peak, 1.0)
    most = white / peak
    knee = 1.5 * most - 0.5
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    )  # BT.2390-11, Hermite spline from the knee to the target's white
    mapped = pq_to_nits(np.where(code < knee, code, spline) * peak)
    relative: Light = nits * (mapped / largest) / REFERENCE_WHITE_NITS
    return relative


def to_sdr(code: Light, transfer: Transfer) -> Light:
    """PQ or HLG code values (..., 3) in BT.2020 to BT.709 code values, both 0..1."""
    nits = pq_to_nits(code) if transfer is Transfer.PQ else hlg_to_nits(code)
    light = np.clip(tone_map(nits) @ _BT2020_TO_709.T, 0, 1)
    shown: Light = np.power(light, 1 / 2.2)
    return shown


@functools.cache
def table_path(transfer: Transfer) -> Path:
    """A .cube file (Adobe Cube LUT 1.0, red fastest) of `to_sdr`, made once for each process."""
    axis = np.linspace(0, 1, _NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    rows = to_sdr(np.stack([red, green, blue], axis=-1), transfer).reshape(-1, 3)
    handle, name = tempfile.mkstemp(prefix=f"mvr-{transfer}-", suffix=".cube")
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"LUT_3D_SIZE {_NODES}\n")
        np.savetxt(file, rows, fmt="%.6f")
    return path


def tone_map_filters(transfer: Transfer) -> list[tuple[str, str]]:
    """The libavfilter chain, as (name, options), from PQ or HLG in BT.2020 to RGB in BT.709."""
    path = str(table_path(transfer)).replace("\\", "/").replace(":", r"\:").replace("'", r"\'")
    return [
        ("format", "gbrp16le"),  # swscale applies the matrix of the frame
        ("lut3d", f"file='{path}':interp=tetrahedral"),
        (
            "setparams",
            "color_primaries=bt709:color_trc=bt709:colorspace=gbr",
        ),  # or a later step converts again
    ]
