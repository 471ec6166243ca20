#!/bin/sh
# guard.sh SIGNAL COMMAND [ARGUMENT…]: becomes COMMAND (same process id), and ends it when its starter is gone.
# File 3 is a pipe whose other end only the starter holds. The kernel closes it however the starter dies, so no server
# outlives an interrupted, crashed or killed run. A line on it instead ("ended", "keep") lets the guard go.
# The starter made COMMAND the leader of a process group; what is left of the group goes at the end.
signal=$1
shift
me=$$
# Twice in the background: the watcher must not be a child of the server, which would wonder about it.
( (
  trap '' INT TERM HUP
  exec </dev/null >/dev/null 2>&1
  if read -r _ <&3; then exit 0; fi
  kill -s CONT "$me"
  kill -s "$signal" "$me"
  n=0
  while kill -0 "$me" && [ "$n" -lt 60 ]; do
    sleep 0.1
    n=$((n + 1))
  done
  kill -s KILL -- "-$me"
) & )
exec 3<&-
exec "$@"
