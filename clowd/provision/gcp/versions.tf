terraform {
  required_version = ">= 1.4"

  required_providers {
    google = {
      source  = "registry.terraform.io/hashicorp/google" # with its host: OpenTofu would take its own registry
      version = ">= 5.16, < 8.0"
    }
  }
}

# GOOGLE_PROJECT and GOOGLE_APPLICATION_CREDENTIALS.
provider "google" {
  region = var.region
}
