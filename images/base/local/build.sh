#!/bin/sh
# Makes a `local` image: an archive with a host's whole folder in it. Packer calls it (images/*/local/image.pkr.hcl) with
#   APPLIANCE   the image's kind                 PROGRAMS   what goes into bin/: nginx, haproxy, otto
#   BASE        the folder of this script        ARCHIVE    where the image goes
# and otto adds
#   OTTO_PACKAGES   a folder with unpacked Debian packages, for programs that this machine does not have
#   OTTO_BIN        otto's own binary
# The same inputs give the same bytes: no times, no user names, no run ids inside.
set -eu
umask 022 # modes are part of the bytes

fail() { echo "$APPLIANCE image: $*" >&2; exit 1; }

# An ordinary user's PATH has no sbin, so look there by path; the machine's own programs first, then the unpacked packages.
program() {
  if [ "$1" = otto ]; then
    [ -n "${OTTO_BIN:-}" ] || fail "OTTO_BIN is not set: it must be the path of the otto binary that goes into the image"
    [ -f "$OTTO_BIN" ] || fail "OTTO_BIN: there is no file $OTTO_BIN"
    echo "$OTTO_BIN"
    return
  fi
  command -v "$1" && return
  for folder in /usr/local/sbin /usr/sbin /sbin ${OTTO_PACKAGES:+"$OTTO_PACKAGES/usr/sbin" "$OTTO_PACKAGES/usr/bin"}; do
    [ ! -x "$folder/$1" ] || { echo "$folder/$1"; return; }
  done
  fail "program $1 is missing: not on PATH, not in /usr/sbin, not in OTTO_PACKAGES (${OTTO_PACKAGES:-not set}); install the package $1 or let otto unpack it"
}

# Libraries that only the unpacked packages have travel with the program, behind a wrapper that finds them.
with_libraries() {
  libraries=$(find "$OTTO_PACKAGES/usr/lib" "$OTTO_PACKAGES/lib" -name '*.so*' -exec dirname {} \; 2>/dev/null | sort -u | tr '\n' ':')
  [ -n "$libraries" ] || return 0
  LD_LIBRARY_PATH=$libraries ldd "$tree/bin/$1" | sed -n 's/.* => \(.*\) (0x.*/\1/p' | while IFS= read -r library; do
    case $library in "$OTTO_PACKAGES"/*) cp -L "$library" "$tree/lib/" ;; esac
  done
  [ -n "$(ls "$tree/lib")" ] || return 0
  mv "$tree/bin/$1" "$tree/bin/$1.real"
  cat >"$tree/bin/$1" <<'WRAPPER'
#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd -P)
LD_LIBRARY_PATH=$here/lib exec "$here/bin/$(basename "$0").real" "$@"
WRAPPER
  chmod 755 "$tree/bin/$1"
}

mkdir -p "$(dirname "$ARCHIVE")"
tree=$(mktemp -d "$ARCHIVE.tree.XXXXXX")
trap 'rm -rf "$tree" "$ARCHIVE.part"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$tree" # it becomes the archive's ./
mkdir "$tree/bin" "$tree/lib" "$tree/etc" "$tree/run" "$tree/log" "$tree/tmp" "$tree/www"

services=
for name in $PROGRAMS; do
  path=$(program "$name")
  cp -L "$path" "$tree/bin/$name"
  chmod 755 "$tree/bin/$name"
  case $path in "${OTTO_PACKAGES:-/nowhere}"/*) with_libraries "$name" ;; esac
  [ -d "$BASE/$name" ] || continue # no folder of first settings: a program, not a service
  cp -R "$BASE/$name/." "$tree/"
  mkdir -p "$tree/etc/$name/sites" # git keeps no empty folders
  services="$services $name"
done
echo "${services# }" >"$tree/etc/services"
cp "$BASE/ctl" "$tree/ctl"
printf '{"appliance": "%s", "programs": ["%s"]}\n' "$APPLIANCE" "$(echo "$PROGRAMS" | sed 's/ /", "/g')" >"$tree/image.json"
(cd "$tree" && find . -type f ! -path "./bin/*" -exec chmod 644 {} +)
chmod 755 "$tree/ctl"

# .part first: an interrupted build leaves no half image under the image's name.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C "$tree" . | gzip -n -1 >"$ARCHIVE.part"
mv "$ARCHIVE.part" "$ARCHIVE"
