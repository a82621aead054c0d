"""ISIC 2016 part 3 (skin lesions): the layout of its data.

The networks of this system are the generator and the discriminator of
:mod:`monai_gan_aug.networks.dcgan` at width 64, without a class.
"""

from pathlib import Path

from monai_gan_aug.published.layouts import Layout, NumberedTable, only_file, register_layout
from monai_gan_aug.records.datalist import NO_GROUPING

__all__ = ["data_layout"]


@register_layout("isic2016")
def data_layout(folder: Path) -> Layout:
    """Images anywhere below, and the ground truth of part 3 without a header."""
    table = only_file(folder, "*Part3*GroundTruth*.csv", "the ground truth of part 3")
    return Layout(
        folder,
        NumberedTable(
            table, image=0, label=1, labels={"benign": "benign", "malignant": "malignant"}
        ),
        expected=900,
        group=NO_GROUPING,
        caveats=("ISIC 2016 names no patients: images of one patient may be on both sides.",),
    )
