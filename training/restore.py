"""Reads a reader's shipped ONNX file back into the network it was made of, so that training can go on from it."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import BertConfig, BertModel

from training.four_bits import unpack
from training.network import SpanReader

LAYER = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


def restore_reader(folder: Path) -> SpanReader:
    """Return the reader of a folder that `training.export_reader` wrote, with the weights as they were rounded.

    Raises ValueError when the file does not hold the network that the folder's config.json describes.
    """
    reader = SpanReader(BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False))
    graph = onnx.load(folder / "model_int8.onnx").graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights: dict[str, NDArray[np.float32]] = {
        name: values
        for name, values in arrays.items()
        if name.startswith(("body.", "head.")) and values.dtype == np.float32
    }
    for table in ("word", "position"):
        name = f"body.embeddings.{table}_embeddings.weight"
        if f"{name}_packed" in arrays:
            values = unpack(arrays[f"{name}_packed"], arrays[f"{name}_scales"])
        else:
            values = arrays[f"{name}_int8"].astype(np.float32) * arrays[f"{name}_scales"]
        # What the file looks its rows up with is no weight.
        weights = {key: value for key, value in weights.items() if not key.startswith(f"{name}_")} | {name: values}
    # The matrices have numbers for names; products stand in the file in the order of the network.
    layers = reader.body.config.num_hidden_layers
    names = [f"body.encoder.layer.{i}.{part}.weight" for i in range(layers) for part in LAYER] + ["head.weight"]
    products = [matrix for node in graph.node if (matrix := _matrix(node, arrays)) is not None]
    if len(products) != len(names):
        raise ValueError(f"{folder} holds {len(products)} matrices, not {len(names)}")
    weights |= dict(zip(names, products, strict=True))
    state = {name: torch.from_numpy(values.copy()) for name, values in weights.items()}
    missing, unknown = reader.load_state_dict(state, strict=False)
    if unknown or set(missing) - {"body.embeddings.position_ids"}:
        raise ValueError(f"{folder} lacks {missing} or holds unknown {unknown}")
    return reader.eval()


def _matrix(node: onnx.NodeProto, arrays: dict[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """Return the constant matrix that a node multiplies with, (outputs, inputs), None when it has none."""
    if node.op_type == "MatMul" and f"{node.input[1]}_int8" in arrays:
        return (arrays[f"{node.input[1]}_int8"].astype(np.float32) * arrays[f"{node.input[1]}_scales"]).T
    if node.op_type == "MatMulInteger" and node.input[1] in arrays:
        scale = arrays[node.input[1].removesuffix("_quantized") + "_scale"]
        zero = arrays.get(node.input[3], np.float32(0)) if len(node.input) > 3 else np.float32(0)
        values = arrays[node.input[1]].astype(np.float32) - np.asarray(zero, np.float32)
        return (values * scale).T.astype(np.float32)
    return None
