# Passed by otto (only what is declared here); see clowd/provision in the documentation for the whole list.

variable "folder" {
  description = "Where this deployment's hosts live: one folder each."
  type        = string
}

variable "hosts" {
  description = "The hosts of the site. The image is the absolute path of an archive."
  type        = list(object({ name = string, role = string, image = string, size = string }))

  validation {
    condition = (
      length([for host in var.hosts : host if host.role == "www"]) < 2 ||
      length([for host in var.hosts : host if contains(["lb", "clowd"], host.role)]) > 0
    )
    error_message = "Several www need an lb: on local one URL is one address, and somebody has to spread it. Add `lb: {image: haproxy, count: 1}` to the roles of the site, or set the count of www to 1."
  }
}

variable "tags" {
  description = "Whose hosts these are; written into each folder, so that a host in no state can be found."
  type        = map(string)
  default     = {}
}
