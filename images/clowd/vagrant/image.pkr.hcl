# clowd: all in one: web server, load balancer and otto on one host. A `vagrant` image is a box: a disk built by qemu from a Debian cloud image, packed by ../../base/vagrant/box.sh.
packer {
  required_version = ">= 1.6.0" # required_plugins are in plugins.pkr.hcl: 1.6 refuses the block, is given this file alone, and has them inside
}

variable "run" {
  type    = string
  default = ""
}

variable "output_dir" {
  type = string
}

variable "name" {
  type = string
}

variable "base" {
  type = string
}

variable "otto" {
  type    = string
  default = env("OTTO_BIN") # the binary that goes into the image; otto says its own
}

source "qemu" "image" {
  iso_url          = var.base # a disk with cloud-init
  iso_checksum     = "none"   # it is the latest of its name
  disk_image       = true
  disk_size        = "10G"
  format           = "qcow2"
  disk_interface   = "virtio"
  net_device       = "virtio-net"
  headless         = true
  memory           = 1024
  cpus             = 2
  boot_wait        = "-1s"
  http_directory   = "${path.root}/../../base/vagrant/seed"
  qemuargs         = [["-smbios", "type=1,serial=ds=nocloud-net;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/"]]
  ssh_username     = "vagrant"
  ssh_password     = "vagrant"
  ssh_timeout      = "15m" # without KVM a boot takes minutes
  shutdown_command = "sudo systemctl poweroff"
  output_directory = "${var.output_dir}/disk"
  vm_name          = "disk.qcow2"
}

build {
  sources = ["source.qemu.image"]

  provisioner "file" {
    source      = var.otto
    destination = "/tmp/otto"
  }

  provisioner "shell" {
    scripts = [
      "${path.root}/../../base/debian/install.sh",
      "${path.root}/../../base/debian/tidy.sh",
      "${path.root}/../../base/vagrant/keys.sh",
    ]
    environment_vars = ["PROGRAMS=nginx haproxy otto"]
    execute_command  = "sudo env {{ .Vars }} sh {{ .Path }}"
  }

  post-processors {
    post-processor "shell-local" {
      script           = "${path.root}/../../base/vagrant/box.sh"
      execute_command  = ["/bin/sh", "-c", "{{.Vars}} sh \"$0\"", "{{.Script}}"] # through sh: an embedded file has no executable bit
      environment_vars = ["DISK=${var.output_dir}/disk/disk.qcow2", "BOX=${var.output_dir}/${var.name}.box"]
    }
    post-processor "artifice" {
      files = ["${var.output_dir}/${var.name}.box"]
    }
    post-processor "manifest" {
      output = "${var.output_dir}/manifest.json" # the image is builds[].files[0].name
    }
  }
}
