# Passed by otto (only what is declared here); docs/clouds.md has the whole list.

variable "deployment" {
  description = "The deployment's key, such as dev_gcp_hello: in names and descriptions."
  type        = string
}

variable "environment" {
  type = string
}

variable "site" {
  type = string
}

variable "domains" {
  description = "What the site answers to; those in the zone `vars.dns_zone` get records there."
  type        = list(string)
  default     = []
}

variable "hosts" {
  description = "The hosts of the site. The image is an image's name; an empty one is the stock image."
  type        = list(object({ name = string, role = string, image = string, size = string }))
}

variable "cloud_balancer" {
  description = "Google's own load balancer in front of the www (`roles.lb: {kind: cloud}`): a passthrough one, so visitors reach the www by its address."
  type        = bool
  default     = false
}

variable "region" {
  type    = string
  default = "us-central1"
}

variable "stock_image" {
  description = "What a host boots whose role names no image."
  type        = string
  default     = "projects/debian-cloud/global/images/family/debian-12"
}

variable "tags" {
  description = "Whose hosts these are: labels `key_name`, where labels can be; in descriptions elsewhere."
  type        = map(string)
  default     = {}
}

variable "ssh_public_keys" {
  description = "Who may log in, as the user `otto`, who is root by sudo."
  type        = list(string)
  default     = []
}

variable "admin_cidrs" {
  description = "From where SSH is answered, and a web server behind a balancer asked. Empty: from nowhere."
  type        = list(string)
  default     = []
}

variable "vars" {
  description = "`vars:` of the site and its environment: dns_zone, dns_managed_zone."
  type        = any
  default     = {}
}
