# certificate FILE replace|keep: makes FILE what stands on standard input, readable for root alone; says so when something changed. keep: only
# when there is none: what an authority issued stays, and otto's own is there for the site to answer with before.
set -eu
file=$1 how=$2
umask 077
mkdir -p "${file%/*}"
if [ "$how" = keep ] && [ -e "$file" ]; then
  cat >/dev/null
  exit 0
fi
new=${file%/*}/.new.$$ # haproxy passes over files that begin with a dot
trap 'rm -f "$new"' EXIT
cat >"$new"
# Another kind of certificate than before: nobody renews it any more.
site=${file##*/otto-}
case $how/$file in replace//etc/*) [ ! -e /usr/local/lib/otto/acme ] || sh /usr/local/lib/otto/acme remove "${site%.pem}" ;; esac
! cmp -s "$new" "$file" || exit 0
mv "$new" "$file"
echo "$file"
