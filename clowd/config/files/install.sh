# install PROGRAM: a machine of one's own gets the package only when the program is not there yet (a golden image has it already).
set -eu
mkdir -p /var/lib/otto
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
  touch "/var/lib/otto/$1.installed"
fi
[ ! -e "/var/lib/otto/$1.idle" ] || mv "/var/lib/otto/$1.idle" "/var/lib/otto/$1.installed"
case $1 in
  nginx) # Debian's welcome page is the default server, which is the site's place
    [ ! -L /etc/nginx/sites-enabled/default ] || { mv /etc/nginx/sites-enabled/default /var/lib/otto/nginx-default && echo "put the welcome page aside"; }
    ;;
  haproxy)
    mkdir -p /etc/haproxy/sites
    [ ! -f /etc/haproxy/haproxy.cfg ] || [ -e /var/lib/otto/haproxy.cfg ] || cp -p /etc/haproxy/haproxy.cfg /var/lib/otto/haproxy.cfg
    # Both systemd's unit and the init script read this file; the folder holds one file a site.
    grep -qs 'haproxy/sites' /etc/default/haproxy || { echo 'EXTRAOPTS="-f /etc/haproxy/sites -S /run/haproxy-master.sock" # otto' >>/etc/default/haproxy; echo "sites are read from /etc/haproxy/sites"; }
    ;;
esac
