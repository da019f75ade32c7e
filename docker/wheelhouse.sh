#!/usr/bin/env bash
# Fills wheelhouse/ with what the image installs, for a build that reaches no package index (docs/compose.md).
# Usage: docker/wheelhouse.sh [PYTHON]   - the same minor version of Python, and the same processor, as the base image's.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
"$python" docker/runtime_requirements.py >"$lock"
# Hashes are checked here, on what is downloaded; one or two come as sources and are built.
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock" -w wheelhouse
"$python" -m pip wheel --quiet --disable-pip-version-check 'hatchling>=1.27' -w wheelhouse
echo "$(find wheelhouse -name '*.whl' | wc -l) wheels in wheelhouse/"
