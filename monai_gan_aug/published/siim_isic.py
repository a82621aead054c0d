"""The auxiliary-classifier GAN of SIIM-ISIC (skin lesions, 64 or 128 px).

The system's other networks are those of :mod:`monai_gan_aug.networks.dcgan` at width 64.
"""

from monai.networks.blocks import Convolution
from torch import Tensor, nn

from monai_gan_aug.networks.classifiers import register_classifier, registered_classifier
from monai_gan_aug.networks.conditional import LabelledLatent, required_labels
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.unconditional import require_multiple

__all__ = ["ACGANDiscriminator", "ACGANGenerator"]

EPS = 0.8  # the source hands its momentum to the argument that is epsilon
LEAKY = ("leakyrelu", {"negative_slope": 0.2})
DROPOUT = 0.25
WIDTHS = (16, 32, 64, 128)


class ACGANGenerator(nn.Module):
    """Label embedding times latent, one linear layer, two upsampled convolutions.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 16; published 64 and 128.
        channels: Channels ``C`` of the images; published 3.
        latent_size: Width ``Z`` of the latents; published 600.
        num_classes: Classes ``K``, at least 2.

    Raises:
        ValueError: If the size is no multiple of 16 or there are fewer than two classes.

    References:
        Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs".
        https://arxiv.org/abs/1610.09585

    Example:
        >>> network = ACGANGenerator(image_size=64)
        >>> sum(p.numel() for p in network.parameters())
        19918515
    """

    def __init__(
        self, image_size: int = 64, channels: int = 3, latent_size: int = 600, num_classes: int = 2
    ) -> None:
        super().__init__()
        side = require_multiple(image_size, 16) // 4
        self.latent_size = latent_size
        self.num_classes = num_classes
        self.condition = LabelledLatent(num_classes, latent_size)
        self.blocks = nn.Sequential(
            nn.Linear(latent_size, 128 * side * side),
            nn.Unflatten(1, (128, side, side)),
            nn.BatchNorm2d(128),
            nn.Upsample(scale_factor=2),
            _generator_block(128, 128),
            nn.Upsample(scale_factor=2),
            _generator_block(128, 64),
            Convolution(2, 64, channels, conv_only=True),
            nn.Tanh(),
        )
        normal_initialisation(self)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to images ``(B, C, S, S)`` in ``[-1, 1]``.

        Raises:
            ValueError: If no labels are given.
        """
        labels = required_labels(labels, self.num_classes, "generator")
        images: Tensor = self.blocks(self.condition(latents, labels))
        return images


class ACGANDiscriminator(nn.Module):
    """Four strided convolutions, then one head for real or generated and one for the class.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 16; published 64 and 128.
        channels: Channels ``C`` of the images; published 3.
        num_classes: Classes ``K``, at least 2.

    Raises:
        ValueError: If the size is no multiple of 16 or there are fewer than two classes.

    References:
        Odena et al., https://arxiv.org/abs/1610.09585

    Example:
        >>> sum(p.numel() for p in ACGANDiscriminator(image_size=64).parameters())
        104035
    """

    auxiliary = True

    def __init__(self, image_size: int = 64, channels: int = 3, num_classes: int = 2) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"`num_classes` must be at least 2, got {num_classes}.")
        side = require_multiple(image_size, 16) // 16
        self.num_classes = num_classes
        entering = (channels, *WIDTHS[:-1])
        self.blocks = nn.Sequential(
            *(
                _discriminator_block(a, b, norm=position > 0)
                for position, (a, b) in enumerate(zip(entering, WIDTHS, strict=True))
            )
        )
        self.head = nn.Linear(WIDTHS[-1] * side * side, 1 + num_classes)
        normal_initialisation(self)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, 128, S / 16, S / 16)``."""
        features: Tensor = self.blocks(images)
        return features

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` to logits ``(B, 1 + K)``: real or not, then the classes.

        The labels are not looked at; the loss compares the class logits with them.
        """
        logits: Tensor = self.head(self.features(images).flatten(1))
        return logits


def _generator_block(in_channels: int, out_channels: int) -> Convolution:
    norm = ("batch", {"eps": EPS})
    return Convolution(2, in_channels, out_channels, adn_ordering="NA", norm=norm, act=LEAKY)


def _discriminator_block(in_channels: int, out_channels: int, *, norm: bool) -> Convolution:
    return Convolution(
        2,
        in_channels,
        out_channels,
        strides=2,
        adn_ordering="ADN",
        act=LEAKY,
        dropout=DROPOUT,
        dropout_dim=2,
        norm=("batch", {"eps": EPS}) if norm else None,
    )


# Published with batches of 64 and 30 to 50 epochs of 5,000 images. The source draws classes alike
# (`balance: weighted`); `balance: none` is its imbalanced variant.
@register_classifier(
    "siim_isic", image_size=128, channels=3, learning_rate=1e-4, batch_size=64, total_steps=2400
)
def _build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    build = registered_classifier("efficientnet-b3").build
    return build(channels, num_classes, image_size, dropout)
