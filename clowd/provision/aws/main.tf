# A site on EC2, in the account's default network: instances, what protects them, and, where asked for, Amazon's own load
# balancer and DNS records.

locals {
  hosts = { for host in var.hosts : host.name => host }

  # What visitors reach: the balancers; without one, every www. The others are `inner`: asked by the balancer alone.
  both      = [for host in var.hosts : host.name if host.role == "clowd"]
  balancers = [for host in var.hosts : host.name if contains(["lb", "clowd"], host.role)]
  servers   = [for host in var.hosts : host.name if contains(["www", "clowd"], host.role)]
  entries   = sort(length(local.balancers) > 0 ? local.balancers : var.cloud_balancer ? [] : local.servers)

  # <environment>-<site>-<role>-<n>, at most 63 characters.
  long  = { for name, host in local.hosts : name => "${var.environment}-${var.site}-${name}" }
  names = { for name, long in local.long : name => length(long) <= 63 ? long : "${substr(long, 0, 54)}-${substr(md5(long), 0, 8)}" }

  # Another store may have a deployment of this name. Balancers and target groups (which end with their port) have 32 characters.
  mark   = substr(md5("${var.deployment}/${lookup(var.tags, "otto:project", "none")}/${lookup(var.tags, "otto:store", "none")}"), 0, 8)
  prefix = "otto-${replace(var.deployment, "_", "-")}-${local.mark}"
  short  = "${trimsuffix(substr("otto-${replace(var.deployment, "_", "-")}", 0, 19), "-")}-${local.mark}"

  admins_4 = [for cidr in var.admin_cidrs : cidr if length(regexall(":", cidr)) == 0]
  admins_6 = [for cidr in var.admin_cidrs : cidr if length(regexall(":", cidr)) > 0]
  stock    = length([for host in var.hosts : host.name if host.image == ""]) > 0
  dns_zone = try(lower(tostring(var.vars.dns_zone)), "")
}

# --- Firewall -----------------------------------------------------------------------------------------------------------------------

