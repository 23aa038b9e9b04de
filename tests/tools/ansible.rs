//! Ansible, with otto's own callback.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use otto::model::{DeploymentSpec, Host};
use otto::tools::Said;
use otto::tools::ansible::{Access, AnsibleOutcome, Events, Playbook, Report, callback, classify, config, inventory};
use serde_json::json;

use super::{end, feed, folder, run, tool};

struct Bench {
    _guard: tempfile::TempDir,
    dir: Utf8PathBuf,
    program: Utf8PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let program = tool("ansible-playbook", "OTTO_TEST_ANSIBLE_PLAYBOOK")?;
        let (guard, dir) = folder();
        callback::install(&dir.join("cb")).expect("the callback");
        callback::install(&dir.join("cb")).expect("again");
        Some(Self { _guard: guard, dir, program })
    }

    fn hosts(&self, hosts: serde_json::Value) -> Vec<String> {
        let hosts: Vec<Host> = serde_json::from_value(hosts).expect("hosts");
        let spec: DeploymentSpec = serde_json::from_value(json!({
            "id": "dev/local/hello", "domains": ["hello.localhost"], "roles": {}, "content": null, "checks": [],
            "region": "", "vars": {"greeting": "hi"}, "ttl_s": null, "protect": false
        }))
        .expect("a spec");
        let access = Access { local_home: Some(self.dir.join("home").into_string()), ..Access::default() };
        let text = inventory(&spec, &hosts, &access).to_string();
        fs::write(self.dir.join("inventory.json"), text).expect("an inventory");
        hosts.into_iter().map(|host| host.name).collect()
    }

    fn play(&self, playbook: &str, limit: &[&str]) -> (Report, Vec<Said>, std::process::Output) {
        fs::write(self.dir.join("site.yml"), playbook).expect("a playbook");
        let events = self.dir.join("events");
        let _ = fs::remove_file(&events);
        let call = Playbook {
            program: self.program.clone(),
            playbook: self.dir.join("site.yml"),
            inventory: self.dir.join("inventory.json"),
            cwd: self.dir.clone(),
            limit: limit.iter().map(|name| (*name).to_owned()).collect(),
            check: false,
            extra_vars: None,
            passthrough: Vec::new(),
            events: events.clone(),
            callbacks: config::search_path(config::Searched::Callbacks, Some(&self.dir.join("cb")), None, None),
            config: None,
            home: Some(self.dir.join("home")),
            control_dir: None,
            env: BTreeMap::from([("ANSIBLE_TIMEOUT".to_owned(), "3".to_owned())]),
        };
        let output = run(&call.run());
        let mut reader = Events::new();
        let said = feed(&mut reader, &fs::read_to_string(&events).unwrap_or_default());
        (reader.report(), said, output)
    }
}

fn local(name: &str, role: &str) -> serde_json::Value {
    json!({"name": name, "role": role, "address": "127.0.0.1", "connection": "local"})
}

