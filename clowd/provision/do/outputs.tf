output "hosts" {
  value = [for name, host in local.hosts : {
    name            = name
    role            = host.role
    address         = digitalocean_droplet.host[name].ipv4_address
    private_address = local.private ? digitalocean_droplet.host[name].ipv4_address_private : null
    user            = "root"
    probe           = "ssh"
  }]
}

output "endpoint" {
  value = (
    var.cloud_balancer ? "http://${digitalocean_loadbalancer.front[0].ip}/" :
    length(local.entries) > 0 ? "http://${digitalocean_droplet.host[local.entries[0]].ipv4_address}/" : null
  )
}
