# For Packer 1.7 and later, which is given the whole folder.
packer {
  required_plugins {
    digitalocean = {
      source  = "github.com/digitalocean/digitalocean"
      version = ">= 1.1.0"
    }
  }
}
