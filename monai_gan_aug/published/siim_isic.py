"""SIIM-ISIC (skin lesions, 64 or 128 px): its auxiliary-classifier GAN, the layout of its data.

Its other networks are those of :mod:`monai_gan_aug.networks.dcgan` at width 64, its classifier is
an EfficientNet of :mod:`monai_gan_aug.networks.classifiers`.
"""

from pathlib import Path

from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from monai_gan_aug.data.sources import JsonPerImageSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.networks.classifiers import register_classifier, registered_classifier
from monai_gan_aug.networks.conditional import ConditionalGenerator, LabelledLatent
from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.unconditional import require_multiple
from monai_gan_aug.published.layouts import Layout, NumberedTable, register_layout
from monai_gan_aug.records.datalist import NO_GROUPING

__all__ = ["ACGANDiscriminator", "ACGANGenerator", "data_layout"]

EPS = 0.8  # the source hands its momentum to the argument that is epsilon
LEAKY = ("leakyrelu", {"negative_slope": 0.2})
DROPOUT = 0.25
WIDTHS = (16, 32, 64, 128)


class ACGANGenerator(ConditionalGenerator):
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
        super().__init__(latent_size, num_classes)
        side = require_multiple(image_size, 16) // 4
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

    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images ``(B, C, S, S)``; see :meth:`ConditionalGenerator.forward`."""
        images: Tensor = self.blocks(self.condition(latents, labels))
        return images


class ACGANDiscriminator(DescribedNetwork):
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


@register_layout("siim_isic")
def data_layout(folder: Path) -> Layout:
    """Images anywhere below, and a table, or one JSON per image as the archive has them."""
    tables = sorted(folder.glob("*.csv"))
    for table in tables:
        header = table.read_text(encoding="utf-8-sig", errors="replace").split("\n", 1)[0]
        columns = [cell.strip().strip('"') for cell in header.split(",")]
        image = next((name for name in ("image_name", "dcm_name") if name in columns), None)
        if image and "target" in columns:
            patient = "patient_id" if "patient_id" in columns else None
            return Layout(
                folder,
                NumberedTable(
                    table.name, image, "target", patient, {"0": "benign", "1": "malignant"}
                ),
                expected=33_126 if image == "image_name" else 22_922,
                group=None if patient else NO_GROUPING,
                caveats=() if patient else (f"{table.name} names no patients.",),
            )
    if any(folder.rglob("*.json")):
        source = JsonPerImageSource(label="meta.clinical.benign_malignant", patient=NO_GROUPING)
        caveat = "The metadata name no patients: images of one patient may be on both sides."
        return Layout(folder, source, expected=22_922, group=NO_GROUPING, caveats=(caveat,))
    seen = [table.name for table in tables]
    raise DataError(
        f"{folder.name} holds neither a table with the columns image_name (or dcm_name) and "
        f"target, nor one JSON file per image; tables found: {seen}. Put train.csv into the folder."
    )


# Published with batches of 64 and 30 to 50 epochs of 5,000 images. The source draws classes alike
# (`balance: weighted`); `balance: none` is its imbalanced variant.
@register_classifier(
    "siim_isic", image_size=128, channels=3, learning_rate=1e-4, batch_size=64, total_steps=2400
)
def _build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    build = registered_classifier("efficientnet-b3").build
    return build(channels, num_classes, image_size, dropout)
