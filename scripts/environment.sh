# Sourced by the other scripts: one virtual environment, filled once per change of pyproject.toml.

venv="${MONAI_GAN_AUG_VENV:-$PWD/.venv}"

install_package() {
  local stamp="$venv/.installed"
  if [[ ! -x "$venv/bin/python" ]]; then
    echo "Creating $(basename "$venv") …"
    "${PYTHON:-python3}" -m venv "$venv"
  fi
  # shellcheck disable=SC1091
  source "$venv/bin/activate"
  if [[ "$(cat "$stamp" 2>/dev/null)" != "$1 $(cksum < pyproject.toml)" ]]; then
    echo "Installing $1 (the first time takes a few minutes: PyTorch is large) …"
    python -m pip install --quiet --disable-pip-version-check --editable "$1"
    echo "$1 $(cksum < pyproject.toml)" > "$stamp"
  fi
}
