#!/bin/sh
# Puts programs onto the Debian machine that a cloud image is made of. Packer calls it (images/*/{do,gcp,aws}) with
#   PROGRAMS   nginx, haproxy, otto; otto was uploaded before
# A service is installed and serves nothing: its sites come with the configuration.
set -eu
export DEBIAN_FRONTEND=noninteractive

# A fresh machine is still busy with itself, and with apt.
! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null 2>&1 || :

kept=/var/lib/otto
mkdir -p "$kept" /usr/local/bin
there() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
lists=
for program in python3 $PROGRAMS; do # Ansible needs Python on every host
  if [ "$program" = otto ]; then
    install -m 755 /tmp/otto /usr/local/bin/otto
    rm -f /tmp/otto
    continue
  fi
  if ! there "$program"; then
    [ -n "$lists" ] || apt-get -q -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=300 update
    lists=yes
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$program"
  fi
  [ "$program" = python3 ] || touch "$kept/$program.installed" # brought by otto: `otto destroy` may stop it with the last site
done
# Debian's welcome page would be the default server, which is the site's place.
rm -f /etc/nginx/sites-enabled/default

# Ansible is all that a host must let in, and it comes with a key.
if [ -d /etc/ssh/sshd_config.d ]; then
  printf '# Written by otto.\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n' >/etc/ssh/sshd_config.d/10-otto.conf
fi

# tidy.sh removes the host keys; this makes new ones before sshd first starts, where cloud-init or the cloud's agent do not.
if [ -d /etc/systemd/system ]; then
  cat >/etc/systemd/system/otto-host-keys.service <<'UNIT'
[Unit]
Description=SSH host keys of this machine, made at its first boot
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
After=cloud-init.service
Before=ssh.service ssh.socket

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p /etc/systemd/system/multi-user.target.wants
  ln -sf ../otto-host-keys.service /etc/systemd/system/multi-user.target.wants/otto-host-keys.service
fi
