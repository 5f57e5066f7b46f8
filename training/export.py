"""Writes the folder that ships: half-precision weights for sentence-transformers, and an int8 ONNX file of the same."""

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import BertModel

from training.four_bits import gather
from training.soup import average

FILES = ("tokenizer.json", "tokenizer_config.json", "modules.json", "sentence_bert_config.json", "config.json")


class Sentence(torch.nn.Module):
    """Token ids to one unit vector: the body, mean pooling and normalisation in one graph."""

    def __init__(self, body: BertModel) -> None:
        super().__init__()
        self.body = body

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return unit vectors, (texts, dimensions)."""
        states = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)


def export_onnx(
    module: torch.nn.Module,
    path: Path,
    *,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
    outputs: tuple[str, ...] = ("vectors",),
) -> None:
    """Write a float32 ONNX file with free numbers of texts and tokens; every input is (texts, tokens) of ids."""
    ids = torch.ones((2, 7), dtype=torch.long)
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=512)
    shape = {0: batch, 1: length}
    torch.onnx.export(
        module,
        tuple(torch.ones_like(ids) for _ in inputs),
        path,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=(shape,) * len(inputs),
        dynamo=True,
        external_data=False,
        # The first that has GELU as one operation: in five, it took a tenth of the time of a passage.
        opset_version=20,
    )


def to_int8(values: NDArray[np.float32], *, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return rounded values and their scales, one for each line along `axis`."""
    scales = np.maximum(np.abs(values).max(axis, keepdims=True), 1e-8).astype(np.float32) / 127
    return np.round(values / scales).astype(np.int8), scales


def quantise(model: onnx.ModelProto, *, words_in_four_bits: bool = False) -> None:
    """Store every large table and matrix as int8: embeddings with one scale a row, products with one a column.

    With `words_in_four_bits` the largest table, of the word vectors, is stored so instead (see `four_bits`).

    Only the weights are rounded. Rounding the activations too, as dynamic quantisation does, cost a cosine of 0.98 on
    single sentences; onnxruntime folds the two added operations away when it loads the file.
    """
    graph = model.graph
    weights = {t.name: t for t in graph.initializer if t.data_type == TensorProto.FLOAT and len(t.dims) == 2}
    for at in range(len(graph.node) - 1, -1, -1):
        node = graph.node[at]
        position = {"Gather": 0, "MatMul": 1}.get(node.op_type)
        if position is None or node.input[position] not in weights:
            continue
        table = weights[node.input[position]]
        if table.dims[0] < 256:
            continue
        name = table.name
        if words_in_four_bits and "word_embeddings" in name:
            constants, parts = gather(table, node.input[1], node.output[0])
            graph.initializer.remove(table)
            graph.initializer.extend(constants)
            graph.node.remove(node)
            for offset, part in enumerate(parts):
                graph.node.insert(at + offset, part)
            continue
        small, scales = to_int8(numpy_helper.to_array(table), axis=1 - position)
        graph.initializer.remove(table)
        graph.initializer.append(numpy_helper.from_array(small, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scales"))
        if node.op_type == "MatMul":
            parts = [
                helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{name}_float", f"{name}_scales"], [name]),
            ]
        else:
            indices, out = node.input[1], node.output[0]
            graph.node.remove(node)
            parts = [
                helper.make_node("Gather", [f"{name}_int8", indices], [f"{out}_int8"], axis=0),
                helper.make_node("Cast", [f"{out}_int8"], [f"{out}_float"], to=TensorProto.FLOAT),
                helper.make_node("Gather", [f"{name}_scales", indices], [f"{out}_scale"], axis=0),
                helper.make_node("Mul", [f"{out}_float", f"{out}_scale"], [out]),
            ]
        for offset, part in enumerate(parts):
            graph.node.insert(at + offset, part)


def without_notes(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes, which name the folders of the machine and take a megabyte; outputs stay the same."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.value_info[:]


def export(trained: Path, out: Path, *, earlier: Path | None = None, share: float = 0.5) -> None:
    """Write `out` from a trained sentence-transformers folder, averaged with the folder `earlier` if there is one.

    `share` is what the trained weights count in that mean.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(trained / name, out / name)
    shutil.copytree(trained / "1_Pooling", out / "1_Pooling", dirs_exist_ok=True)
    weights = load_file(trained / "model.safetensors")
    if earlier is not None:
        weights = average(weights, load_file(earlier / "model.safetensors"), share)
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    save_file(halves, out / "model.safetensors", metadata={"format": "pt"})

    # The ONNX file is made from the rounded weights, so that both files of the folder hold the same numbers.
    body = BertModel.from_pretrained(out, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32)
    target = out / "model_int8.onnx"
    export_onnx(Sentence(body).eval(), target)
    model = onnx.load(target)
    quantise(model)
    without_notes(model)
    onnx.save(model, target)


def main() -> None:
    """Export a trained folder and print the sizes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trained", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--average-with", type=Path, help="folder that the training went on from")
    options.add_argument("--share", type=float, default=0.5, help="what the trained weights count in that mean")
    arguments = options.parse_args()
    export(arguments.trained, arguments.out, earlier=arguments.average_with, share=arguments.share)
    for path in sorted(arguments.out.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>12,}  {path.relative_to(arguments.out)}")  # noqa: T201


if __name__ == "__main__":
    main()
