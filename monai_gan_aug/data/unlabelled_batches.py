"""Batches of images whose classes nobody knows, for training beside labelled ones."""

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.data.loading import BatchLoader
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.provenance import check_record

__all__ = ["unlabelled_batches"]


def unlabelled_batches(
    unlabelled: CachedImages | None, labelled: CachedImages, batch_size: int, seed: int = 0
) -> BatchLoader:
    """Endless batches of images without classes.

    Args:
        unlabelled: The images; labels in their datalist should not be looked at.
        labelled: Training images of the classifier, whose datalist names the held-out patients.
        batch_size: Images per batch.
        seed: Makes the order.

    Raises:
        DataError: If there are none.
        ProvenanceError: If a validation or test patient is among them.
    """
    if unlabelled is None:
        raise DataError(
            "This arm learns from unlabelled images: give --unlabelled, a datalist that `prepare "
            "--unlabelled` wrote."
        )
    check_record(labelled.datalist, unlabelled.training_record())
    return BatchLoader(unlabelled, batch_size, steps=1, seed=seed)
