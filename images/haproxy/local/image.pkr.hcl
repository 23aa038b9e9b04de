# haproxy: a load balancer. A `local` image is an archive with a host's whole folder in it; ../../base/local/build.sh makes it.
packer {
  required_version = ">= 1.6.0" # no required_plugins: 1.6 refuses the block, and nothing here needs a plugin
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
  type    = string
  default = "" # what a cloud image starts from; an archive starts from nothing
}

source "null" "image" {
  communicator = "none"
}

build {
  sources = ["source.null.image"]

  provisioner "shell-local" {
    script          = "${path.root}/../../base/local/build.sh"
    execute_command = ["/bin/sh", "-c", "{{.Vars}} sh \"$0\"", "{{.Script}}"] # through sh: an embedded file has no executable bit; $0: any path
    environment_vars = [
      "APPLIANCE=haproxy",
      "PROGRAMS=haproxy",
      "BASE=${path.root}/../../base/local",
      "ARCHIVE=${var.output_dir}/${var.name}.tar.gz",
    ]
  }

  post-processors {
    post-processor "artifice" {
      files = ["${var.output_dir}/${var.name}.tar.gz"]
    }
    post-processor "manifest" {
      output = "${var.output_dir}/manifest.json" # the image is builds[].files[0].name
    }
  }
}
