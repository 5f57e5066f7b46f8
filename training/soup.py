"""The mean of two networks' weights (Wortsman et al. 2022, "Model soups"), one trained on from the other.

It may be better than either, and keeps more of what the earlier one knew: see the tables in training/README.md.
"""

from collections.abc import Mapping

import torch


def average(
    weights: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Return the mean of two networks' weights, the first by their `share`; whole numbers are the first's."""
    return {
        name: tensor * share + other[name].to(tensor) * (1 - share) if tensor.is_floating_point() else tensor
        for name, tensor in weights.items()
    }
