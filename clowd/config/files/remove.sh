# remove SITE WWW_FOLDER NGINX_SITES HAPROXY_SITES HAPROXY_CONFIG ARCHIVE KEPT: removes what site.yml wrote for the site, says what.
set -eu
site=$1 www=$2 nginx_sites=$3 haproxy_sites=$4 haproxy_config=$5 archive=$6 kept=$7

for path in "$nginx_sites/otto-$site.conf" "$haproxy_sites/otto-$site.cfg" "$www/$site" "$www/$site".* "$archive"; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  rm -rf "$path"
  echo "$path"
done
if grep -qs "^ *default_backend $site\$" "$haproxy_config"; then # the front of this site
  sed -i "/^ *default_backend $site\$/d" "$haproxy_config"
  echo "$haproxy_config"
fi

# With the last site goes what was changed for all of them; a local host has nothing of that kind.
[ -n "$kept" ] || exit 0
[ -z "$(find "$nginx_sites" "$haproxy_sites" -name 'otto-*' 2>/dev/null | head -n 1)" ] || exit 0
if [ -L "$kept/nginx-default" ]; then
  mv "$kept/nginx-default" /etc/nginx/sites-enabled/default
  echo "the welcome page is back"
fi
if [ -f "$kept/haproxy.cfg" ]; then
  mv "$kept/haproxy.cfg" "$haproxy_config"
  sed -i '/ # otto$/d' /etc/default/haproxy
  rmdir "$haproxy_sites" "$www" 2>/dev/null || :
  echo "$haproxy_config is as it was"
fi
rmdir "$www" 2>/dev/null || :
rm -f "$kept"/*.found
# What nobody used before otto is stopped, unless somebody uses it by now.
used() {
  case $1 in
    nginx) [ -n "$(find /etc/nginx/sites-enabled /etc/nginx/conf.d ! -type d ! -name default 2>/dev/null | head -n 1)" ] ;;
    haproxy) grep -qsE '^(frontend|listen) ' "$haproxy_config" ;;
  esac
}
for mark in "$kept"/*.installed; do
  [ -e "$mark" ] || continue
  name=$(basename "$mark" .installed)
  if used "$name"; then rm "$mark"; else mv "$mark" "$kept/$name.idle"; fi
done
