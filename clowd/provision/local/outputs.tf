# What the boots chose. Read below an unknown value (the boot's output), so that Terraform waits for the boot. A host whose host.json is lost
# gets an empty address, which otto reports, instead of an error that would stand in the way of `destroy`.
locals {
  nothing = { address = "", http_port = 0, www_port = 0, entry_port = 0, tls_port = 0, services = "" }
  booted  = { for name, host in local.hosts : name => try(jsondecode(file("${terraform_data.boot[name].output.path}/host.json")), local.nothing) }
}

output "hosts" {
  value = [for name, host in local.hosts : {
    name       = name
    role       = host.role
    address    = local.booted[name].address
    connection = "local"
    probe      = local.booted[name].http_port > 0 ? "tcp:${local.booted[name].http_port}" : null # no service, nothing to ask
    vars = {
      root                       = "${var.folder}/${name}"      # roles put etc/ and www/ below it and call its ctl
      services                   = local.booted[name].services  # what ctl looks after
      http_port                  = local.booted[name].http_port # where the host answers
      www_port                   = local.booted[name].www_port  # where its web server does: another one behind a balancer on the same host
      entry                      = name == local.entry ? { address = "127.0.0.1", port = local.booted[name].entry_port, tls_port = try(local.booted[name].tls_port, local.booted[name].entry_port - 10000) } : null
      ansible_remote_tmp         = "$${ANSIBLE_HOME:-$HOME/.ansible}/tmp" # not ~/.ansible; a shell expands it, whatever is in the path
      ansible_python_interpreter = "{{ ansible_playbook_python }}"        # the Python that runs Ansible is there for sure
    }
  }]
}

output "endpoint" {
  value = local.entry == "" ? null : "http://127.0.0.1:${local.booted[local.entry].entry_port}/"
}
