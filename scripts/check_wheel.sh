#!/usr/bin/env bash
# Build a wheel, install it into an environment of its own and run the study of the demo, small, from
# another folder: with the bundles and configurations of the wheel, and nothing of the checkout.
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

mkdir "$work/elsewhere"
cd "$work/elsewhere"
export OMP_NUM_THREADS=1 MONAI_FAIL_ON_DUPLICATE_CONFIG=1
export MONAI_GAN_AUG_KEY_FILE="$work/patient.key"
configs="$("$work/venv/bin/python" - "$work" <<'PY'
import sys
from pathlib import Path

import monai_gan_aug
from monai_gan_aug.studies.shipped import bundles_folder, configs_folder

for path in (Path(monai_gan_aug.__file__), bundles_folder(), configs_folder()):
    if Path(sys.argv[1]).resolve() not in path.resolve().parents:
        sys.exit(f"not of the wheel: {path}")
print(configs_folder())
PY
)"
"$work/venv/bin/python" -m monai_gan_aug bundles
"$work/venv/bin/python" -m monai_gan_aug bundles copy medical_image_gan mine
test -f mine/configs/train.yaml
"$work/venv/bin/python" -m monai_gan_aug phantoms data --patients 24 --size 64 --slices 1
"$work/venv/bin/python" -m monai.bundle run --config_file "$configs/studies/phantom_ct.yaml" \
  --dataset_dir data --output_dir out --seeds "[0,1]" \
  --data::split::training_patients_per_class 4 --data::split::validation_patients_per_class 2 \
  --gan::knobs::max_epochs 1 --gan::knobs::steps_per_epoch 4 --gan::samples_per_class 8 \
  --gan::evaluation::classifier_steps 4 --classifier::total_steps 4 \
  --study::arms "['classical','classical_twice','real_plus_synthetic']"
test -f out/report.html
echo "The wheel runs a study from another folder."
