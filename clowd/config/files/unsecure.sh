# unsecure SITE CERTS HAPROXY_SITES: takes the certificate of a site without HTTPS away, its renewal too, and with the last one the front for
# all of them.
set -eu
site=$1 certs=$2 haproxy_sites=$3
case $certs in /etc/*) [ ! -e /usr/local/lib/otto/acme ] || sh /usr/local/lib/otto/acme remove "$site" ;; esac
if [ -e "$certs/otto-$site.pem" ]; then
  rm -f "$certs/otto-$site.pem"
  echo "$certs/otto-$site.pem"
fi
[ -e "$haproxy_sites/https.cfg" ] || exit 0
[ -z "$(find "$certs" -name 'otto-*.pem' 2>/dev/null | head -n 1)" ] || exit 0
rm -f "$haproxy_sites/https.cfg"
rmdir "$certs" 2>/dev/null || :
echo "$haproxy_sites/https.cfg"