resource "aws_security_group" "hosts" {
  name        = "${local.prefix}-hosts"
  description = "SSH for administrators, ping, and the way out"
  tags        = var.tags

  dynamic "ingress" {
    for_each = length(var.admin_cidrs) > 0 ? [22] : []
    content {
      protocol         = "tcp"
      from_port        = ingress.value
      to_port          = ingress.value
      cidr_blocks      = local.admins_4
      ipv6_cidr_blocks = local.admins_6
    }
  }

  ingress {
    protocol    = "icmp"
    from_port   = 8 # echo
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

# Of the hosts that visitors reach, or of Amazon's balancer.
resource "aws_security_group" "entry" {
  name        = "${local.prefix}-entry"
  description = "HTTP and HTTPS for everybody"
  tags        = var.tags

  dynamic "ingress" {
    for_each = [80, 443]
    content {
      protocol         = "tcp"
      from_port        = ingress.value
      to_port          = ingress.value
      cidr_blocks      = ["0.0.0.0/0"]
      ipv6_cidr_blocks = ["::/0"]
    }
  }

  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_security_group" "inner" {
  name        = "${local.prefix}-inner"
  description = "HTTP for the balancers and administrators"
  tags        = var.tags

  dynamic "ingress" {
    for_each = concat([80], var.cloud_balancer ? [443] : [], length(local.both) > 0 ? [8080] : [])
    content {
      protocol         = "tcp"
      from_port        = ingress.value
      to_port          = ingress.value
      security_groups  = [aws_security_group.entry.id]
      cidr_blocks      = local.admins_4
      ipv6_cidr_blocks = local.admins_6
    }
  }
}

# --- Hosts --------------------------------------------------------------------------------------------------------------------------

data "aws_ami" "stock" {
  count       = local.stock ? 1 : 0
  owners      = ["136693071363"] # Debian
  most_recent = true

  filter {
    name   = "name"
    values = [var.stock_image]
  }
}

# The one that was the newest when the first such host was made: a newer one is no reason for other hosts.
resource "terraform_data" "stock" {
  count = local.stock ? 1 : 0
  input = data.aws_ami.stock[0].id

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_instance" "host" {
  for_each                    = local.hosts
  ami                         = each.value.image != "" ? each.value.image : terraform_data.stock[0].output
  instance_type               = each.value.size
  associate_public_ip_address = true
  tags                        = merge(var.tags, { Name = local.names[each.key] })

  vpc_security_group_ids = concat(
    [aws_security_group.hosts.id],
    contains(local.entries, each.key) ? [aws_security_group.entry.id] : [],
    contains(local.entries, each.key) && !contains(local.both, each.key) ? [] : [aws_security_group.inner.id],
  )

  # An instance takes one key pair, and a site may have several people.
  user_data = "#cloud-config\n${jsonencode({ ssh_authorized_keys = var.ssh_public_keys })}\n"

  root_block_device {
    volume_type = "gp3"
    volume_size = 10
    tags        = var.tags
  }

  metadata_options {
    http_tokens = "required"
  }

  # Of a t3: what it has earned is what it uses; unlimited credits would be paid for.
  dynamic "credit_specification" {
    for_each = length(regexall("^t[0-9]", each.value.size)) > 0 ? ["standard"] : []
    content {
      cpu_credits = credit_specification.value
    }
  }

  lifecycle {
    ignore_changes = [user_data] # read at the first boot only; another key is no reason for another host
  }
}

# --- Amazon's own load balancer -----------------------------------------------------------------------------------------------------

data "aws_vpc" "default" {
  count   = var.cloud_balancer ? 1 : 0
  default = true
}

data "aws_subnets" "default" {
  count = var.cloud_balancer ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default[0].id]
  }

  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

resource "aws_lb" "front" {
  count                            = var.cloud_balancer ? 1 : 0
  name                             = local.short
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = data.aws_subnets.default[0].ids
  security_groups                  = [aws_security_group.entry.id]
  enable_cross_zone_load_balancing = true
  tags                             = var.tags
}

resource "aws_lb_target_group" "front" {
  for_each             = var.cloud_balancer ? { http = 80, https = 443 } : {}
  name                 = "${local.short}-${each.value}"
  protocol             = "TCP" # HTTPS ends on the hosts, as it does without this balancer
  port                 = each.value
  vpc_id               = data.aws_vpc.default[0].id
  deregistration_delay = 30
  tags                 = var.tags

  health_check {
    protocol            = "TCP"
    port                = 80
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "front" {
  for_each          = aws_lb_target_group.front
  load_balancer_arn = aws_lb.front[0].arn
  protocol          = "TCP"
  port              = each.value.port
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = each.value.arn
  }
}

# The key is the host's name: what is replaced with a host is known by it.
resource "aws_lb_target_group_attachment" "http" {
  for_each         = toset(var.cloud_balancer ? local.servers : [])
  target_group_arn = aws_lb_target_group.front["http"].arn
  target_id        = aws_instance.host[each.key].id
}

resource "aws_lb_target_group_attachment" "https" {
  for_each         = toset(var.cloud_balancer ? local.servers : [])
  target_group_arn = aws_lb_target_group.front["https"].arn
  target_id        = aws_instance.host[each.key].id
}

# --- DNS records, where a zone of this account is named -----------------------------------------------------------------------------

data "aws_route53_zone" "site" {
  count = local.dns_zone != "" ? 1 : 0
  name  = local.dns_zone
}

locals {
  in_zone = local.dns_zone == "" ? [] : [for domain in var.domains : lower(domain) if lower(domain) == local.dns_zone || endswith(lower(domain), ".${local.dns_zone}")]
}

resource "aws_route53_record" "site" {
  for_each = toset(local.in_zone)
  zone_id  = data.aws_route53_zone.site[0].zone_id
  name     = each.key
  type     = "A"
  ttl      = var.cloud_balancer ? null : 60
  records  = var.cloud_balancer ? null : [for name in local.entries : aws_instance.host[name].public_ip]

  dynamic "alias" {
    for_each = aws_lb.front
    content {
      name                   = alias.value.dns_name
      zone_id                = alias.value.zone_id
      evaluate_target_health = false
    }
  }
}
