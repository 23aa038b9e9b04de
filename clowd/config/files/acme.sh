# acme setup SITE PEM PORT DIRECTORY EMAIL DOMAIN...   installs the client, keeps this script and its settings, asks for the certificate, sets the
#                                                      timer; standard input: {"script", "service", "ca"} as JSON
# acme renew [SITE...]                                 what the timer does: asks where something is due, puts what is new in place, reloads
# acme remove SITE                                     forgets a site; with the last one the timer goes
# certbot answers the authority itself, on PORT of the loopback, where the web server or balancer sends the authority's question. What is
# still valid is kept, so that no authority's limits are used up.
set -eu
umask 077
PATH=$PATH:/usr/sbin:/sbin
home=/etc/otto/acme state=/var/lib/otto/acme
script=/usr/local/lib/otto/acme service=/usr/local/lib/otto/service

fail() { echo "acme: $*" >&2; exit 1; }

client() {
  command -v certbot >/dev/null && return
  if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o APT::Update::Error-Mode=any update >&2
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install certbot >&2
  elif command -v dnf >/dev/null; then
    dnf -q -y install certbot >&2
  else
    fail "no certbot here, and neither apt-get nor dnf to install it"
  fi
  echo "certbot installed"
}

certbot_of() {
  [ ! -s "$home/$site.ca" ] || export REQUESTS_CA_BUNDLE="$home/$site.ca"
  certbot --config-dir "$state/etc" --work-dir "$state/lib" --logs-dir "$state/log" --non-interactive "$@"
}

# A certificate of a few days is due at once by certbot's own rule (30 days); a third of its time is left when it is renewed.
ease() {
  start=$(date -d "$(openssl x509 -noout -startdate -in "$1" | cut -d= -f2)" +%s)
  end=$(date -d "$(openssl x509 -noout -enddate -in "$1" | cut -d= -f2)" +%s)
  hours=$(((end - start) / 3600 / 3))
  [ "$hours" -lt 720 ] || hours=720
  conf=$state/etc/renewal/otto-$site.conf
  grep -qx "renew_before_expiry = $hours hours" "$conf" && return
  sed -i '/^# *renew_before_expiry/d;/^renew_before_expiry/d' "$conf"
  sed -i "1i renew_before_expiry = $hours hours" "$conf"
}

# Asks, unless what is there is good for long enough; then one file of chain and key, in place at once.
issue() {
  . "$home/$site.conf"
  live=$state/etc/live/otto-$site
  set --
  for name in $domains; do set -- "$@" -d "$name"; done
  [ -z "$email" ] || set -- "$@" --email "$email"
  [ -n "$email" ] || set -- "$@" --register-unsafely-without-email
  if ! certbot_of certonly --server "$directory" --agree-tos --standalone --http-01-address 127.0.0.1 --http-01-port "$port" \
    --cert-name "otto-$site" --keep-until-expiring --renew-with-new-domains --key-type ecdsa "$@" >"$state/log/$site.out" 2>&1; then
    why=$(grep -E '^ *(Domain|Type|Detail):|[Ee]rror|too many' "$state/log/$site.out" | sed 's/^ *//' | tr '\n' ' ' | cut -c 1-600)
    echo "acme: the authority issued nothing for $domains: ${why:-see $state/log/$site.out}" >&2
    return 1
  fi
  ease "$live/cert.pem"
  new=${pem%/*}/.new.$$
  cat "$live/fullchain.pem" "$live/privkey.pem" >"$new"
  if cmp -s "$new" "$pem"; then rm -f "$new"; return 0; fi
  mv "$new" "$pem"
  case $pem in */haproxy/*) name=haproxy ;; *) name=nginx ;; esac
  sh "$service" start "$name" >&2
  echo "$pem"
}

timer() {
  if [ -d /run/systemd/system ]; then
    [ ! -e /etc/systemd/system/otto-acme.timer ] || return 0
    printf '[Unit]\nDescription=Renews certificates of the sites that otto configured\n[Service]\nType=oneshot\nExecStart=/bin/sh %s renew\n' "$script" >/etc/systemd/system/otto-acme.service
    printf '[Unit]\nDescription=Twice a day\n[Timer]\nOnCalendar=*-*-* 03,15:00:00\nRandomizedDelaySec=1h\nPersistent=true\n[Install]\nWantedBy=timers.target\n' >/etc/systemd/system/otto-acme.timer
    systemctl daemon-reload
    systemctl -q enable --now otto-acme.timer
  else
    [ ! -e /etc/cron.d/otto-acme ] || return 0
    mkdir -p /etc/cron.d
    (umask 022 && printf '# Renews certificates of the sites that otto configured.\n17 3,15 * * * root sh %s renew >/dev/null\n' "$script" >/etc/cron.d/otto-acme)
  fi
  echo "renewed twice a day"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
  setup)
    site=$1 pem=$2 port=$3 directory=$4 email=$5
    shift 5
    given=$(cat)
    client
    mkdir -p "$home" "$state/log" "${script%/*}"
    part() { printf %s "$given" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
    part script >"$script"
    part service >"$service"
    part ca >"$home/$site.ca"
    printf "directory='%s'\nemail='%s'\nport='%s'\npem='%s'\ndomains='%s'\n" "$directory" "$email" "$port" "$pem" "$*" >"$home/$site.conf"
    issue
    timer
    ;;
  renew)
    failed=0
    for conf in "$home"/*.conf; do
      [ -e "$conf" ] || continue
      site=$(basename "$conf" .conf)
      case " ${*:-$site} " in *" $site "*) (issue) || failed=1 ;; esac
    done
    exit "$failed"
    ;;
  remove)
    site=$1
    [ -e "$home/$site.conf" ] || exit 0
    certbot_of delete --cert-name "otto-$site" >/dev/null 2>&1 || :
    rm -f "$home/$site.conf" "$home/$site.ca"
    echo "$home/$site.conf"
    [ -z "$(find "$home" -name '*.conf' 2>/dev/null | head -n 1)" ] || exit 0
    if [ -e /etc/systemd/system/otto-acme.timer ]; then
      systemctl -q disable --now otto-acme.timer
      rm -f /etc/systemd/system/otto-acme.timer /etc/systemd/system/otto-acme.service
      systemctl daemon-reload
    fi
    rm -f /etc/cron.d/otto-acme "$script" "$service"
    rmdir "$home" /etc/otto "${script%/*}" 2>/dev/null || :
    ;;
  *) fail "unknown verb '$verb': setup, renew or remove" ;;
esac
