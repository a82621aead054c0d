"""The classifier that gives features and calls labels, trained once for all sets it is used on."""

import hashlib
import logging
from pathlib import Path

import torch

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.io.atomic import atomic_file
from monai_gan_aug.metrics.features import ClassifierFeatures

__all__ = ["kept_label_classifier", "trained_label_classifier"]

logger = logging.getLogger(__name__)


def trained_label_classifier(images: ImageSet, classes: int, steps: int) -> ClassifierFeatures:
    """A fresh classifier that has learned the classes of ``images``.

    Args:
        images: Images with labels.
        classes: Number of classes.
        steps: Optimiser steps.
    """
    return _fresh(images, classes, steps).fit(images.images, images.labels)


def kept_label_classifier(
    images: ImageSet, classes: int, steps: int, cache_dir: Path
) -> ClassifierFeatures:
    """The same, with its weights kept, so that the next comparison with these images is quick.

    The file's name is the hash of the pixels, the labels and the recipe: other images, other
    weights.

    Args:
        images: Images with labels.
        classes: Number of classes.
        steps: Optimiser steps.
        cache_dir: Folder of decoded images; the weights lie in its ``label_classifiers``.
    """
    classifier = _fresh(images, classes, steps)
    path = cache_dir / "label_classifiers" / f"{_fingerprint(images, classifier)}.pt"
    if path.is_file():
        classifier.load_state_dict(torch.load(path, weights_only=True))
        return classifier.eval().requires_grad_(False)
    logger.info("Training the classifier that calls labels, %d steps.", steps)
    classifier.fit(images.images, images.labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        torch.save(classifier.state_dict(), file)
    return classifier


def _fresh(images: ImageSet, classes: int, steps: int) -> ClassifierFeatures:
    return ClassifierFeatures(images.images.shape[1], classes, steps=steps)


def _fingerprint(images: ImageSet, classifier: ClassifierFeatures) -> str:
    digest = hashlib.sha256(
        repr((classifier.recipe, classifier.num_classes, images.images.shape)).encode()
    )
    digest.update(images.images.contiguous().numpy().tobytes())
    digest.update(images.labels.numpy().tobytes())
    return digest.hexdigest()[:32]
