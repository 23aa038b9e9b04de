output "hosts" {
  value = [for name, host in local.hosts : {
    name            = name
    role            = host.role
    address         = try(digitalocean_droplet.host[name].ipv4_address, null) # gone: a refresh says so, and is no error
    private_address = local.private ? try(digitalocean_droplet.host[name].ipv4_address_private, null) : null
    user            = "root"
    probe           = "ssh"
  }]
}

output "endpoint" {
  value = (
    var.cloud_balancer ? "http://${digitalocean_loadbalancer.front[0].ip}/" :
    length(local.entries) > 0 ? try("http://${digitalocean_droplet.host[local.entries[0]].ipv4_address}/", null) : null
  )
}
