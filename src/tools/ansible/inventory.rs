//! The static inventory, made from what the root declares: groups by role, one value for one deployment.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{DeploymentSpec, Host, ssh};

/// How hosts are reached, and what else the inventory has to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// How SSH reaches them; absent where only the values of the inventory matter.
    pub ssh: Option<ssh::Access>,
    /// A folder for what Ansible leaves on local hosts, absolute; goes with a private `ANSIBLE_HOME`.
    pub local_home: Option<String>,
    /// Further variables for all hosts, above the user's.
    pub vars: Map<String, Value>,
}

/// Groups that the playbook of every project may name, there even when empty: a play on a group that does not exist is
/// a warning.
const ALWAYS: [&str; 2] = ["lb", "www"];

/// The inventory as a JSON document that Ansible's YAML reader takes (the file's name must end in `.json`). The same
/// wishes give the same bytes.
pub fn inventory(spec: &DeploymentSpec, hosts: &[Host], access: &Access) -> Value {
    let mut groups: BTreeMap<&str, BTreeMap<&str, &Host>> = BTreeMap::new();
    for name in ALWAYS {
        groups.entry(name).or_default();
    }
    for host in hosts {
        groups.entry(&host.role).or_default().insert(&host.name, host);
        // A `clowd` host is all in one: it serves pages and spreads requests.
        if host.role == "clowd" {
            for name in ALWAYS {
                groups.entry(name).or_default().insert(&host.name, host);
            }
        }
    }
    let children: Map<String, Value> = groups
        .into_iter()
        .map(|(group, members)| {
            let members: Map<String, Value> = members.keys().map(|name| ((*name).to_owned(), json!({}))).collect();
            let own = spec.roles.iter().find(|(name, _)| name.as_str() == group).map(|(_, role)| &role.ansible);
            let group_of = match own.filter(|own| !own.is_empty()) {
                Some(own) => json!({ "hosts": members, "vars": { "own_roles": own } }),
                None => json!({ "hosts": members }),
            };
            (group.to_owned(), group_of)
        })
        .collect();
    let mut named: Vec<&Host> = hosts.iter().collect();
    named.sort_by(|a, b| a.name.cmp(&b.name));
    let all: Map<String, Value> =
        named.into_iter().map(|host| (host.name.clone(), Value::Object(host_vars(host, hosts, access)))).collect();
    json!({ "all": { "vars": all_vars(spec, access), "hosts": all, "children": children } })
}

/// The user's variables, sorted, then otto's words, which nothing overrides.
fn all_vars(spec: &DeploymentSpec, access: &Access) -> Map<String, Value> {
    let mut vars = Map::new();
    // Later ones win: the deployment's own below what the caller adds.
    let mut theirs: BTreeMap<&String, &Value> = spec.vars.iter().collect();
    theirs.extend(access.vars.iter());
    for (name, value) in theirs {
        vars.insert(name.clone(), value.clone());
    }
    let own = [
        ("site", json!(spec.id.site)),
        ("domains", json!(spec.domains)),
        // `environment` is a keyword of tasks: a variable of that name is a warning, and reads as `[]`.
        ("environment_name", json!(spec.id.environment)),
        ("deployment", json!(spec.id.key())),
        ("provider", json!(spec.id.provider)),
        ("content", json!(spec.content)),
    ];
    for (name, value) in own {
        vars.insert(name.to_owned(), value);
    }
    if spec.has_cloud_balancer() {
        vars.insert("cloud_balancer".to_owned(), json!(true));
    }
    if spec.on.is_some() {
        // The hosts' own site answers what is asked by address.
        vars.insert("default_site".to_owned(), json!(false));
    }
    vars
}

