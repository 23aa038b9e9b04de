# A site on DigitalOcean: droplets, what protects them, and, where asked for, the provider's own load balancer and DNS records.

locals {
  hosts = { for host in var.hosts : host.name => host }

  # What visitors reach: the balancers; without one, every www. The others are `inner`: asked by the balancer alone.
  balancers = [for host in var.hosts : host.name if contains(["lb", "clowd"], host.role)]
  servers   = [for host in var.hosts : host.name if contains(["www", "clowd"], host.role)]
  both      = [for host in var.hosts : host.name if host.role == "clowd"]
  entries   = sort(length(local.balancers) > 0 ? local.balancers : var.cloud_balancer ? [] : local.servers)
  inner     = sort(setsubtract(keys(local.hosts), local.entries))

  # <environment>-<site>-<role>-<n>, at most 63 characters.
  long  = { for name, host in local.hosts : name => "${var.environment}-${var.site}-${name}" }
  names = { for name, long in local.long : name => length(long) <= 63 ? long : "${substr(long, 0, 54)}-${substr(md5(long), 0, 8)}" }

  # A tag may hold letters, digits, `:`, `-` and `_`, and a capital makes it no other tag: otto:owner of ann@desk.lan is ann-desk-lan.
  tags = [for key, value in var.tags : substr(replace(lower("${key}:${value}"), "/[^a-z0-9:_-]/", "-"), 0, 255)]

  # What cannot carry tags says the same in its name; `_` is not allowed there, `.` is in no key.
  project = lookup(var.tags, "otto:project", "none")
  store   = lookup(var.tags, "otto:store", "none")
  prefix  = "otto.${replace(var.deployment, "_", ".")}.${local.project}.${local.store}"
  anyone  = ["0.0.0.0/0", "::/0"]
  admins  = length(var.admin_cidrs) > 0 ? var.admin_cidrs : null

  private = try(tobool(var.vars.private_network), false)
  zone    = try(lower(tostring(var.vars.dns_zone)), "")
}

# --- Who may log in -----------------------------------------------------------------------------------------------------------------

# DigitalOcean takes a public key once per account, whoever brings it. So with otto the key is not this deployment's: see `shared`.
resource "digitalocean_ssh_key" "admin" {
  for_each   = var.ssh_fingerprints == null ? { for key in var.ssh_public_keys : substr(md5(key), 0, 8) => key } : {}
  name       = "${local.prefix}.${each.key}"
  public_key = each.value
}

# --- Firewall: by tags, so that a droplet is protected from its first second on -----------------------------------------------------

resource "digitalocean_tag" "hosts" {
  name = "otto-hosts:${var.deployment}:${local.project}:${local.store}"
}

resource "digitalocean_tag" "entry" {
  count = length(local.entries) > 0 ? 1 : 0
  name  = "otto-entry:${var.deployment}:${local.project}:${local.store}"
}

resource "digitalocean_tag" "inner" {
  count = length(local.inner) > 0 ? 1 : 0
  name  = "otto-inner:${var.deployment}:${local.project}:${local.store}"
}

resource "digitalocean_firewall" "hosts" {
  name = "${local.prefix}.hosts"
  tags = [digitalocean_tag.hosts.name]

  dynamic "inbound_rule" {
    for_each = length(var.admin_cidrs) > 0 ? ["22"] : []
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = local.admins
    }
  }

  inbound_rule {
    protocol         = "icmp"
    source_addresses = local.anyone
  }

  outbound_rule {
    protocol              = "tcp"
    port_range            = "1-65535"
    destination_addresses = local.anyone
  }

  outbound_rule {
    protocol              = "udp"
    port_range            = "1-65535"
    destination_addresses = local.anyone
  }

  outbound_rule {
    protocol              = "icmp"
    destination_addresses = local.anyone
  }
}

