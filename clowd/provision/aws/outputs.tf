output "hosts" {
  value = [for name, host in local.hosts : {
    name            = name
    role            = host.role
    address         = aws_instance.host[name].public_ip
    private_address = aws_instance.host[name].private_ip
    user            = "admin"
    probe           = "ssh"
  }]
}

output "endpoint" {
  value = (
    var.cloud_balancer ? "http://${aws_lb.front[0].dns_name}/" :
    length(local.entries) > 0 ? "http://${aws_instance.host[local.entries[0]].public_ip}/" : null
  )
}
