#!/usr/bin/env bash
# Install what the tests need from Debian (Chromium, PostgreSQL), where this is Debian and root;
# elsewhere say exactly what is missing.
set -euo pipefail
missing=()
command -v chromium >/dev/null || missing+=(chromium)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} (Debian packages)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "The tests need these, which this machine lacks: ${missing[*]}" >&2
  echo "Install them as root, on Debian: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
