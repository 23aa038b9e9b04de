//! Whole runs: the frame, the lines, the summary, through the screen in each mode.

use super::super::fold::Run;
use super::super::frame::frame;
use super::super::lines::{Look, heartbeat, lines};
use super::super::out::Out;
use super::super::screen::{Mode, Pace, Screen};
use super::super::term::Term;
use super::super::text::clean;
use super::super::theme::Theme;
use super::assert_fits;
use super::sample::{START, busy_run, failed_run, good_run};
use crate::model::{Event, EventKind, Sink, Timestamp};

fn shown(events: &[Event], mode: Mode, term: Term, verbose: bool) -> (String, String) {
    let out = Out::memory(term.clone());
    // Read again, lines are data; as it happens, they are talk. What they say is the same.
    let screen = Screen::new(&term, out.clone(), mode, verbose).pace(Pace::Replay);
    screen.extra(vec!["dev/local/hello  http://127.0.0.1:8080/".to_owned()]);
    for event in events {
        screen.record(event).expect("a screen never fails");
    }
    out.taken()
}

fn folded(events: &[Event]) -> Run {
    let mut run = Run::default();
    events.iter().for_each(|event| run.apply(event));
    run
}

#[test]
fn a_good_run_as_plain_lines() {
    let (talk, rest) = shown(&good_run(), Mode::Plain, Term::fixed(80, false), false);
    assert_eq!(rest, "");
    assert_fits(&talk, 80);
    insta::assert_snapshot!(talk, @r"
    up  dev/local/hello, dev/local/blog  7 units, 1 skipped
    skipped  local/nginx      images     unchanged since 20261120-101500-77aa
    started  local/haproxy    images     not made yet
    warning: `TF_WORKSPACE` is set and was dropped
    ok       local/haproxy    images     built haproxy 3.1 MB  1.4 s
    started  dev/local/hello  provision  not made yet
    retry    dev/local/hello  provision  the state was locked by another process
             (attempt 2 of 3)
    ok       dev/local/hello  provision  3 created  431 ms
    started  dev/local/hello  config     not made yet
    warning  dev/local/hello  config     the module `shell` is used where `command`
             would do (clowd/config/roles/nginx/tasks/main.yml:12)
    ok       dev/local/hello  config     18 tasks, 9 changed on 3 hosts  3.9 s
    started  dev/local/hello  test       not tested yet
    ok       dev/local/hello  test       2 checks ok  212 ms
    started  dev/local/blog   provision  not made yet
    ok       dev/local/blog   provision  3 created  431 ms
    started  dev/local/blog   config     not made yet
    warning  dev/local/blog   config     the module `shell` is used where `command`
             would do (clowd/config/roles/nginx/tasks/main.yml:12)
    ok       dev/local/blog   config     18 tasks, 9 changed on 3 hosts  3.9 s
    started  dev/local/blog   test       not tested yet
    ok       dev/local/blog   test       2 checks ok  212 ms

    up ok in 12 s  run 20261121-062531-a3f9
      units   7 ok, 1 skipped; slowest dev/local/blog config 3.9 s
      stages  images 1.4 s, provision 900 ms, config 8.1 s, test 430 ms
      calls   ansible-playbook 2, packer 1, terraform 3; 1 repetition
      checks  4 ok
    dev/local/hello  http://127.0.0.1:8080/
    ");
}

#[test]
fn a_good_run_with_all_details() {
    let (talk, _) = shown(&good_run()[..20], Mode::Plain, Term::fixed(140, false), true);
    assert_fits(&talk, 140);
    insta::assert_snapshot!(talk, @r#"
    up  dev/local/hello, dev/local/blog  7 units, 1 skipped
    skipped  local/nginx      images     unchanged since 20261120-101500-77aa
    started  local/haproxy    images     not made yet
    local/haproxy:images | packer build (log: runs/20261121-062531-a3f9/local_haproxy.images.build)
    warning: `TF_WORKSPACE` is set and was dropped
    ok       local/haproxy    images     built haproxy 3.1 MB  1.4 s
    started  dev/local/hello  provision  not made yet
    dev/local/hello:provision | terraform apply (log: runs/20261121-062531-a3f9/dev_local_hello.provision.apply)
    dev/local/hello:provision | 1/3  creating terraform_data.boot["www-1"]
    retry    dev/local/hello  provision  the state was locked by another process (attempt 2 of 3)
    ok       dev/local/hello  provision  3 created  431 ms
    started  dev/local/hello  config     not made yet
    dev/local/hello:config | ansible-playbook site (log: runs/20261121-062531-a3f9/dev_local_hello.config.site)
    warning  dev/local/hello  config     the module `shell` is used where `command` would do (clowd/config/roles/nginx/tasks/main.yml:12)
    dev/local/hello:config | 9/18  nginx : write the site's file
    ok       dev/local/hello  config     18 tasks, 9 changed on 3 hosts  3.9 s
    started  dev/local/hello  test       not tested yet
    "#);
}

#[test]
fn a_failed_run_names_the_root_cause_first_and_what_to_do_last() {
    let (talk, rest) = shown(&failed_run(), Mode::Plain, Term::fixed(140, false), false);
    assert_eq!(rest, "");
    assert_fits(&talk, 140);
    insta::assert_snapshot!(talk, @r#"
    up  dev/local/hello, dev/local/blog  7 units, 1 skipped
    skipped  local/nginx      images     unchanged since 20261120-101500-77aa
    started  local/haproxy    images     not made yet
    ok       local/haproxy    images     built haproxy 3.1 MB  1.4 s
    started  dev/local/hello  provision  not made yet
    started  dev/local/blog   provision  not made yet
    failed   dev/local/hello  provision  terraform apply: exit code 1, 1 of 3 resources made  2.1 s
    blocked  dev/local/hello  config     dev/local/hello:provision failed
    blocked  dev/local/hello  test       dev/local/hello:provision failed
    failed   dev/local/blog   provision  terraform apply: exit code 1, 1 of 3 resources made  2.9 s
    blocked  dev/local/blog   config     dev/local/blog:provision failed
    blocked  dev/local/blog   test       dev/local/blog:provision failed

    failed  dev/local/hello  provision  terraform apply: exit code 1, 1 of 3 resources made  2.1 s
      error: local-exec provisioner error
        at clowd/provision/local/main.tf:31, terraform_data.boot["www-1"]
        | Error running command 'sh boot.sh': exit status 98. Output:
        | starting nginx for www-1
        | nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)
      log: .otto/runs/20261121-062531-a3f9/dev_local_hello.provision.apply
      the same in: dev/local/blog:provision
      blocked by it: dev/local/hello:config, dev/local/hello:test, dev/local/blog:config, dev/local/blog:test

    up failed in 4.9 s  run 20261121-062531-a3f9
      units   1 ok, 2 failed, 4 blocked, 1 skipped; slowest dev/local/blog provision 2.9 s
      stages  images 1.4 s, provision 2.9 s
      calls   packer 1, terraform 2
    dev/local/hello  http://127.0.0.1:8080/
    hint: stop what listens on 127.0.0.1:8080, or give the site another port with `vars: {http_port: 8090}` in its `site.yaml`
    resume: otto resume 20261121-062531-a3f9
    "#);
}

#[test]
fn a_failed_run_at_80_columns_quietly() {
    let (talk, rest) = shown(&failed_run(), Mode::Quiet, Term::fixed(80, false), false);
    assert_eq!(rest, "");
    assert_fits(&talk, 80);
    insta::assert_snapshot!(talk, @r#"
    failed  dev/local/hello  provision  terraform apply: exit code 1, 1 of 3
      resources made  2.1 s
      error: local-exec provisioner error
        at clowd/provision/local/main.tf:31, terraform_data.boot["www-1"]
        | Error running command 'sh boot.sh': exit status 98. Output:
        | starting nginx for www-1
        | nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in
          use)
      log: .otto/runs/20261121-062531-a3f9/dev_local_hello.provision.apply
      the same in: dev/local/blog:provision
      blocked by it: dev/local/hello:config, dev/local/hello:test,
        dev/local/blog:config, dev/local/blog:test

    up failed in 4.9 s  run 20261121-062531-a3f9
      units   1 ok, 2 failed, 4 blocked, 1 skipped; slowest dev/local/blog provision
              2.9 s
      stages  images 1.4 s, provision 2.9 s
      calls   packer 1, terraform 2
    dev/local/hello  http://127.0.0.1:8080/
    hint: stop what listens on 127.0.0.1:8080, or give the site another port with
          `vars: {http_port: 8090}` in its `site.yaml`
    resume: otto resume 20261121-062531-a3f9
    "#);
    assert_eq!(shown(&good_run(), Mode::Quiet, Term::fixed(80, false), false), Default::default());
}

#[test]
fn colours_change_no_word() {
    for events in [good_run(), failed_run()] {
        for width in [80, 140] {
            let (plain, _) = shown(&events, Mode::Plain, Term::fixed(width, false), true);
            let (coloured, _) = shown(&events, Mode::Plain, Term::fixed(width, true), true);
            assert!(!plain.contains('\u{1b}'));
            assert!(coloured.contains("\u{1b}[32mok\u{1b}[0m"), "{coloured}");
            assert_eq!(clean(&coloured), plain);
        }
    }
}

#[test]
fn json_is_the_events_and_nothing_else() {
    let events = failed_run();
    let (data, talk) = shown(&events, Mode::Json, Term::fixed(80, true), true);
    assert_eq!(talk, "");
    let read: Vec<Event> = data.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(read, events);
    assert!(data.starts_with(r#"{"schema":"otto.event/1","at":"2026-11-21T06:25:31.399Z","run":"#), "{data}");
}

fn frame_at(events: &[Event], width: usize, height: usize, theme: Theme) -> String {
    frame(&folded(events), width, height, START.plus_seconds(64), theme).join("\n")
}

#[test]
fn the_frame_has_a_line_per_running_unit_and_totals() {
    let events = busy_run(0);
    insta::assert_snapshot!(frame_at(&events, 80, 24, Theme::PLAIN), @r"
    dev/local/hello  provision  12/30 resources  creating terraform_data.bo…  1m 03s
    dev/local/blog   provision                   terraform plan               1m 03s
    local/haproxy    images                      unpacking libssl3, a long …  1m 03s
    up  0/7 units done, 3 running                                             1m 04s
    ");
    insta::assert_snapshot!(frame_at(&events, 140, 24, Theme::PLAIN), @r#"
    dev/local/hello  provision  12/30 resources  creating terraform_data.boot["www-1"]                                1m 03s
    dev/local/blog   provision                   terraform plan                                                       1m 03s
    local/haproxy    images                      unpacking libssl3, a long line of words 日本語 that goes on and on…  1m 03s
    up  0/7 units done, 3 running                                                                                     1m 04s
    "#);
    insta::assert_snapshot!(frame_at(&events, 40, 24, Theme::PLAIN), @r"
    dev/local/hello  provision        1m 03s
    dev/local/blog   provision        1m 03s
    local/haproxy    images           1m 03s
    up  0/7 units done, 3 running     1m 04s
    ");
    assert_eq!(clean(&frame_at(&events, 80, 24, Theme::COLOUR)), frame_at(&events, 80, 24, Theme::PLAIN));
}

#[test]
fn the_frame_is_bounded_in_both_directions() {
    for more in [0, 5, 6, 30] {
        for (width, height) in [(20, 5), (33, 24), (80, 24), (140, 6), (200, 50)] {
            let text = frame_at(&busy_run(more), width, height, Theme::PLAIN);
            assert_fits(&text, width);
            assert!(text.lines().count() <= height.min(10), "{text}");
        }
    }
    let many = frame_at(&busy_run(10), 80, 24, Theme::PLAIN);
    assert!(many.contains("\n… and 5 more running\nup  0/17 units done, 13 running"), "{many}");
}

#[test]
fn stopping_says_what_is_waited_for() {
    let mut events = busy_run(0);
    let mut said = Vec::new();
    for (level, why) in [(1, "SIGINT"), (2, "SIGINT"), (3, "SIGINT")] {
        let mut event = events[0].clone();
        event.kind = EventKind::Stopping { level, why: why.into() };
        events.push(event.clone());
        let look = Look { theme: Theme::PLAIN, width: Some(140), live: true, verbose: false };
        said.extend(lines(&folded(&events), &event, look));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    stopping (SIGINT): no new units, tools asked to finish; Ctrl-C again stops what can be stopped without losing state
    stopping (SIGINT): still waiting for dev/local/hello:provision (terraform apply), dev/local/blog:provision (terraform plan),
      local/haproxy:images (packer build); once more abandons it
    abandoned (SIGINT): what dev/local/hello:provision (terraform apply), dev/local/blog:provision (terraform plan), local/haproxy:images
      (packer build) left is unknown; `otto resume 20261121-062531-a3f9` looks for it
    ");
}

#[test]
fn a_heartbeat_says_how_far_a_unit_is() {
    let run = folded(&busy_run(0));
    let look = Look { theme: Theme::PLAIN, width: None, live: false, verbose: false };
    let beats: Vec<String> =
        run.running().iter().flat_map(|unit| heartbeat(&run, unit, START.plus_seconds(90), look)).collect();
    insta::assert_snapshot!(beats.join("\n"), @r#"
    running  dev/local/hello  provision  12/30 resources  creating terraform_data.boot["www-1"]  1m 29s
    running  dev/local/blog   provision  terraform plan  1m 29s
    running  local/haproxy    images     unpacking libssl3, a long line of words 日本語 that goes on and on beyond what fits into eighty columns or even a hundred and forty  1m 29s
    "#);
}

/// Recorded events as if they happened now.
fn moved_to_now(mut events: Vec<Event>) -> Vec<Event> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let by = now.as_millis() as i64 - START.0;
    events.iter_mut().for_each(|event| event.at = Timestamp(event.at.0 + by));
    events
}

#[test]
fn a_live_run_shows_a_line_at_once_and_nothing_moves_before_a_quarter_of_a_second() {
    let out = Out::memory(Term::fixed(80, false).with_live());
    let screen = Screen::new(out.term(), out.clone(), Mode::Live, false);
    for event in moved_to_now(busy_run(0)) {
        screen.record(&event).expect("a screen never fails");
    }
    let (_, talk) = out.taken();
    insta::assert_snapshot!(talk, @r"
    up  dev/local/hello, dev/local/blog  7 units, 1 skipped
    skipped  local/nginx      images     unchanged
    ");
    std::thread::sleep(std::time::Duration::from_millis(400));
    let (_, talk) = out.taken();
    assert!(talk.contains("dev/local/hello  provision  12/30 resources  creating"), "{talk}");
    assert!(talk.contains("up  0/7 units done, 3 running"), "{talk}");
    out.line("a line above");
    let (_, talk) = out.taken();
    let above = talk.find("a line above").expect("the line");
    assert!(talk[above..].contains("3 running"), "{talk:?}");
    drop(screen);
    assert!(!out.taken().1.contains("running"));
    out.line("after");
    assert_eq!(out.taken().1, "after\n");
}

#[test]
fn a_short_live_run_is_never_drawn_in_place() {
    let out = Out::memory(Term::fixed(140, false).with_live());
    let screen = Screen::new(out.term(), out.clone(), Mode::Live, false);
    for event in good_run() {
        screen.record(&event).expect("a screen never fails");
    }
    let (_, talk) = out.taken();
    assert!(!talk.contains('\u{1b}') && !talk.contains("started") && talk.contains("up ok in 12 s"), "{talk}");
}
