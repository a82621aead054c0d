"""Prepare SIIM-ISIC (skin lesions, SIIM-ISIC) from the folder of the unpacked download.

python scripts/prepare_siim_isic.py FOLDER --out datalist.json    (more: --help)
"""

import sys

from monai_gan_aug.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:], "--published", "siim_isic"]))