fn host_vars(host: &Host, hosts: &[Host], access: &Access) -> Map<String, Value> {
    let mut vars = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            vars.insert(name.to_owned(), value);
        }
    };
    set("ansible_host", json!(host.address));
    set("ansible_connection", json!(host.connection.as_deref().unwrap_or("ssh")));
    if host.is_local() {
        // The Python that Ansible itself runs with: the machine's own may lack what modules need.
        set("ansible_python_interpreter", json!("{{ ansible_playbook_python }}"));
        set("ansible_remote_tmp", json!(access.local_home.as_ref().map(|home| format!("{home}/tmp"))));
    } else {
        let ssh = access.ssh.as_ref();
        set("ansible_user", json!(ssh.map_or(host.user.as_deref(), |ssh| ssh.user(host))));
        set("ansible_port", json!(host.port));
        set("ansible_ssh_private_key_file", json!(ssh.map_or(host.identity.as_deref(), |ssh| ssh.identity(host))));
        set("ansible_ssh_common_args", json!(ssh.map(|ssh| ssh_args(ssh, host, hosts))));
    }
    let mut theirs: Vec<_> = host.vars.iter().collect();
    theirs.sort_by_key(|(name, _)| *name);
    for (name, value) in theirs {
        vars.insert(name.clone(), value.clone());
    }
    let own = [
        // No `name`: a keyword as well, and `inventory_hostname` says it.
        ("role", json!(host.role)),
        ("address", json!(host.address)),
        ("private_address", json!(host.private_address.as_ref().unwrap_or(&host.address))),
    ];
    for (name, value) in own {
        vars.insert(name.to_owned(), value);
    }
    vars
}

/// Options for ssh as Ansible takes them, which splits them like a shell does. User, port and key it adds itself.
fn ssh_args(access: &ssh::Access, host: &Host, hosts: &[Host]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut args = vec!["-F".to_owned(), quoted(&access.config)];
    if access.identity(host).is_some() {
        args.push("-o IdentitiesOnly=yes".to_owned());
    }
    if let Some(jump) = access.jump(host, hosts) {
        args.push(format!("-o {}", quoted(&format!("ProxyJump={jump}"))));
    }
    args.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> DeploymentSpec {
        serde_json::from_value(json!({
            "id": "dev/local/hello", "domains": ["hello.localhost"], "roles": {}, "content": "/p/sites/hello/html",
            "checks": [], "region": "", "vars": {"z": 1, "a": [2], "site": "not mine"}, "ttl_s": null, "protect": false
        }))
        .expect("a spec")
    }

    fn host(value: Value) -> Host {
        serde_json::from_value(value).expect("a host")
    }

    fn access() -> Access {
        Access {
            ssh: Some(ssh::Access {
                ssh: ssh::Ssh {
                    user: Some("debian".into()),
                    identity: Some("/k/id".into()),
                    jump: Some("me@bastion".into()),
                    ..ssh::Ssh::default()
                },
                config: "/o/my hosts/config".into(),
                known_hosts: "/o/my hosts/known".into(),
            }),
            local_home: Some("/o/ansible".into()),
            vars: Map::new(),
        }
    }

    #[test]
    fn groups_follow_roles_and_the_order_is_fixed() {
        let www = host(
            json!({"name":"www-1","role":"www","address":"127.70.0.1","connection":"local","vars":{"root":"/h","http_port":8080}}),
        );
        let all = host(json!({"name":"clowd-1","role":"clowd","address":"10.0.0.1","user":"root","port":2222}));
        let access = access();
        let one = inventory(&spec(), &[www.clone(), all.clone()], &access);
        assert_eq!(one.to_string(), inventory(&spec(), &[all, www], &access).to_string());
        insta::assert_snapshot!(serde_json::to_string_pretty(&one).expect("JSON"), @r#"
        {
          "all": {
            "vars": {
              "a": [
                2
              ],
              "site": "hello",
              "z": 1,
              "domains": [
                "hello.localhost"
              ],
              "environment_name": "dev",
              "deployment": "dev_local_hello",
              "provider": "local",
              "content": "/p/sites/hello/html"
            },
            "hosts": {
              "clowd-1": {
                "ansible_host": "10.0.0.1",
                "ansible_connection": "ssh",
                "ansible_user": "root",
                "ansible_port": 2222,
                "ansible_ssh_private_key_file": "/k/id",
                "ansible_ssh_common_args": "-F '/o/my hosts/config' -o IdentitiesOnly=yes -o 'ProxyJump=me@bastion'",
                "role": "clowd",
                "address": "10.0.0.1",
                "private_address": "10.0.0.1"
              },
              "www-1": {
                "ansible_host": "127.70.0.1",
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "ansible_remote_tmp": "/o/ansible/tmp",
                "http_port": 8080,
                "root": "/h",
                "role": "www",
                "address": "127.70.0.1",
                "private_address": "127.70.0.1"
              }
            },
            "children": {
              "clowd": {
                "hosts": {
                  "clowd-1": {}
                }
              },
              "lb": {
                "hosts": {
                  "clowd-1": {}
                }
              },
              "www": {
                "hosts": {
                  "clowd-1": {},
                  "www-1": {}
                }
              }
            }
          }
        }
        "#);
    }
}
