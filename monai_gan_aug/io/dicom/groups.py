"""Multi-frame DICOM: what the functional groups say about one frame, put where one-frame files do.

Enhanced CT, MR and the like keep rescale, window, spacing and position of each frame in nested
sequences. A view of one frame has them at the top, so that everything else reads both kinds alike.
"""

from pydicom import Dataset

from monai_gan_aug.errors import ImageReadError

__all__ = ["GROUP_TAGS", "frame_view"]

SHARED = "SharedFunctionalGroupsSequence"
PER_FRAME = "PerFrameFunctionalGroupsSequence"
GROUP_TAGS = (SHARED, PER_FRAME)
MACROS = (
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "PixelMeasuresSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
)


def frame_view(dataset: Dataset, frame: int, name: str) -> Dataset:
    """``dataset`` with the functional groups of ``frame``, counted from 0, at its top level.

    Args:
        dataset: A data set that was read; it is not changed.
        frame: Which frame is meant.
        name: The file in messages.

    Raises:
        ImageReadError: If the file describes some frames, but not this one.
    """
    shared, per_frame = (_items(dataset, keyword) for keyword in GROUP_TAGS)
    if not shared and not per_frame:
        return dataset
    if per_frame and frame >= len(per_frame):
        raise ImageReadError(
            name, f"describes only {len(per_frame)} of its frames", "export it again"
        )
    view = Dataset()
    view.update(dataset)
    view.set_original_encoding(*dataset.original_encoding)
    view.file_meta = dataset.file_meta
    for group in (*shared[:1], *per_frame[frame : frame + 1]):
        for macro in MACROS:
            for item in _items(group, macro)[:1]:
                view.update(item)
    return view


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return list(dataset[keyword].value or []) if keyword in dataset else []
