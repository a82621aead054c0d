#!/usr/bin/env bash
# Install the development extra and run every check: lint, format, types, tests, doctests.
# Arguments are handed to pytest:  bash scripts/test.sh -k cache
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
install_package ".[dev]"

ruff check .
ruff format --check .
mypy
export MONAI_FAIL_ON_DUPLICATE_CONFIG=1 OMP_NUM_THREADS=1 MPLBACKEND=Agg
python -m pytest -n 2 --dist loadfile "$@"
