#!/bin/sh
# npm run check: types, lint, directions, unit tests and scenarios. What a developer and CI run before anything lands.
set -u
cd "$(dirname -- "$0")/.." || exit 1
sh scripts/run.sh --prepare || exit 1
failed=
step() {
  name=$1
  shift
  printf '── %s\n' "$name"
  sh scripts/run.sh --tool "$@" || failed="$failed $name"
}
step types tsc --noEmit -p .
step lint biome check --error-on-warnings .
folders=
for folder in src test scripts bench simulators; do [ ! -d "$folder" ] || folders="$folders $folder"; done
# shellcheck disable=SC2086
step directions depcruise --config .dependency-cruiser.mjs $folders
step unit vitest run --project unit
[ -z "$failed" ] || { printf 'check failed:%s\n' "$failed" >&2; exit 1; }
