#!/usr/bin/env bash
# Build a wheel, install it into an environment of its own and run a bundle outside the checkout.
# The environment borrows the heavy dependencies of the test environment instead of a second copy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
install_package ".[dev]"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python -m build --wheel --outdir "$work/dist" . > "$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }

dependencies="$(python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')"
python -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps --disable-pip-version-check "$work"/dist/*.whl
# A .pth file puts the dependencies last and leaves out the editable install's finder.
echo "$dependencies" > "$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/dependencies.pth"

cp -r bundles configs "$work/"
cd "$work"
export OMP_NUM_THREADS=1 MONAI_FAIL_ON_DUPLICATE_CONFIG=1
"$work/venv/bin/python" - "$work" <<'PY'
import sys
from pathlib import Path

import monai_gan_aug

home = Path(monai_gan_aug.__file__).resolve()
if Path(sys.argv[1]).resolve() not in home.parents:
    sys.exit(f"the wheel was not imported, but {home}")
PY
"$work/venv/bin/python" -m monai_gan_aug phantoms "$work/data" --patients 16 --size 64 --slices 1
"$work/venv/bin/python" -m monai_gan_aug prepare "$work/data" --kind dicom --out "$work/datalist.json"
cd bundles/medical_image_gan
"$work/venv/bin/python" -m monai.bundle run \
  --config_file "['configs/common.yaml','configs/family_dcgan.yaml','configs/train.yaml']" \
  --dataset_dir "$work/data" --datalist "$work/datalist.json" --output_dir "$work/out" \
  --cache_dir "$work/cache" --windows "['brain']" --image_size 32 --max_epochs 1 --steps_per_epoch 2 --batch_size 4
ls "$work/out"
echo "The wheel runs a bundle outside the checkout."
