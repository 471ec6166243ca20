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
step directions depcruise --config .dependency-cruiser.mjs src test scripts bench
step unit vitest run --project unit
[ -z "$failed" ] || { printf 'check failed:%s\n' "$failed" >&2; exit 1; }
