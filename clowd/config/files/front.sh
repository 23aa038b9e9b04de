# front SITE CONFIG SITES: succeeds when another site that is still here has the front of this haproxy. Sites that share it are told apart by
# their domains; what is asked by address goes to the one that came first.
set -eu
first=$(sed -n 's/^ *default_backend //p' "$2" 2>/dev/null | head -n 1)
[ -n "$first" ] && [ "$first" != "$1" ] && [ -e "$3/otto-$first.cfg" ]
