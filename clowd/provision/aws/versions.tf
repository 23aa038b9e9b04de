terraform {
  required_version = ">= 1.4"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws" # with its host: OpenTofu would take its own registry
      version = ">= 5.13, < 7.0" # with security groups of network load balancers
    }
  }
}

# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
provider "aws" {
  region = var.region
}
