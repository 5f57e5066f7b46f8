import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

four_bits = pytest.importorskip("training.four_bits", reason='needs pip install -e ".[train]"')
TABLES = arrays(np.float32, (3, 128), elements=st.floats(-60, 60, width=16))


@given(TABLES)
def test_a_number_is_at_most_a_step_off_and_the_farthest_of_a_block_hardly_at_all(table: NDArray[np.float32]) -> None:
    unpacked = four_bits.unpack(*four_bits.pack(table))
    blocks, again = table.reshape(3, -1, four_bits.BLOCK), unpacked.reshape(3, -1, four_bits.BLOCK)
    farthest = np.abs(blocks).max(2, keepdims=True)
    # Above the farthest on its other side there are seven steps, not eight: a number there may be a whole step off.
    assert (np.abs(again - blocks) <= farthest / 8 * 1.01 + 1e-3).all()
    at = np.abs(blocks).argmax(2, keepdims=True)
    kept = np.take_along_axis(again, at, 2)
    assert kept == pytest.approx(np.take_along_axis(blocks, at, 2), rel=2e-3, abs=1e-3)


@given(TABLES)
def test_what_was_packed_once_loses_nothing(table: NDArray[np.float32]) -> None:
    once = four_bits.unpack(*four_bits.pack(table))
    assert np.array_equal(four_bits.unpack(*four_bits.pack(once)), once)


def test_a_table_of_other_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="rows of 96 numbers cannot be packed; their number must be a multiple of 64"):
        four_bits.pack(np.zeros((2, 96), np.float32))


def test_a_file_looks_the_same_rows_up() -> None:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    table = np.random.default_rng(0).normal(size=(50, 128)).astype(np.float32)
    constants, nodes = four_bits.gather(numpy_helper.from_array(table, "words"), "ids", "out")
    graph = helper.make_graph(
        nodes,
        "lookup",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [None, None])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, None, 128])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    ids = np.array([[3, 49, 0], [7, 7, 12]])
    (rows,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"ids": ids})
    assert np.array_equal(rows, four_bits.unpack(*four_bits.pack(table))[ids])
