# haproxy: a load balancer. An `aws` image is an AMI.
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

variable "endpoint" {
  type    = string
  default = env("AWS_ENDPOINT_URL_EC2") # where EC2 is somewhere else
}

source "amazon-ebs" "image" {
  region                  = var.region
  custom_endpoint_ec2     = var.endpoint
  skip_metadata_api_check = var.endpoint != ""
  skip_region_validation  = var.endpoint != ""
  instance_type           = var.size

  # `base` is an AMI's id, or Debian's own name for its newest.
  source_ami = substr(var.base, 0, 4) == "ami-" ? var.base : null
  dynamic "source_ami_filter" {
    for_each = substr(var.base, 0, 4) == "ami-" ? [] : [var.base]
    content {
      filters     = { name = source_ami_filter.value, root-device-type = "ebs", virtualization-type = "hvm" }
      owners      = ["136693071363"] # Debian
      most_recent = true
    }
  }

  ssh_username = "admin"
  ssh_timeout  = "5m"
  ami_name     = "otto.${var.name}.${var.run}"
  tags         = var.tags # of the image and what it stands on

  run_tags        = merge(var.tags, { Name = "otto-builder-${var.name}" })
  run_volume_tags = var.tags
  snapshot_tags   = var.tags
}

build {
  sources = ["source.amazon-ebs.image"]

  provisioner "shell" {
    scripts          = ["${path.root}/../../base/debian/install.sh", "${path.root}/../../base/debian/tidy.sh"]
    environment_vars = ["PROGRAMS=haproxy"]
    execute_command  = "sudo env {{ .Vars }} sh {{ .Path }}"
  }

  post-processor "manifest" {
    output = "${var.output_dir}/manifest.json" # the image is the id in builds[].artifact_id, us-east-1:ami-1234
  }
}
