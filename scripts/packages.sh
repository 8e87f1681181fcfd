# Installing what a check needs from Debian; sourced by scripts/test and scripts/pg.
# shellcheck shell=bash

# install_package COMMAND PACKAGE installs the package when the command is missing and we may.
install_package() {
  local as_root=()
  if command -v "$1" >/dev/null; then
    return 0
  fi
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "$1 is missing; installing $2 needs Debian's apt-get and root, so install it by hand" >&2
    return 1
  fi
  echo "installing $2" >&2
  # The lists may be absent or old, so a first failure is no answer.
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq)
  install+=(--no-install-recommends "$2")
  "${install[@]}" >&2 || { "${as_root[@]}" apt-get update -qq >&2 && "${install[@]}" >&2; }
}
