# clowd: all in one: web server, load balancer and otto on one host. A `gcp` image is one of Compute Engine.
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

variable "otto" {
  type    = string
  default = env("OTTO_BIN") # the binary that goes into the image; otto says its own
}

variable "project" {
  type    = string
  default = env("GOOGLE_PROJECT")
}

locals {
  # Neither colons nor capitals: otto_project.
  labels = { for key, value in var.tags : replace(key, ":", "_") => regex_replace(lower(value), "[^a-z0-9_-]", "-") }
}

source "googlecompute" "image" {
  project_id          = var.project
  source_image_family = var.base
  zone                = "${var.region}-b" # every region has one
  machine_type        = var.size
  instance_name       = "otto-builder-${substr(md5("${var.name} ${var.run}"), 0, 12)}"
  labels              = local.labels # of the builder
  image_name          = "${substr("otto-${var.name}", 0, 42)}-${var.run}"
  image_family        = "otto-${split("-", var.name)[0]}"
  image_labels        = local.labels
  disk_size           = 10
  ssh_username        = "packer"
  ssh_timeout         = "5m"

  # Keys come by metadata, for one user only; OS Login would ask for an account of the builder's.
  metadata = { enable-oslogin = "FALSE" }
}

build {
  sources = ["source.googlecompute.image"]

  provisioner "file" {
    source      = var.otto
    destination = "/tmp/otto"
  }

  provisioner "shell" {
    scripts          = ["${path.root}/../../base/debian/install.sh", "${path.root}/../../base/debian/tidy.sh"]
    environment_vars = ["PROGRAMS=nginx haproxy otto"]
    execute_command  = "sudo env {{ .Vars }} sh {{ .Path }}"
  }

  post-processor "manifest" {
    output = "${var.output_dir}/manifest.json" # the image is the name in builds[].artifact_id
  }
}
