# A host is a folder and its processes. Two resources each, so that no interruption loses one: `folder` runs nothing when it is created,
# is therefore never tainted, and its destroy provisioner always runs; `boot` may fail or be killed at any point and is simply repeated.

terraform {
  required_version = ">= 1.4"
}

locals {
  hosts = { for host in var.hosts : host.name => host }

  # The host that answers the site's URL: the load balancer, else the only web server.
  balancers = sort([for host in var.hosts : host.name if contains(["lb", "clowd"], host.role)])
  servers   = sort([for host in var.hosts : host.name if host.role == "www"])
  entry     = try(local.balancers[0], local.servers[0], "")
}

resource "terraform_data" "folder" {
  for_each = local.hosts
  input    = { path = "${var.folder}/${each.key}", halt = abspath("${path.module}/halt") }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh"]
    command     = self.output.halt
    environment = { HOST = self.output.path }
  }
}

resource "terraform_data" "boot" {
  for_each = local.hosts
  input    = { path = terraform_data.folder[each.key].output.path }

  # boot.id is the last file that a boot writes. Without it (never booted, half booted, folder deleted) the id is a new, unknown one, and
  # the plan boots just this host. host.json must not be read here: Terraform refuses a file() whose answer changes during the apply.
  triggers_replace = [each.value.image, try(file("${var.folder}/${each.key}/boot.id"), uuid())]

  provisioner "local-exec" {
    interpreter = ["/bin/sh"]
    command     = abspath("${path.module}/boot")
    environment = {
      HOST  = self.output.path
      IMAGE = self.triggers_replace[0]
      BOOT  = self.triggers_replace[1]
      ENTRY = each.key == local.entry ? "yes" : "no"
      SIZE  = each.value.size
      TAGS  = jsonencode(var.tags)
    }
  }
}
