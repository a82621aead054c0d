"""Dictionary-based transforms: an array transform for each of some keys."""

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config.type_definitions import KeysCollection
from monai.transforms.inverse import InvertibleTransform
from monai.transforms.transform import MapTransform

__all__ = ["EachKey"]


class EachKey(MapTransform, InvertibleTransform):
    """Apply ``transform`` to every key, and undo it; base of the dictionary-based transforms.

    The twins below it only say how their array transform is made, so that their signatures stay
    readable to people, type checkers and configurations.

    Args:
        keys: Keys of the images.
        transform: The array transform.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        transform: InvertibleTransform,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = transform

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key transformed."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key])
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key as it was, by the array transform.

        Raises:
            ValueError: If a key is no MetaTensor and cannot be undone without a record.
        """
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform.inverse(out[key])
        return out
