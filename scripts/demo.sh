#!/usr/bin/env bash
# The main job on phantom head-CT series: draw, split, train a GAN, generate, compare, report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
install_package "."

out="${1:-demo}"
mkdir -p "$out"
export OMP_NUM_THREADS=1
if [[ ! -d "$out/phantoms" ]]; then
  python -m monai_gan_aug phantoms "$out/phantoms" --patients 240 --slices 3
fi
python -m monai.bundle run --config_file configs/studies/phantom_ct.yaml \
  --dataset_dir "$out/phantoms" --output_dir "$out/study"
python -m monai_gan_aug report "$out/study/study.json"
