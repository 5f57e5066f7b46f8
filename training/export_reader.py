"""Writes the reader's folder that ships: an int8 ONNX file, the tokenizer and the configuration."""

import argparse
import shutil
from pathlib import Path

import onnx

from training.export import export_onnx, quantise, without_notes
from training.network import load_reader
from training.restore import restore_reader
from training.soup import average

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start", "end")
LARGEST_BYTES = 26_000_000
# A reader of all twelve layers, with its word vectors in four bits.
LARGEST_BYTES_OF_TWELVE_LAYERS = 34_000_000


def round_as_it_runs(path: Path) -> None:
    """Round the matrices of an ONNX file to integers, and have it round what they are multiplied with as it runs.

    Seven bits, as in training: older processors add products of two eights in sixteen bits, where they overflow.
    """
    # It brings its own loggers and is wanted for this step alone.
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        path, path, op_types_to_quantize=["MatMul"], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )


def export(
    trained: Path, out: Path, *, shipped: Path | None = None, share: float = 0.5, words_in_four_bits: bool = False
) -> None:
    """Write `out` from a folder of training.reader, averaged with the reader of the folder `shipped` if there is one.

    `share` is what the trained weights count in that mean; `words_in_four_bits` makes a larger reader fit.

    Raises ValueError when the file is too large to ship.
    """
    reader = load_reader(trained)
    if shipped is not None:
        reader.load_state_dict(average(reader.state_dict(), restore_reader(shipped).state_dict(), share))
    out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(trained / name, out / name)
    target = out / "model_int8.onnx"
    export_onnx(reader, target, inputs=INPUTS, outputs=OUTPUTS)
    round_as_it_runs(target)
    # After the matrices only the tables are left in float32.
    model = onnx.load(target)
    quantise(model, words_in_four_bits=words_in_four_bits)
    without_notes(model)
    onnx.save(model, target)
    size = target.stat().st_size
    most = LARGEST_BYTES_OF_TWELVE_LAYERS if words_in_four_bits else LARGEST_BYTES
    if size > most:
        raise ValueError(f"{target} has {size:,} bytes, more than {most:,}")


def main() -> None:
    """Export a trained folder and print the sizes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trained", type=Path, required=True, help="folder made by training.reader")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--average-with", type=Path, help="folder of a shipped reader that the training went on from")
    options.add_argument("--share", type=float, default=0.5, help="what the trained weights count in that mean")
    options.add_argument("--words-in-four-bits", action="store_true", help="for a reader of all twelve layers")
    arguments = options.parse_args()
    export(
        arguments.trained,
        arguments.out,
        shipped=arguments.average_with,
        share=arguments.share,
        words_in_four_bits=arguments.words_in_four_bits,
    )
    for path in sorted(arguments.out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")  # noqa: T201


if __name__ == "__main__":
    main()
