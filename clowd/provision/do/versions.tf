terraform {
  required_version = ">= 1.4"

  required_providers {
    digitalocean = {
      source  = "registry.terraform.io/digitalocean/digitalocean" # with its host: OpenTofu would take its own registry
      version = ">= 2.40, < 3.0"
    }
  }
}

# DIGITALOCEAN_TOKEN, and DIGITALOCEAN_API_URL where the API is somewhere else.
provider "digitalocean" {}