resource "digitalocean_firewall" "entry" {
  count = length(local.entries) > 0 ? 1 : 0
  name  = "${local.prefix}.entry"
  tags  = [digitalocean_tag.entry[0].name]

  dynamic "inbound_rule" {
    for_each = ["80", "443"]
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = local.anyone
    }
  }

  # The web server beside a balancer on one host (role clowd) is asked by the balancers of the others too.
  dynamic "inbound_rule" {
    for_each = length(local.both) > 0 ? ["8080"] : []
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = local.admins
      source_tags      = digitalocean_tag.entry[*].name
    }
  }
}

resource "digitalocean_firewall" "inner" {
  count = length(local.inner) > 0 ? 1 : 0
  name  = "${local.prefix}.inner"
  tags  = [digitalocean_tag.inner[0].name]

  dynamic "inbound_rule" {
    for_each = var.cloud_balancer ? ["80", "443"] : ["80"]
    content {
      protocol                  = "tcp"
      port_range                = inbound_rule.value
      source_addresses          = local.admins
      source_tags               = length(local.entries) > 0 ? digitalocean_tag.entry[*].name : null
      source_load_balancer_uids = var.cloud_balancer ? digitalocean_loadbalancer.front[*].id : null
    }
  }
}

# --- Hosts --------------------------------------------------------------------------------------------------------------------------

resource "digitalocean_droplet" "host" {
  for_each = local.hosts
  name     = local.names[each.key]
  region   = var.region
  size     = each.value.size
  image    = each.value.image != "" ? each.value.image : var.stock_image
  ssh_keys = var.ssh_fingerprints != null ? var.ssh_fingerprints : [for key in digitalocean_ssh_key.admin : key.fingerprint]
  tags = concat(
    local.tags,
    [digitalocean_tag.hosts.name],
    contains(local.entries, each.key) ? digitalocean_tag.entry[*].name : digitalocean_tag.inner[*].name,
  )

  lifecycle {
    ignore_changes = [ssh_keys] # read at the first boot only; another key is no reason for another host
  }

  depends_on = [digitalocean_firewall.hosts] # there before the host, gone after it
}

# --- The provider's own load balancer -----------------------------------------------------------------------------------------------

resource "digitalocean_loadbalancer" "front" {
  count       = var.cloud_balancer ? 1 : 0
  name        = "${local.prefix}.front"
  region      = var.region
  droplet_ids = [for name in sort(local.servers) : digitalocean_droplet.host[name].id]

  forwarding_rule {
    entry_port      = 80
    entry_protocol  = "http"
    target_port     = 80
    target_protocol = "http"
  }

  # TLS ends on the hosts, as it does without this balancer.
  forwarding_rule {
    entry_port      = 443
    entry_protocol  = "https"
    target_port     = 443
    target_protocol = "https"
    tls_passthrough = true
  }

  healthcheck {
    protocol                 = "tcp" # a check by HTTP would take nothing but 200 for an answer
    port                     = 80
    check_interval_seconds   = 3 # the shortest there are: a www that dies costs visitors some seconds
    response_timeout_seconds = 3
    healthy_threshold        = 2
    unhealthy_threshold      = 2
  }
}

# --- DNS records, where a zone of this account is named -----------------------------------------------------------------------------

locals {
  in_zone = local.zone == "" ? [] : [for domain in var.domains : lower(domain) if lower(domain) == local.zone || endswith(lower(domain), ".${local.zone}")]
  targets = var.cloud_balancer ? ["front"] : local.entries
  records = { for pair in setproduct(local.in_zone, local.targets) : "${pair[0]} ${pair[1]}" => { domain = pair[0], target = pair[1] } }
}

resource "digitalocean_record" "site" {
  for_each = local.records
  domain   = local.zone
  type     = "A"
  name     = each.value.domain == local.zone ? "@" : trimsuffix(each.value.domain, ".${local.zone}")
  value    = var.cloud_balancer ? digitalocean_loadbalancer.front[0].ip : digitalocean_droplet.host[each.value.target].ipv4_address
  ttl      = 60
}
