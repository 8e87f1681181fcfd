# Stages of a check, each timed; sourced by scripts/test and .ci/run.
# shellcheck shell=bash

stage_lines=()
stages_passed=0
stages_failed=0

# stage NAME COMMAND… runs the command and remembers how it ended. Always succeeds, so that the stages
# behind it run too; `stages_failed` says how many did not.
stage() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '\n=== %s\n' "$name"
  "$@" || status=$?
  local took=$((SECONDS - began)) result=ok
  if [ "$status" -eq 0 ]; then
    stages_passed=$((stages_passed + 1))
  else
    stages_failed=$((stages_failed + 1))
    result="FAILED ($status)"
  fi
  stage_lines+=("$(printf '%6d s  %-28s %s' "$took" "$name" "$result")")
  printf -- '--- %s: %s, %d s\n' "$name" "$result" "$took"
}

# Prints every stage with its seconds, then how many passed; fails if one did.
stages_summary() {
  printf '\n'
  printf '%s\n' "${stage_lines[@]}"
  printf '%6d s  in all; stages:\n' "$SECONDS"
  printf '%d passed, %d failed\n' "$stages_passed" "$stages_failed"
  [ "$stages_failed" -eq 0 ]
}
