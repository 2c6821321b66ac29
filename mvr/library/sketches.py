"""Short forms of tracks' signatures, by which the nearest few are found exactly without reading all signatures.

A signature is told by its places along a few axes and the length of what lies beside them: 33 numbers for 288. The
inner product of two such sketches is never less than that of the signatures (Cauchy and Schwarz for what lies beside),
so signatures are read best bound first, and no more of them once the bounds fall below what was found. The axes are
those along which the library's own signatures lie; any orthonormal ones would be right, these leave little beside them.

Sketches are kept in the catalogue, block by block, and written with the item that they are of, so that adding a file to
100,000 tracks reads a tenth of what it would without them, in rows of 64, and a handful of signatures.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mvr.config.sqlite import ONE_OF, listed
from mvr.library.rows import insert

_AXES = 32
_FIT_ROWS = 512  # fewer signatures are read one and all; from here on axes are fitted whenever there are twice as many
_SAMPLE_ROWS = 4096  # that axes are fitted to
_BLOCK_ROWS = 64  # of one row of the table: adding a track writes one anew
_READ_ROWS = 4096

Rows = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Sketches:
    """Of all tracks that have a signature, and of some that are gone.

    Attributes:
        fitted: rows that there were when the axes were fitted.
        axes: (A, W) orthonormal.
        positions: (N,) of the items in the catalogue's order.
        values: (N, A + 1) sketches.
        blocks: how many rows of the table they come from.
    """

    fitted: int
    axes: Rows
    positions: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    values: Rows
    blocks: int = 0

    def bounds(self, signature: bytes) -> Rows:
        """(N,) what the inner products of a signature with all others are at most, but for rounding (1e-6)."""
        if not len(self.values):
            return np.zeros(0, np.float32)
        bounds: Rows = self.values @ sketch(np.frombuffer(signature, np.float32)[None], self.axes)[0]
        return bounds


def sketch(rows: Rows, axes: Rows) -> Rows:
    """(n, A + 1) float32 sketches of rows (n, W): places along the axes, and the length beside them."""
    rows, axes = rows.astype(np.float64), axes.astype(np.float64)  # the difference below cancels
    along = rows @ axes.T
    beside = np.einsum("nw,nw->n", rows, rows) - np.einsum("na,na->n", along, along)
    return np.column_stack([along, np.sqrt(np.maximum(beside, 0))]).astype(np.float32)


def fit_axes(rows: Rows) -> Rows:
    """(A, W) axes along which rows (n, W) mostly lie; none for a few rows."""
    if len(rows) < _FIT_ROWS:
        return np.zeros((0, rows.shape[1]), np.float32)
    axes: Rows = np.linalg.eigh(rows.T.astype(np.float64) @ rows)[1][:, ::-1].T[:_AXES].astype(np.float32)
    return axes


def add_sketch(connection: sqlite3.Connection, position: int, signature: bytes) -> None:
    """Write the sketch of a new track; nothing where none were made yet (`read_sketches` makes them all)."""
    kept = connection.execute("SELECT * FROM sketch_axes").fetchone()
    if kept is None:
        return
    row = np.frombuffer(signature, np.float32)[None]
    positions, values = np.array([position], np.int64), sketch(row, _array(kept["axes"], row.shape[1]))
    last = connection.execute("SELECT * FROM sketches ORDER BY number DESC LIMIT 1").fetchone()
    if last is None or len(last["positions"]) >= 8 * _BLOCK_ROWS:
        insert(connection, "sketches", {"positions": positions.tobytes(), "sketches": values.tobytes()})
        return
    connection.execute(
        "UPDATE sketches SET positions = ?, sketches = ? WHERE number = ?",
        (last["positions"] + positions.tobytes(), last["sketches"] + values.tobytes(), last["number"]),
    )


def read_sketches(connection: sqlite3.Connection, held: Sketches | None = None) -> Sketches:
    """All sketches, made where they are not there yet or the library has twice as many as its axes were fitted to.

    Args:
        connection: of the library's one writer.
        held: read before; only what came since is read.
    """
    kept = connection.execute("SELECT * FROM sketch_axes").fetchone()
    if kept is None:
        return _make(connection)
    if held is None or held.fitted != kept["fitted"]:
        axes = _array(kept["axes"], kept["width"])
        held = Sketches(fitted=kept["fitted"], axes=axes, values=np.zeros((0, len(axes) + 1), np.float32))
    whole = max(held.blocks - 1, 0)  # the last block that was read may be longer now
    known = whole * _BLOCK_ROWS
    new = connection.execute("SELECT * FROM sketches WHERE number > ? ORDER BY number", (whole,)).fetchall()
    positions = np.frombuffer(b"".join(block["positions"] for block in new), np.int64)
    values = _array(b"".join(block["sketches"] for block in new), len(held.axes) + 1)
    if len(positions) + known >= 2 * max(held.fitted, _FIT_ROWS // 2):
        return _make(connection)
    return Sketches(
        fitted=held.fitted,
        axes=held.axes,
        positions=np.concatenate([held.positions[:known], positions]),
        values=np.concatenate([held.values[:known], values]),
        blocks=whole + len(new),
    )


def signatures_at(connection: sqlite3.Connection, positions: npt.NDArray[np.int64]) -> list[sqlite3.Row]:
    """(id, position, signature, removed_at) of the tracks at some positions that have a signature."""
    query = f"SELECT id, position, signature, removed_at FROM items WHERE position IN {ONE_OF}"
    return connection.execute(f"{query} AND signature IS NOT NULL", (listed(positions.tolist()),)).fetchall()


def _make(connection: sqlite3.Connection) -> Sketches:
    """Fit axes and sketch every signature."""
    query = "SELECT position FROM items WHERE signature IS NOT NULL ORDER BY position"
    positions = np.array([row["position"] for row in connection.execute(query)], np.int64)
    if not len(positions):
        return Sketches(fitted=0, axes=np.zeros((0, 0), np.float32), values=np.zeros((0, 1), np.float32))
    places = np.linspace(0, len(positions) - 1, min(len(positions), _SAMPLE_ROWS)).astype(int)
    sample = _rows(connection, positions[places])[1]
    axes = fit_axes(sample)
    connection.execute("DELETE FROM sketches")
    connection.execute("DELETE FROM sketch_axes")
    kept = {"fitted": len(positions), "width": sample.shape[1], "axes": axes.tobytes()}
    insert(connection, "sketch_axes", kept)
    found = []
    for at in range(0, len(positions), _READ_ROWS):
        here, rows = _rows(connection, positions[at : at + _READ_ROWS])
        found.append((here, sketch(rows, axes)))
    here, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    blocks = [
        {
            "positions": here[at : at + _BLOCK_ROWS].tobytes(),
            "sketches": values[at : at + _BLOCK_ROWS].tobytes(),
        }
        for at in range(0, len(here), _BLOCK_ROWS)
    ]
    insert(connection, "sketches", *({"number": n, **block} for n, block in enumerate(blocks, 1)))
    return Sketches(fitted=len(positions), axes=axes, positions=here, values=values, blocks=len(blocks))


def _rows(
    connection: sqlite3.Connection, positions: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Rows]:
    found = sorted(signatures_at(connection, positions), key=lambda row: row["position"])
    width = len(found[0]["signature"]) // 4
    signatures = b"".join(row["signature"] for row in found)
    return np.array([row["position"] for row in found], np.int64), _array(signatures, width)


def _array(values: bytes, width: int) -> Rows:
    """(n, width) float32."""
    return (
        np.frombuffer(values, np.float32).reshape(-1, width) if values else np.zeros((0, width), np.float32)
    )
