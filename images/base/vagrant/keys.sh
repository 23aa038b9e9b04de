#!/bin/sh
# The last step inside a box: Vagrant logs in with its well-known key once, and puts a key of the machine's own in its place.
set -eu

home=/home/vagrant
install -d -m 700 -o vagrant -g vagrant "$home/.ssh"
cat >"$home/.ssh/authorized_keys" <<'KEY'
ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ== vagrant insecure public key
KEY
chown vagrant:vagrant "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
printf 'vagrant ALL=(ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/vagrant
chmod 440 /etc/sudoers.d/vagrant
usermod -p '*' vagrant # no password lets anybody in, the key does
sync
