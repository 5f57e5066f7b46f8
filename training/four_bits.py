"""Word vectors in four bits, for a file that may be small and a table that was already so rounded.

Blocks of 32 numbers share a scale in half precision, and the one farthest from 0 is kept exactly; two numbers lie in a
byte. This is the form in which multilingual-e5-small was at hand (see `multilingual`), so vectors that training kept as
they were lose nothing.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

BLOCK = 32


def pack(table: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Return (rows, columns / 2) bytes and (rows, columns / 32) scales.

    A byte holds a number of the row's first half in its lower four bits and one of the second half in its upper four.
    Raises ValueError when the columns are no multiple of 64.
    """
    rows, columns = table.shape
    if columns % (2 * BLOCK):
        raise ValueError(f"rows of {columns} numbers cannot be packed; their number must be a multiple of {2 * BLOCK}")
    blocks = table.reshape(rows, -1, BLOCK)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(2, keepdims=True), 2)
    scales = (farthest / -8).astype(np.float16)
    steps = np.where(scales == 0, 1, scales).astype(np.float32)
    levels = np.clip(np.round(blocks / steps), -8, 7).reshape(rows, columns).astype(np.int8) + 8
    lower, upper = np.split(levels.astype(np.uint8), 2, axis=1)
    return (lower | upper << np.uint8(4)).astype(np.uint8), scales[:, :, 0]


def unpack(packed: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return the (rows, columns) numbers of packed ones."""
    levels = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    return (levels.reshape(len(packed), -1, BLOCK) * scales[:, :, None].astype(np.float32)).reshape(levels.shape)


def gather(table: onnx.TensorProto, indices: str, out: str) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """Return the constants and the operations that look rows of a float32 table up, as those of its packed form."""
    name = table.name
    packed, scales = pack(numpy_helper.to_array(table))
    constants: dict[str, NDArray[Any]] = {
        f"{name}_packed": packed,
        f"{name}_scales": scales,
        f"{name}_lower": np.array(15, np.uint8),
        f"{name}_four": np.array(4, np.uint8),
        f"{name}_zero": np.array(8, np.float32),
        f"{name}_blocks": np.array([0, 0, -1, BLOCK], np.int64),
        f"{name}_row": np.array([0, 0, -1], np.int64),
        f"{name}_last": np.array([-1], np.int64),
    }
    nodes = [
        ("Gather", [f"{name}_packed", indices], "bytes"),
        ("BitwiseAnd", [f"{out}_bytes", f"{name}_lower"], "first"),
        ("BitShift", [f"{out}_bytes", f"{name}_four"], "second"),
        ("Concat", [f"{out}_first", f"{out}_second"], "levels"),
        ("Cast", [f"{out}_levels"], "float"),
        ("Sub", [f"{out}_float", f"{name}_zero"], "steps"),
        ("Reshape", [f"{out}_steps", f"{name}_blocks"], "blocks"),
        ("Gather", [f"{name}_scales", indices], "half"),
        ("Cast", [f"{out}_half"], "scale"),
        ("Unsqueeze", [f"{out}_scale", f"{name}_last"], "wide"),
        ("Mul", [f"{out}_blocks", f"{out}_wide"], "scaled"),
        ("Reshape", [f"{out}_scaled", f"{name}_row"], ""),
    ]
    more: dict[str, dict[str, Any]] = {
        "Cast": {"to": onnx.TensorProto.FLOAT},
        "BitShift": {"direction": "RIGHT"},
        "Concat": {"axis": -1},
    }
    made = [
        helper.make_node(kind, inputs, [f"{out}_{made}" if made else out], **more.get(kind, {}))
        for kind, inputs, made in nodes
    ]
    return [numpy_helper.from_array(value, key) for key, value in constants.items()], made
