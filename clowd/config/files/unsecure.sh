# unsecure SITE CERTS HAPROXY_SITES: takes the certificate of a site without HTTPS away, and with the last one the front for all of them.
set -eu
site=$1 certs=$2 haproxy_sites=$3
if [ -e "$certs/otto-$site.pem" ]; then
  rm -f "$certs/otto-$site.pem"
  echo "$certs/otto-$site.pem"
fi
[ -e "$haproxy_sites/https.cfg" ] || exit 0
[ -z "$(find "$certs" -name 'otto-*.pem' 2>/dev/null | head -n 1)" ] || exit 0
rm -f "$haproxy_sites/https.cfg"
echo "$haproxy_sites/https.cfg"
