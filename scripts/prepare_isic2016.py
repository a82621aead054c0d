"""Prepare ISIC 2016, part 3 (skin lesions, ISIC 2016) from the folder of the unpacked download.

python scripts/prepare_isic2016.py FOLDER --out datalist.json    (more: --help)
"""

import sys

from monai_gan_aug.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:], "--published", "isic2016"]))