fn shown(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const GOOD: &str = r#"
- hosts: www
  gather_facts: false
  tasks:
    - name: say {{ greeting }}
      ansible.builtin.command: echo {{ site }} {{ environment_name }} {{ deployment }} {{ provider }} {{ inventory_hostname }} {{ role }} {{ address }}
      register: said
      notify: handled
    - name: every word arrives
      ansible.builtin.assert:
        that: said.stdout == 'hello dev dev_local_hello local ' ~ inventory_hostname ~ ' www 127.0.0.1'
    - name: retried
      ansible.builtin.command: test -e "{{ playbook_dir }}/{{ inventory_hostname }}.there"
      register: there
      until: there.rc == 0
      retries: 1
      delay: 0
      ignore_errors: true
    - name: left out
      ansible.builtin.command: "false"
      when: false
    - name: rescued
      block:
        - name: fails
          ansible.builtin.command: "false"
      rescue:
        - name: helps
          ansible.builtin.debug: { msg: fine }
  handlers:
    - name: handled
      ansible.builtin.debug: { msg: x }
- hosts: lb
  gather_facts: false
  tasks:
    - ansible.builtin.debug: { msg: nobody }
"#;

#[test]
fn a_good_playbook_is_proven_by_its_stats() {
    let Some(bench) = Bench::new() else { return };
    let expected = bench.hosts(json!([local("www-1", "www"), local("www-2", "www")]));
    let (report, said, output) = bench.play(GOOD, &[]);
    let text = shown(&output);
    assert_eq!(classify(&report, &end(&output), &expected), AnsibleOutcome::Ok { changed: 2 }, "{text}");
    assert!(text.contains("PLAY RECAP"), "the user's own output stays: {text}");
    assert!(!text.contains("WARNING"), "{text}");
    assert!(report.no_hosts_matched, "the second play had no host");
    assert!(said.iter().any(|s| matches!(s, Said::Retrying { attempt: 1, .. })), "{said:?}");
    let stats = &report.stats.as_ref().expect("stats")["www-1"];
    assert_eq!((stats.rescued, stats.ignored, stats.skipped), (1, 1, 1));
    assert!(report.tasks >= 6 && report.total >= report.tasks, "{report:?}");
    assert!(!bench.dir.join("cb/otto_events.retry").exists());
    // A host that nobody worked on makes it incomplete, whatever the exit code says.
    let more = [expected[0].clone(), "www-9".to_owned()];
    assert!(matches!(classify(&report, &end(&output), &more), AnsibleOutcome::Incomplete { .. }));
}

#[test]
fn failures_are_told_with_place_and_without_secrets() {
    let Some(bench) = Bench::new() else { return };
    let dead = json!({"name": "www-2", "role": "www", "address": "127.0.0.1", "port": 1, "user": "nobody"});
    let expected = bench.hosts(json!([local("www-1", "www"), dead, local("lb-1", "lb")]));
    let playbook = r#"
- hosts: all
  gather_facts: false
  tasks:
    - name: looped
      ansible.builtin.command: sh -c "echo problem {{ item }} >&2; exit {{ item }}"
      loop: [0, 3]
      when: inventory_hostname == 'www-1'
    - name: hidden
      ansible.builtin.command: sh -c "echo s3cr3t; exit 4"
      no_log: true
      when: inventory_hostname == 'lb-1'
"#;
    let playbook =
        playbook.replace("      when: inventory_hostname == 'www-1'\n", "      when: inventory_hostname != 'lb-1'\n");
    let (report, said, output) = bench.play(&playbook, &[]);
    let outcome = classify(&report, &end(&output), &expected);
    let hosts = vec!["lb-1".to_owned(), "www-1".to_owned()];
    assert_eq!(outcome, AnsibleOutcome::HostsFailed { hosts, unreachable: vec!["www-2".into()] }, "{}", shown(&output));
    let looped = report.failures.iter().find(|f| f.host == "www-1").expect("www-1");
    assert!(looped.msg.contains("problem 3"), "{looped:?}");
    assert!(looped.file.as_deref().is_some_and(|f| f.ends_with("site.yml")) && looped.line == Some(5), "{looped:?}");
    let hidden = report.failures.iter().find(|f| f.host == "lb-1").expect("lb-1");
    let events = fs::read_to_string(bench.dir.join("events")).expect("events");
    assert!(!events.contains("s3cr3t") && hidden.msg.contains("no_log"), "{hidden:?}");
    assert!(report.unreachable["www-2"].to_lowercase().contains("refused"), "{:?}", report.unreachable);
    assert_eq!(said.iter().filter(|s| matches!(s, Said::Diagnostic(_))).count(), 3);

    let (report, _, output) =
        bench.play("- hosts: www\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n", &["www-2"]);
    let outcome = classify(&report, &end(&output), &["www-2".to_owned()]);
    assert_eq!(outcome, AnsibleOutcome::Unreachable { hosts: vec!["www-2".into()] });
}

#[test]
fn playbooks_that_do_nothing_are_no_success() {
    let Some(bench) = Bench::new() else { return };
    let expected = bench.hosts(json!([local("www-1", "www")]));
    let (report, _, output) = bench.play("- hosts: nobody\n  tasks: []\n", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(classify(&report, &end(&output), &expected), AnsibleOutcome::NoHostsMatched);
    let (report, _, output) = bench.play("- hosts: all\n  tasks: [\n", &[]);
    assert!(matches!(classify(&report, &end(&output), &expected), AnsibleOutcome::BadPlaybook { .. }));
    let (report, _, output) = bench.play("- hosts: all\n  tasks: []\n", &["elsewhere"]);
    assert!(matches!(classify(&report, &end(&output), &expected), AnsibleOutcome::BadPlaybook { .. }));
    fs::write(bench.dir.join("inventory.json"), "{").expect("an inventory");
    let (report, _, output) = bench.play("- hosts: all\n  tasks: []\n", &[]);
    assert!(!classify(&report, &end(&output), &expected).is_ok());
}

#[test]
fn events_go_nowhere_without_harm() {
    let Some(bench) = Bench::new() else { return };
    let expected = bench.hosts(json!([local("www-1", "www")]));
    // A folder where the file should be: the callback stays silent and the playbook runs.
    fs::create_dir(bench.dir.join("events")).expect("a folder");
    let (report, _, output) = bench.play("- hosts: all\n  gather_facts: false\n  tasks: []\n", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(!classify(&report, &end(&output), &expected).is_ok());
    assert!(!Utf8Path::new(&bench.dir.join("events")).is_file());
}
