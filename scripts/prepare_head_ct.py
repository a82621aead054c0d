"""Prepare the head-CT haemorrhage slices (head CT) from the folder of the unpacked download.

python scripts/prepare_head_ct.py FOLDER --out datalist.json    (more: --help)
"""

import sys

from monai_gan_aug.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:], "--published", "head_ct"]))
