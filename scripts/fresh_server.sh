# A fresh server of the built binary, for checks from outside; sourced by scripts/sdk and
# scripts/schemathesis.
# shellcheck shell=bash

# Tools that are no Rust are kept outside the checkout, so that only the first run installs them.
tools_folder=${FLORIN_TOOLS:-$HOME/.cache/florin-tools}

# python_tool NAME VERSION [REQUIREMENT…] installs a package of PyPI, and what is used beside it, into an
# environment of its own, unless it is there.
python_tool() {
  local folder=$tools_folder/python/$1-$2 package=$1==$2
  shift 2
  if [ -f "$folder/installed" ]; then return; fi
  install_package python3 python3 || return
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    install_package no-such-command python3-venv || return
  fi
  rm -rf "$folder"
  python3 -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$package" "$@" &&
    touch "$folder/installed"
}

# fresh_server starts it with an empty store in a folder of its own and sets `server_url` and `server_key`.
fresh_server() {
  local binary
  binary=$(realpath "${FLORIN_BINARY:-${CARGO_TARGET_DIR:-target}/debug/florin}") || return
  server_folder=$(mktemp -d /var/tmp/florin-outside-XXXXXX) || return
  trap stop_server EXIT
  (
    cd "$server_folder" &&
      FLORIN_SERVER__PORT=0 FLORIN_SERVER__ANSWER_WITHIN=1s exec "$binary" serve >log 2>&1
  ) &
  server_process=$!
  for _ in $(seq 100); do
    server_url=$(sed -n 's/^Florin listens on //p' "$server_folder/log" 2>/dev/null || true)
    server_key=$(grep -om1 'sk_test_[A-Za-z0-9]*' "$server_folder/log" 2>/dev/null || true)
    if [ -n "$server_key" ] && curl -sf "$server_url/ready" >/dev/null; then return; fi
    sleep 0.1
  done
  echo "the server does not start:" >&2
  tail -n 20 "$server_folder/log" >&2
  return 1
}

stop_server() {
  kill "$server_process" 2>/dev/null || true
  wait "$server_process" 2>/dev/null || true
  rm -rf "$server_folder"
}
