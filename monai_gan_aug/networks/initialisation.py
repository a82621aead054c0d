"""How the weights of adversarial networks begin."""

from torch import nn

__all__ = ["glorot_initialisation", "normal_initialisation", "orthogonal_initialisation"]

LAYERS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)


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
        if isinstance(module, LAYERS):
            nn.init.normal_(module.weight, 0.0, std)
        elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d) and module.affine:
            nn.init.normal_(module.weight, 1.0, std)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network


def glorot_initialisation(network: nn.Module, gain: float = 1.0) -> nn.Module:
    """Draw weights uniformly so that signals and gradients keep their variance.

    Biases begin at zero. Call it before spectral norm is applied.

    Args:
        network: The network, changed in place.
        gain: Factor of the deviation; the square root of 2 before a ReLU.

    Returns:
        The same network.

    Raises:
        ValueError: If ``gain`` is not positive.

    References:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks". https://proceedings.mlr.press/v9/glorot10a.html
    """
    if gain <= 0:
        raise ValueError(f"`gain` must be positive, got {gain}.")
    for module in network.modules():
        if isinstance(module, (*LAYERS, nn.Embedding)):
            nn.init.xavier_uniform_(module.weight, gain)
            _zero_bias(module)
    return network


def orthogonal_initialisation(network: nn.Module) -> nn.Module:
    """Begin with weights whose matrix has orthonormal rows or columns; biases at zero.

    Returns:
        The same network, changed in place.

    References:
        Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks". https://arxiv.org/abs/1312.6120; for GANs: Brock et al.,
        https://arxiv.org/abs/1809.11096
    """
    for module in network.modules():
        if isinstance(module, (*LAYERS, nn.Embedding)):
            nn.init.orthogonal_(module.weight)
            _zero_bias(module)
    return network


def _zero_bias(module: nn.Module) -> None:
    bias = getattr(module, "bias", None)
    if bias is not None:
        nn.init.zeros_(bias)
