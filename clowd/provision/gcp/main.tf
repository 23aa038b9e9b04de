# A site on Compute Engine: a network of its own, instances, what protects them, and, where asked for, Google's own load
# balancer and DNS records.

locals {
  hosts = { for host in var.hosts : host.name => host }
  zone  = "${var.region}-b" # every region has one

  # What visitors reach: the balancers; without one, every www. The others are `inner`: asked by the balancer alone.
  both      = [for host in var.hosts : host.name if host.role == "clowd"]
  balancers = [for host in var.hosts : host.name if contains(["lb", "clowd"], host.role)]
  servers   = [for host in var.hosts : host.name if contains(["www", "clowd"], host.role)]
  # A passthrough balancer hands on the visitor's own address: behind one, every www is an entry.
  entries = sort(length(local.balancers) > 0 ? local.balancers : local.servers)

  # <environment>-<site>-<role>-<n>, at most 63 characters, small letters, digits and hyphens.
  long  = { for name, host in local.hosts : name => "${var.environment}-${var.site}-${name}" }
  names = { for name, long in local.long : name => length(long) <= 63 ? long : "${substr(long, 0, 54)}-${substr(md5(long), 0, 8)}" }

  # Names are unique in a project of Google's, and another store may have a deployment of this name.
  whose  = { for key in ["otto:deployment", "otto:project", "otto:store"] : key => lookup(var.tags, key, "none") }
  mark   = substr(md5(jsonencode(local.whose)), 0, 8)
  prefix = "${trimsuffix(substr("otto-${replace(var.deployment, "_", "-")}", 0, 40), "-")}-${local.mark}"
  # What cannot carry labels says the same in its description; what can does as well, as labels end at 63 characters. No expiry: most
  # descriptions cannot be changed.
  said = jsonencode(local.whose)

  # Neither colons nor capitals: otto_deployment, and otto_owner of ann@desk.lan is ann-desk-lan.
  labels = { for key, value in var.tags : replace(lower(key), "/[^a-z0-9_-]/", "_") => substr(replace(lower(value), "/[^a-z0-9_-]/", "-"), 0, 63) }

  anyone = ["0.0.0.0/0"]
  admins = [for cidr in var.admin_cidrs : cidr if length(regexall(":", cidr)) == 0] # the network has no IPv6
}

# --- Network and firewall -----------------------------------------------------------------------------------------------------------

