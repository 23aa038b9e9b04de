# install PROGRAM: a machine of one's own gets the package only when the program is not there yet (a golden image has it already).
set -eu
kept=/var/lib/otto
mkdir -p "$kept"
if ! command -v "$1" >/dev/null && [ ! -x "/usr/sbin/$1" ]; then
  if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o APT::Update::Error-Mode=any update >&2
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install "$1" >&2
  elif command -v dnf >/dev/null; then
    dnf -q -y install "$1" >&2
  else
    echo "no $1 here, and neither apt-get nor dnf to install it" >&2
    exit 1
  fi
  echo installed
  touch "$kept/$1.installed"
elif [ ! -e "$kept/$1.installed" ] && [ ! -e "$kept/$1.idle" ] && [ ! -e "$kept/$1.found" ] && ! pgrep -x "$1" >/dev/null 2>&1; then
  touch "$kept/$1.installed" # it is there and nobody runs it (a golden image): as good as brought by otto
elif [ ! -e "$kept/$1.installed" ] && [ ! -e "$kept/$1.idle" ]; then
  touch "$kept/$1.found" # somebody else runs it: it goes on when otto's last site has gone
fi
[ ! -e "$kept/$1.idle" ] || mv "$kept/$1.idle" "$kept/$1.installed"
case $1 in
  nginx) # Debian's welcome page is the default server, which is the site's place
    [ ! -L /etc/nginx/sites-enabled/default ] || { mv /etc/nginx/sites-enabled/default "$kept/nginx-default" && echo "put the welcome page aside"; }
    ;;
  haproxy)
    if ! grep -qs '^# Written by otto' /etc/haproxy/haproxy.cfg && grep -qsE '^(frontend|listen) ' /etc/haproxy/haproxy.cfg; then
      echo "haproxy serves something else here (/etc/haproxy/haproxy.cfg), which otto would replace: take another machine for the role lb" >&2
      exit 1
    fi
    mkdir -p /etc/haproxy/sites
    [ ! -f /etc/haproxy/haproxy.cfg ] || [ -e "$kept/haproxy.cfg" ] || cp -p /etc/haproxy/haproxy.cfg "$kept/haproxy.cfg"
    # systemd's unit reads this file; the folder holds one file a site.
    grep -qs 'haproxy/sites' /etc/default/haproxy || { echo 'EXTRAOPTS="-f /etc/haproxy/sites -S /run/haproxy-master.sock" # otto' >>/etc/default/haproxy; echo "sites are read from /etc/haproxy/sites"; }
    ;;
esac
