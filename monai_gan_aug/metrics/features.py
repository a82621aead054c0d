"""Features of images that need no download."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from monai.utils.module import optional_import
from torch import Tensor, nn

__all__ = ["ClassifierFeatures", "RandomFeatures", "ScriptedFeatures"]


class RandomFeatures(nn.Module):
    """Pooled responses of a fixed random convolutional network.

    Networks trained on photographs are not at hand offline and know little of medical images;
    random ones compare texture and layout well enough to rank sets of the same kind. Values
    have no absolute scale.

    Args:
        channels: Channels of the images.
        seed: Seed of the weights; it is part of the recipe of every number computed from them.

    Attributes:
        num_features: Width ``F`` of the features.

    References:
        Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models",
        section 4.3. https://arxiv.org/abs/2002.09797

    Example:
        >>> RandomFeatures(channels=1)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 224])
    """

    WIDTHS = (32, 64, 128)

    def __init__(self, channels: int, seed: int = 0) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList()
        for entering, leaving in zip((channels, *self.WIDTHS[:-1]), self.WIDTHS, strict=True):
            layer = nn.utils.skip_init(  # the default weights would move the global generator
                nn.Conv2d, entering, leaving, 3, stride=2, padding=1, bias=False
            )
            nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=draw)
            self.layers.append(layer)
        self.num_features = sum(self.WIDTHS)
        self.channels = channels
        self.seed = seed
        self.eval().requires_grad_(False)

    @property
    def recipe(self) -> dict[str, int | str]:
        """What must agree for two values to be comparable."""
        return {"features": "random convolutions", "channels": self.channels, "seed": self.seed}

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``."""
        pooled = []
        for layer in self.layers:
            images = torch.relu(layer(images))
            pooled.append(images.mean((2, 3)))
        return torch.cat(pooled, dim=1)


