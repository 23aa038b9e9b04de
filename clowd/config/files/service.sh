# service test|start|stop|refresh NAME, on a machine with or without systemd; the same verbs as the `ctl` of a local host.
# test: would it accept the settings? start: the service runs with the settings as they are now (starts, reloads or does nothing, and prints which). refresh: the same, if it runs.
set -eu
PATH=$PATH:/usr/sbin:/sbin
verb=$1 name=$2 loaded=/var/lib/otto/$2.loaded

# Where systemd does not run, this is the service manager: init scripts restart haproxy for a reload, and lose requests.
systemd() { [ -d /run/systemd/system ]; }
pid() { # sets pid to the service's master, if it runs
  { read -r pid <"/run/$name.pid"; } 2>/dev/null && read -r word <"/proc/$pid/comm" 2>/dev/null && [ "$word" = "$name" ] &&
    ! grep -q '^State:.Z' "/proc/$pid/status"
}
running() { if systemd; then systemctl --quiet is-active "$name"; else pid; fi; }
within() { # COUNT COMMAND: tries it every twentieth of a second
  left=$1
  shift
  until "$@"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.05
  done
}
sites() { [ ! -d /etc/haproxy/sites ] || printf ' -f /etc/haproxy/sites'; } # the folder is gone with the last site
launch() {
  if systemd; then systemctl start "$name"; return; fi
  case $name in
    nginx) nginx </dev/null >/dev/null ;;
    haproxy)
      mkdir -p /run/haproxy
      # shellcheck disable=SC2046
      haproxy -W -D -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg $(sites) </dev/null >/dev/null
      ;;
  esac
  within 60 pid
}
halt() {
  if systemd; then systemctl stop "$name"; return; fi
  case $name in nginx) kill -s QUIT "$pid" ;; haproxy) kill -s USR1 "$pid" ;; esac # requests are finished
  within 60 eval '! pid' || kill -s TERM "$pid"
  within 60 eval '! pid' || { kill -s KILL "$pid" && within 20 eval '! pid'; }
}
workers() { cat "/proc/$pid/task/$pid/children" 2>/dev/null || echo unknown; }
renewed() {
  for number in $(workers); do
    case " $before " in *" $number "*) ;; *) return 0 ;; esac
  done
  return 1
}
reload() {
  if systemd; then systemctl reload "$name"; return; fi
  before=$(workers | tr '\n' ' ')
  case $name in
    nginx) kill -s HUP "$pid" ;;
    haproxy)
      if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- ' -W'; then
        kill -s USR2 "$pid"
      else # started by an init script: a master takes its place, and gets its sockets
        # shellcheck disable=SC2046
        haproxy -W -D -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg $(sites) -sf "$pid" </dev/null >/dev/null
        return
      fi
      ;;
  esac
  [ "$before" = "unknown " ] || within 100 renewed
}
settings() {
  # shellcheck disable=SC2046
  case $name in nginx) nginx -q -t ;; haproxy) haproxy -c -f /etc/haproxy/haproxy.cfg $(sites) ;; esac >&2
}
# Newer than the last load also when the run that wrote them was interrupted before it could load them.
outdated() { [ ! -e "$loaded" ] || [ -n "$(find "/etc/$name" "/etc/default/$name" -newer "$loaded" 2>/dev/null | head -n 1)" ]; }

mkdir -p /var/lib/otto
[ "$verb" != refresh ] || [ ! -e "/var/lib/otto/$name.idle" ] || verb=stop # the last site is gone, and nobody used it before otto
case $verb in
  test) settings ;;
  stop) ! running || { halt && echo "$name stopped"; } ;;
  start | refresh)
    if ! running; then
      [ "$verb" = start ] || exit 0
      settings
      : >"$loaded"
      launch || { echo "$name does not start" >&2; exit 1; }
      echo "$name started"
    elif outdated; then
      settings # a reload with broken settings is reported by nobody
      # New options of the command line need a restart; only the first configuration of a machine brings them.
      if systemd && [ "$name" = haproxy ] && [ ! -e "$loaded" ]; then action=restart; else action=reload; fi
      : >"$loaded"
      case $action in restart) systemctl restart "$name" ;; reload) reload ;; esac ||
        { rm -f "$loaded"; echo "$name: $action failed" >&2; exit 1; }
      echo "$name ${action}ed"
    fi
    ;;
esac
