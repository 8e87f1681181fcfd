# Stages of a check, each timed; sourced by scripts/test and .ci/run.
# shellcheck shell=bash

stage_lines=()
stages_passed=0
stages_failed=0
# The ends of what failed stages said.
stages_ends=()

# stage NAME COMMAND… runs the command and remembers how it ended. Always succeeds, so that the stages
# behind it run too; `stages_failed` says how many did not.
stage() {
  local name=$1 began=$SECONDS status=0 said
  shift
  said=$(mktemp)
  printf '\n=== %s\n' "$name"
  # In this shell, not behind a pipe: stages set variables for those that follow.
  "$@" > >(tee -- "$said") 2>&1 || status=$?
  # What the command left running may hold the pipe open: that is not waited for.
  timeout 2 tail --pid=$! -f /dev/null || true
  local took=$((SECONDS - began)) result=ok
  if [ "$status" -eq 0 ]; then
    stages_passed=$((stages_passed + 1))
  else
    stages_failed=$((stages_failed + 1))
    result="FAILED ($status)"
    printf '=== the end of what "%s" said\n' "$name" >"$said.end"
    tail -n 40 -- "$said" | cut -c1-300 >>"$said.end"
    stages_ends+=("$(<"$said.end")")
  fi
  rm -f -- "$said" "$said.end"
  stage_lines+=("$(printf '%6d s  %-28s %s' "$took" "$name" "$result")")
  printf -- '--- %s: %s, %d s\n' "$name" "$result" "$took"
}

# Prints how failed stages ended, every stage with its seconds, then how many passed; fails if one did.
stages_summary() {
  printf '\n'
  [ "$stages_failed" -eq 0 ] || printf '%s\n\n' "${stages_ends[@]}"
  printf '%s\n' "${stage_lines[@]}"
  printf '%6d s  in all; stages:\n' "$SECONDS"
  printf '%d passed, %d failed\n' "$stages_passed" "$stages_failed"
  [ "$stages_failed" -eq 0 ]
}
