# Runs the blocks of one page in this one shell. Given by the caller: $blocks, the folder with `<n>.sh`
# for each block, where `<n>.out` receives what it prints; $port, the one of the page's server.
# shellcheck shell=bash disable=SC2154
set -euo pipefail

# Asks everything that the page left running to stop, and waits for it. All of it is in one process group
# with `timeout`, which kills what does not stop in time. The signal may reach this shell too as it ends, so
# its status says nothing: how far the page came stands in $blocks/current.
stop() {
  trap '' TERM
  kill -TERM 0
  wait
}
trap stop EXIT

# The key that a server of this page printed. It may be on its way, so this waits a moment for it.
printed_key() {
  local key
  for _ in $(seq 50); do
    key=$(cat "$blocks"/*.out | grep -aoE 'sk_test_[A-Za-z0-9_]+' | head -n 1) || true
    if [ -n "$key" ]; then
      printf '%s' "$key"
      return
    fi
    sleep 0.1
  done
  echo "no server of this page printed a key" >&2
  return 1
}

# Returns when the page's server answers, or when what was started is gone, or after half a minute.
await_server() {
  for _ in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ! kill -0 "$1" 2>/dev/null; then
      return 0
    fi
    sleep 0.1
  done
}

run_block() {
  local text key started=${!:-}
  echo "$1" >"$blocks/current"
  text=$(<"$blocks/$1.sh")
  if [[ $text == *sk_test_…* ]]; then
    key=$(printed_key)
    text=${text//sk_test_…/$key}
  fi
  # The redirection belongs to `eval`, so that the variables of the block outlive it.
  eval "$text" >"$blocks/$1.out" 2>&1
  if [ "${!:-}" != "$started" ]; then
    await_server "$!"
  fi
}
