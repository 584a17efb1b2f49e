"""Folded normalisation computes what the network in evaluation mode computes, gradients too."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from vsearch_lib.encoder import backbones
from vsearch_lib.training.batch_norm import folded_batch_norm


def network(backbone: str) -> nn.Module:
    """Return a backbone in float64 whose statistics, scales and shifts are not those that it is made with."""
    generator = torch.Generator().manual_seed(2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        built = backbones.build(backbone, side=64).network.double()
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 2),
                (module.bias.data, -0.5, 0.5),
            ):
                values.uniform_(low, high, generator=generator)
    return built.eval()


def squares() -> torch.Tensor:
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def outputs_and_gradients(model: nn.Module) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    outputs = model(squares())
    weights = dict(model.named_parameters())
    direction = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view_as(outputs)
    return outputs, dict(zip(weights, torch.autograd.grad((outputs * direction).sum(), weights.values()), strict=True))


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "mobilenetv2_100", "resnet18", "mobilenet_v3_small"])
def test_vectors_and_gradients_are_those_of_the_network_in_evaluation_mode(backbone):
    model = network(backbone)
    expected, expected_gradients = outputs_and_gradients(model)
    with folded_batch_norm(model, squares()):
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        found, gradients = outputs_and_gradients(model)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients, expected_gradients)


def test_no_normalisation_of_an_efficientnet_is_computed_any_more():
    model = network("tf_efficientnet_lite0")
    with folded_batch_norm(model, squares()), torch.profiler.profile() as profile:
        model(squares())
    assert not [event.key for event in profile.key_averages() if "batch_norm" in event.key]


def test_statistics_parameters_and_their_names_stay():
    model = network("resnet18")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with folded_batch_norm(model, squares()):
        model.train()(squares())
        within = model.state_dict()
        assert list(within) == list(before)
        assert all(torch.equal(within[name], value) for name, value in before.items())


def test_after_the_context_and_after_an_error_in_it_the_network_is_as_it_was():
    model = network("resnet18")
    expected = model(squares())
    with pytest.raises(ValueError, match="stop"), folded_batch_norm(model, squares()):
        raise ValueError("stop")
    assert torch.equal(model(squares()), expected)
    assert not [module for module in model.modules() if "forward" in vars(module)]


def test_a_copy_made_in_the_context_computes_with_its_own_weights():
    model = network("resnet18")
    with folded_batch_norm(model, squares()):
        twin = copy.deepcopy(model)
        with torch.no_grad():
            for weight in model.parameters():
                weight.zero_()
        assert twin(squares()).abs().sum() > 0


class Branching(nn.Module):
    """A convolution whose result is normalised, and used without that too."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.norm.running_mean.fill_(1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        convolved = self.convolution(inputs)
        return self.norm(convolved) + convolved


def test_nothing_is_folded_where_the_result_would_differ():
    model = Branching().double().eval()
    expected = model(squares())
    with folded_batch_norm(model, squares()):
        assert torch.equal(model(squares()), expected)
