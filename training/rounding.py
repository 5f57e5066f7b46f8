"""Rounding in training as the shipped file rounds: the network learns to answer well with int8 numbers."""

import torch
from torch.nn import functional

# Seven bits: on processors without the newer integer instructions a sum of two products of eight would overflow.
LARGEST_WEIGHT = 63


def round_straight_through(values: torch.Tensor) -> torch.Tensor:
    """Return whole numbers, with the gradients of the values (the straight-through estimator, Bengio et al. 2013)."""
    return values + (values.round() - values).detach()


def rounded_weights(weights: torch.Tensor) -> torch.Tensor:
    """Return weights, (outputs, inputs), at the steps of one scale an output."""
    scales = weights.detach().abs().amax(1, keepdim=True).clamp_min(1e-8) / LARGEST_WEIGHT
    return round_straight_through(weights / scales) * scales


def rounded_inputs(values: torch.Tensor) -> torch.Tensor:
    """Return activations, (texts, tokens, dimensions), at 256 steps between the least and the greatest of each text."""
    # Half precision has too few digits for 256 steps.
    values = values.float()
    low = values.detach().amin((1, 2), keepdim=True).clamp_max(0)
    high = values.detach().amax((1, 2), keepdim=True).clamp_min(0)
    scales = ((high - low) / 255).clamp_min(1e-8)
    zero = (-low / scales).round()
    return ((round_straight_through(values / scales) + zero).clamp(0, 255) - zero) * scales


class RoundedLinear(torch.nn.Linear):
    """A linear layer that can be told to compute with rounded weights and inputs."""

    rounding = False

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, (texts, tokens, outputs)."""
        if not self.rounding:
            return functional.linear(values, self.weight, self.bias)
        return functional.linear(rounded_inputs(values), rounded_weights(self.weight), self.bias)


def set_rounding(network: torch.nn.Module, rounding: bool) -> None:
    """Let every linear layer of a network compute with rounded numbers, or exactly."""
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            module.__class__ = RoundedLinear
        if isinstance(module, RoundedLinear):
            module.rounding = rounding
