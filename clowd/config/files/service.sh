# service start|stop|refresh NAME, on a machine with systemd or init scripts; the same verbs as the `ctl` of a local host.
# start: the service runs with the settings as they are now (starts, reloads or does nothing, and prints which). refresh: the same, if it runs.
set -eu
PATH=$PATH:/usr/sbin:/sbin
verb=$1 name=$2 loaded=/var/lib/otto/$2.loaded

unit() { if [ -d /run/systemd/system ]; then systemctl "$1" "$name" >/dev/null; else service "$name" "$1" </dev/null >/dev/null 2>&1; fi; }
settings() {
  set -- # the folder is gone with the last site
  [ ! -d /etc/haproxy/sites ] || set -- -f /etc/haproxy/sites
  case $name in nginx) nginx -q -t ;; haproxy) haproxy -c -f /etc/haproxy/haproxy.cfg "$@" ;; esac >&2
}
# Newer than the last load also when the run that wrote them was interrupted before it could load them.
outdated() { [ ! -e "$loaded" ] || [ -n "$(find "/etc/$name" "/etc/default/$name" -newer "$loaded" 2>/dev/null | head -n 1)" ]; }

mkdir -p /var/lib/otto
[ "$verb" != refresh ] || [ ! -e "/var/lib/otto/$name.idle" ] || verb=stop # the last site is gone, and otto had brought the package
case $verb in
  stop) ! unit status || { unit stop && echo "$name stopped"; } ;;
  start | refresh)
    if ! unit status; then
      [ "$verb" = start ] || exit 0
      settings
      : >"$loaded"
      unit start || { echo "$name does not start" >&2; exit 1; }
      echo "$name started"
    elif outdated; then
      settings # a reload with broken settings is reported by nobody
      # New options of the command line need a restart; only the first configuration of a machine brings them.
      if [ "$name" = haproxy ] && [ ! -e "$loaded" ]; then action=restart; else action=reload; fi
      : >"$loaded"
      unit "$action" || { rm -f "$loaded"; echo "$name: $action failed" >&2; exit 1; }
      echo "$name ${action}ed"
    fi
    ;;
esac
