"""Prepare the NIH malaria cells (malaria) from the folder of the unpacked download.

python scripts/prepare_malaria.py FOLDER --out datalist.json    (more: --help)
"""

import sys

from monai_gan_aug.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:], "--published", "malaria"]))
