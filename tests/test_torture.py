"""A small share of `make torture`."""

import os
from pathlib import Path

import pytest
from benchmarks import torture

posix = pytest.mark.skipif(os.name != "posix", reason="processes are killed and locked as on POSIX")


@posix
def test_a_killed_build_leaves_the_old_or_the_new_index(tmp_path: Path) -> None:
    assert "none a half" in torture.kills(tmp_path, count=3, seed=1, documents=4)


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    assert torture.flips(tmp_path, count=60, seed=1).startswith("60 bit flips over 15 files")


@posix
def test_a_second_builder_is_refused(tmp_path: Path) -> None:
    assert "the first ends well" in torture.two_builders(tmp_path)


@posix
def test_a_stopped_build_goes_on(tmp_path: Path) -> None:
    assert "embeds the other" in torture.resumed(tmp_path)
