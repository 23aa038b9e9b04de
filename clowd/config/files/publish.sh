# publish SOURCE LINK: makes LINK a folder with exactly what is in SOURCE (a folder or a .tar.gz); says so when something changed.
# The new content is complete before the link turns to it, so that no visitor sees half of it.
set -eu
source=$1 link=$2
if [ -d "$source" ]; then
  ! diff -rq "$source" "$link" >/dev/null 2>&1 || exit 0
  mkdir -p "${link%/*}"
  new=$(mktemp -d "$link.XXXXXX")
  cp -RL "$source/." "$new/"
else
  new=$link.$(sha256sum <"$source" | cut -c 1-12)
  [ "$(readlink "$link" || :)" != "$new" ] || exit 0
  mkdir -p "$new"
  tar -xzf "$source" -C "$new" -o
fi
chmod -R u=rwX,go=rX "$new" # readable for the web server's user, whatever umask this runs with
ln -s "$new" "$new.link"
mv -T "$new.link" "$link"
for old in "$link".*; do [ "$old" = "$new" ] || rm -rf "$old"; done
echo published
