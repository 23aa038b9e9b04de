output "hosts" {
  value = [for name, host in local.hosts : {
    name            = name
    role            = host.role
    address         = local.addresses[name]
    private_address = google_compute_instance.host[name].network_interface[0].network_ip
    user            = "otto"
    probe           = "ssh"
  }]
}

output "endpoint" {
  value = (
    var.cloud_balancer ? "http://${google_compute_forwarding_rule.front[0].ip_address}/" :
    length(local.entries) > 0 ? "http://${local.addresses[local.entries[0]]}/" : null
  )
}
