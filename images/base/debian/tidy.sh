#!/bin/sh
# The last step of a cloud image: what is this one machine's must not be every host's. Packer calls it (images/*/{do,gcp,aws}).
set -eu

rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub          # one private key for all hosts would be none
: >/etc/machine-id                                                  # filled at the first boot
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys       # whoever may log in is said when a host is made
rm -f /root/.bash_history /home/*/.bash_history /root/.wget-hsts
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin
rm -f /var/lib/dhcp/*.leases
find /var/log -type f -exec sh -c 'for file; do : >"$file"; done' sh {} +
! command -v cloud-init >/dev/null || cloud-init clean --logs >/dev/null 2>&1 || : # the next boot is a first one
sync