resource "google_compute_network" "site" {
  name                    = local.prefix
  description             = local.said
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "site" {
  name          = local.prefix
  description   = local.said
  network       = google_compute_network.site.id
  region        = var.region
  ip_cidr_range = "10.10.0.0/24"
}

resource "google_compute_firewall" "ssh" {
  count         = length(local.admins) > 0 ? 1 : 0
  name          = "${local.prefix}-ssh"
  description   = local.said
  network       = google_compute_network.site.name
  source_ranges = local.admins

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

resource "google_compute_firewall" "icmp" {
  name          = "${local.prefix}-icmp"
  description   = local.said
  network       = google_compute_network.site.name
  source_ranges = local.anyone

  allow {
    protocol = "icmp"
  }
}

resource "google_compute_firewall" "entry" {
  name          = "${local.prefix}-entry"
  description   = local.said
  network       = google_compute_network.site.name
  source_ranges = local.anyone
  target_tags   = ["entry"]

  allow {
    protocol = "tcp"
    ports    = ["80", "443"]
  }
}

# From the balancers to the web servers, also to one beside a balancer on the same host (role clowd).
resource "google_compute_firewall" "inner" {
  name          = "${local.prefix}-inner"
  description   = local.said
  network       = google_compute_network.site.name
  source_tags   = ["entry"]
  source_ranges = length(local.admins) > 0 ? local.admins : null

  allow {
    protocol = "tcp"
    ports    = length(local.both) > 0 ? ["80", "8080"] : ["80"]
  }
}

# --- Hosts --------------------------------------------------------------------------------------------------------------------------

resource "google_compute_instance" "host" {
  for_each                  = local.hosts
  name                      = local.names[each.key]
  description               = local.said
  machine_type              = each.value.size
  zone                      = local.zone
  tags                      = contains(local.entries, each.key) ? ["entry"] : ["inner"]
  labels                    = local.labels
  allow_stopping_for_update = true # another size

  boot_disk {
    initialize_params {
      image  = each.value.image != "" ? each.value.image : var.stock_image
      size   = 10
      labels = { for key, value in local.labels : key => value if key != "otto_expires" } # another label would be another disk
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.site.id
    access_config {}
  }

  metadata = {
    enable-oslogin         = "FALSE"
    block-project-ssh-keys = "TRUE"
    ssh-keys               = join("\n", [for key in var.ssh_public_keys : "otto:${key}"])
  }
}

# --- Google's own load balancer -----------------------------------------------------------------------------------------------------

resource "google_compute_instance_group" "servers" {
  count       = var.cloud_balancer ? 1 : 0
  name        = "${local.prefix}-www"
  description = local.said
  zone        = local.zone
  network     = google_compute_network.site.id
}

# Each on its own: an instance that is made anew keeps its name, so a list of instances in the group would look as it did before,
# and the new one would be left out of it.
resource "google_compute_instance_group_membership" "servers" {
  for_each       = toset(var.cloud_balancer ? local.servers : [])
  instance       = google_compute_instance.host[each.key].self_link
  instance_group = google_compute_instance_group.servers[0].name
  zone           = local.zone

  lifecycle {
    replace_triggered_by = [google_compute_instance.host[each.key].instance_id]
  }
}

resource "google_compute_region_health_check" "servers" {
  count               = var.cloud_balancer ? 1 : 0
  name                = "${local.prefix}-www"
  description         = local.said
  region              = var.region
  check_interval_sec  = 2
  timeout_sec         = 2
  healthy_threshold   = 2
  unhealthy_threshold = 2

  tcp_health_check {
    port = 80
  }
}

resource "google_compute_region_backend_service" "servers" {
  count                 = var.cloud_balancer ? 1 : 0
  name                  = "${local.prefix}-www"
  description           = local.said
  region                = var.region
  protocol              = "TCP"
  load_balancing_scheme = "EXTERNAL"
  health_checks         = google_compute_region_health_check.servers[*].id

  backend {
    group          = google_compute_instance_group.servers[0].id
    balancing_mode = "CONNECTION"
  }
}

# One rule for both ports: a rule has a price.
resource "google_compute_forwarding_rule" "front" {
  count                 = var.cloud_balancer ? 1 : 0
  name                  = "${local.prefix}-front"
  description           = local.said
  labels                = local.labels
  region                = var.region
  load_balancing_scheme = "EXTERNAL"
  ip_protocol           = "TCP"
  ports                 = ["80", "443"]
  backend_service       = google_compute_region_backend_service.servers[0].id
}

# --- DNS records, where a zone of this project is named -----------------------------------------------------------------------------

locals {
  dns_zone  = try(lower(tostring(var.vars.dns_zone)), "")
  in_zone   = local.dns_zone == "" ? [] : [for domain in var.domains : lower(domain) if lower(domain) == local.dns_zone || endswith(lower(domain), ".${local.dns_zone}")]
  addresses = { for name in keys(local.hosts) : name => google_compute_instance.host[name].network_interface[0].access_config[0].nat_ip }
}

resource "google_dns_record_set" "site" {
  for_each     = toset(local.in_zone)
  managed_zone = try(tostring(var.vars.dns_managed_zone), replace(local.dns_zone, ".", "-"))
  name         = "${each.key}."
  type         = "A"
  ttl          = 60
  rrdatas      = var.cloud_balancer ? google_compute_forwarding_rule.front[*].ip_address : [for name in local.entries : local.addresses[name]]
}
