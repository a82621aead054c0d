"""How the weights of adversarial networks begin."""

from torch import nn

__all__ = ["normal_initialisation"]


def normal_initialisation(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw convolution and linear weights from N(0, std²) and norm gains from N(1, std²).

    Biases begin at zero. Call it before spectral norm is applied.

    Args:
        network: The network, changed in place.
        std: Standard deviation, positive.

    Returns:
        The same network.

    Raises:
        ValueError: If ``std`` is not positive.

    References:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks". https://arxiv.org/abs/1511.06434
    """
    if std <= 0:
        raise ValueError(f"`std` must be positive, got {std}.")
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
        elif isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, std)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network
