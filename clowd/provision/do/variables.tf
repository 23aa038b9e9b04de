# Passed by otto (only what is declared here); docs/clouds.md has the whole list.

variable "deployment" {
  description = "The deployment's key, such as dev_do_hello: in the names of what cannot carry tags."
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
  description = "The hosts of the site. The image is a snapshot's id; an empty one is the stock image."
  type        = list(object({ name = string, role = string, image = string, size = string }))
}

variable "cloud_balancer" {
  description = "DigitalOcean's own load balancer in front of the www (`roles.lb: {kind: cloud}`)."
  type        = bool
  default     = false
}

variable "region" {
  type    = string
  default = "fra1"
}

variable "stock_image" {
  description = "What a host boots whose role names no image."
  type        = string
  default     = "debian-12-x64"
}

variable "tags" {
  description = "Whose hosts these are: a tag `key:value` each."
  type        = map(string)
  default     = {}
}

variable "ssh_public_keys" {
  description = "Who may log in to new hosts."
  type        = list(string)
  default     = []
}

variable "ssh_fingerprints" {
  description = "The same keys as DigitalOcean names them. otto gives them, and has `shared` put the keys on the account before every apply. Without (by hand) this root puts them there itself."
  type        = list(string)
  default     = null
}

variable "admin_cidrs" {
  description = "From where SSH is answered, and a web server behind a balancer asked. Empty: from nowhere."
  type        = list(string)
  default     = []
}

variable "vars" {
  description = "`vars:` of the site and its environment: dns_zone, private_network."
  type        = any
  default     = {}
}