class ClassifierFeatures(nn.Module):
    """Pooled responses of a small classifier that learns the classes of the images at hand.

    What it sees is what tells the classes apart, so distances weigh disease more than scanner.
    Its training images look a little farther from all others than they are: the classifier knows
    them. The real-versus-real baseline has the same flaw.

    Args:
        channels: Channels of the images.
        num_classes: Classes, at least 2.
        steps: Optimiser steps of :meth:`fit`.
        batch_size: Images per step, classes equally often.
        seed: Seed of weights and batches.

    Attributes:
        num_features: Width ``F`` of the features.

    Raises:
        ValueError: If there are fewer than two classes or no steps.

    Example:
        >>> images, labels = torch.randn(8, 1, 16, 16), torch.arange(8) % 2
        >>> extractor = ClassifierFeatures(1, 2, steps=2).fit(images, labels)
        >>> extractor(images).shape, extractor.probabilities(images).shape
        (torch.Size([8, 160]), torch.Size([8, 2]))
    """

    WIDTHS = (16, 32, 64, 96)

    def __init__(
        self,
        channels: int,
        num_classes: int,
        *,
        steps: int = 300,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if num_classes < 2 or steps < 1 or batch_size < 1:
            raise ValueError(
                "`num_classes` must be at least 2, `steps` and `batch_size` at least 1, got "
                f"{num_classes}, {steps} and {batch_size}."
            )
        self.channels, self.num_classes = channels, num_classes
        self.steps, self.batch_size, self.seed = steps, batch_size, seed
        self.num_features = sum(self.WIDTHS[2:])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stages = nn.ModuleList(
                nn.Sequential(
                    nn.Conv2d(entering, leaving, 3, padding=1, bias=False),
                    nn.MaxPool2d(2, ceil_mode=True),  # first, so that the rest is cheap
                    nn.BatchNorm2d(leaving),
                    nn.ReLU(),
                )
                for entering, leaving in zip(
                    (channels, *self.WIDTHS[:-1]), self.WIDTHS, strict=True
                )
            )
            self.head = nn.Linear(self.num_features, num_classes)
        self.to(memory_format=torch.channels_last)

    @property
    def recipe(self) -> dict[str, int | str]:
        """What must agree for two values to be comparable."""
        return {
            "features": "classifier trained on the training split",
            "channels": self.channels,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "seed": self.seed,
        }

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``."""
        pooled = []
        images = images.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            images = stage(images)
            pooled.append(images.mean((2, 3)))
        return torch.cat(pooled[2:], dim=1)

    def fit(self, images: Tensor, labels: Tensor) -> "ClassifierFeatures":
        """Learn the classes, then freeze; the global generator is left alone.

        Args:
            images: Shape ``(N, C, H, W)`` in ``[-1, 1]``.
            labels: Shape ``(N,)``, in ``[0, num_classes)``.

        Returns:
            The extractor itself.

        Raises:
            ValueError: If a class has no image.
        """
        rows = [torch.nonzero(labels == c).flatten() for c in range(self.num_classes)]
        if min(len(part) for part in rows) == 0:
            raise ValueError(
                f"Every class needs images to learn from, got {[len(part) for part in rows]}."
            )
        draw = torch.Generator().manual_seed(self.seed)
        adam = torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.05)
        slow = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self.steps)
        self.train().requires_grad_(True)
        with torch.enable_grad():
            for _ in range(self.steps):
                classes = torch.randint(self.num_classes, (self.batch_size,), generator=draw)
                luck = torch.rand(self.batch_size, generator=draw)
                batch = torch.stack(
                    [rows[c][int(u * len(rows[c]))] for c, u in zip(classes, luck, strict=True)]
                )
                loss = nn.functional.cross_entropy(self.head(self(images[batch])), labels[batch])
                adam.zero_grad()
                loss.backward()
                adam.step()
                slow.step()
        return self.eval().requires_grad_(False)

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Probability of every class, ``(B, num_classes)``, of images ``(B, C, H, W)``."""
        logits: Tensor = self.head(self(images))
        return logits.softmax(1)


class ScriptedFeatures(nn.Module):
    """Features from a file of weights on this machine, named in the recipe by its checksum.

    For Inception, RadImageNet and others that are downloaded once by hand. Nothing is fetched.

    Args:
        path: A TorchScript module, or ``.safetensors`` weights of ``network``.
        network: The network that safetensors weights belong to; not for TorchScript.
        sha256: Refuse a file with another checksum.
        channels: Channels the network wants; grey images are repeated.
        image_size: Side that images are resized to, if any.

    Attributes:
        num_features: Width ``F`` of the features, after the first images.

    Raises:
        ValueError: If the checksum differs, or the file and ``network`` do not fit together.

    Note:
        Images arrive in ``[-1, 1]``. Put another normalisation into the scripted module.
    """

    def __init__(
        self,
        path: str | Path,
        network: nn.Module | None = None,
        *,
        sha256: str | None = None,
        channels: int = 3,
        image_size: int | None = None,
    ) -> None:
        super().__init__()
        self.path, self.channels, self.image_size = Path(path), channels, image_size
        self.sha256 = _checksum(self.path)
        if sha256 is not None and sha256 != self.sha256:
            raise ValueError(
                f"{self.path.name} has SHA-256 {self.sha256}, not {sha256}: fetch the file again."
            )
        self.network = _load(self.path, network).eval()
        for weight in self.network.parameters():
            weight.requires_grad_(False)
        self.num_features = 0

    @property
    def recipe(self) -> dict[str, Any]:
        """What must agree for two values to be comparable."""
        return {
            "features": f"weights of {self.path.name}",
            "sha256": self.sha256,
            "channels": self.channels,
            "image_size": self.image_size,
        }

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``."""
        if images.shape[1] == 1 and self.channels == 3:
            images = images.expand(-1, 3, -1, -1)
        if self.image_size is not None:
            images = nn.functional.interpolate(
                images, (self.image_size,) * 2, mode="bilinear", antialias=True
            )
        features: Tensor = self.network(images).flatten(1)
        self.num_features = features.shape[1]
        return features


def _checksum(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"`path` {path.name} is no file: fetch the weights by hand first.")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _load(path: Path, network: nn.Module | None) -> nn.Module:
    if path.suffix != ".safetensors":
        if network is not None:
            raise ValueError("`network` is for .safetensors weights; TorchScript brings its own.")
        scripted: nn.Module = torch.jit.load(path, map_location="cpu")
        return scripted
    if network is None:
        raise ValueError(f"{path.name} holds weights only: give the `network` they belong to.")
    load_model, _ = optional_import("safetensors.torch", name="load_model")
    missing, unexpected = load_model(network, path, strict=False)
    if missing or unexpected:
        raise ValueError(
            f"{path.name} does not fit `network`: {len(missing)} keys missing, "
            f"{len(unexpected)} unexpected ({[*missing, *unexpected][:5]})."
        )
    return network


@torch.no_grad()
def extract(
    extractor: nn.Module, images: Tensor, *, device: str | torch.device, batch_size: int
) -> Tensor:
    """Features ``(N, F)`` of images ``(N, C, H, W)`` in ``[-1, 1]``, on the CPU."""
    extractor = extractor.to(device).eval()
    return torch.cat([extractor(part.to(device)).cpu() for part in images.split(batch_size)])
