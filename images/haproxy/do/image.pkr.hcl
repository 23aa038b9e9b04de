# haproxy: a load balancer. A `do` image is a snapshot of a droplet.
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

variable "region" {
  type = string
}

variable "size" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
}

variable "regions" {
  type    = list(string)
  default = [] # others that sites of the project run in: a snapshot boots only where it lies
}

variable "token" {
  type      = string
  default   = env("DIGITALOCEAN_TOKEN") # Packer 1.6 itself would read DIGITALOCEAN_API_TOKEN
  sensitive = true
}

locals {
  marks = [for key, value in var.tags : lower("${key}:${value}")]
}

source "digitalocean" "image" {
  api_token               = var.token
  image                   = var.base
  region                  = var.region
  size                    = var.size
  droplet_name            = "otto-builder-${var.name}"
  tags                    = local.marks # of the builder; a snapshot can carry its mark only in its name
  ssh_username            = "root"
  temporary_key_pair_type = "ed25519"
  ssh_timeout             = "5m"
  state_timeout           = "6m"
  snapshot_name           = "otto.${var.name}.${lookup(var.tags, "otto:project", "none")}.${lookup(var.tags, "otto:store", "none")}"
  snapshot_regions        = var.regions
}

build {
  sources = ["source.digitalocean.image"]

  provisioner "shell" {
    scripts          = ["${path.root}/../../base/debian/install.sh", "${path.root}/../../base/debian/tidy.sh"]
    environment_vars = ["PROGRAMS=haproxy"]
    execute_command  = "{{ .Vars }} sh {{ .Path }}"
  }

  post-processor "manifest" {
    output = "${var.output_dir}/manifest.json" # the image is the id in builds[].artifact_id, fra1:12345
  }
}
