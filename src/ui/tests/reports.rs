//! Status, plan, runs and rows.

use super::super::plan::render_plan;
use super::super::runs::{render_run, render_runs};
use super::super::status::render_status;
use super::super::text::clean;
use super::super::theme::Theme;
use super::super::tools::render_rows;
use super::assert_fits;
use super::sample::{planned, status_report};
use crate::model::Plan;
use crate::model::status::RunsReport;

#[test]
fn status_at_140_columns() {
    insta::assert_snapshot!(render_status(&status_report(), Theme::PLAIN, Some(140)), @r#"
    deployment        phase           hosts  health    latency     age      lease  last run    image  cost           month  month's end
    dev/local/hello   tested            3/3  ok        4/12 ms  2h 05m     5h 55m  up ok       stale  free               -            -
    dev/local/blog    partial, dirty    1/3  critical   950 ms  5m 00s       over  up lost     -      free               -            -
    prod/do/hello     configured        1/2  ok          48 ms  20d 0h  protected  config ok   -      > 0.018 USD/h   8.60        12.90
    dev/vagrant/shop  destroyed           -  -               -       -          -  destroy ok  -      -                  -            -
    dev/local/new     absent              -  -               -       -          -  -           -      -                  -            -

    dev/local/hello  http://127.0.0.1:8080/
      stale: images/nginx was rebuilt 20 minutes ago; `otto up --refresh-images` replaces www-1, www-2
    dev/local/blog  http://127.0.0.1:8090/
      dirty: terraform apply was killed while it made terraform_data.boot["www-1"]
      repair: otto resume 20261121-062531-a3f9
      down  www-1  127.0.0.1:8090
      missing  www-3
      critical  www-1 serves blog.localhost: connection refused  http://127.0.0.1:8090/
      warning  home: status 200, but the body does not hold `welcome`  http://127.0.0.1:8090/
      lease over: for 31 s: `otto reap` destroys it, `otto extend dev/local/blog --for 8h` keeps it
    prod/do/hello  http://203.0.113.7/
      unknown  www-2  203.0.113.8
      unpriced: digitalocean_reserved_ip.web
    warning: 1 orphan: made by otto, in no state; `otto reap` removes what holds no data
      droplet  dev-old-www-1  381  of dev/do/old  do  fra1
    "#);
}

#[test]
fn status_at_80_columns() {
    insta::assert_snapshot!(render_status(&status_report(), Theme::PLAIN, Some(80)), @r#"
    deployment        phase           hosts  health        lease  image
    dev/local/hello   tested            3/3  ok           5h 55m  stale
    dev/local/blog    partial, dirty    1/3  critical       over  -
    prod/do/hello     configured        1/2  ok        protected  -
    dev/vagrant/shop  destroyed           -  -                 -  -
    dev/local/new     absent              -  -                 -  -

    dev/local/hello  http://127.0.0.1:8080/
      age 2h 05m, latency 4/12 ms, last run up ok, cost free
      stale: images/nginx was rebuilt 20 minutes ago; `otto up --refresh-images`
        replaces www-1, www-2
    dev/local/blog  http://127.0.0.1:8090/
      age 5m 00s, latency 950 ms, last run up lost, cost free
      dirty: terraform apply was killed while it made terraform_data.boot["www-1"]
      repair: otto resume 20261121-062531-a3f9
      down  www-1  127.0.0.1:8090
      missing  www-3
      critical  www-1 serves blog.localhost: connection refused
        http://127.0.0.1:8090/
      warning  home: status 200, but the body does not hold `welcome`
        http://127.0.0.1:8090/
      lease over: for 31 s: `otto reap` destroys it, `otto extend dev/local/blog
        --for 8h` keeps it
    prod/do/hello  http://203.0.113.7/
      age 20d 0h, month's end 12.90, latency 48 ms, month 8.60, last run config ok,
        cost > 0.018 USD/h
      unknown  www-2  203.0.113.8
      unpriced: digitalocean_reserved_ip.web
    dev/vagrant/shop
      last run destroy ok
    warning: 1 orphan: made by otto, in no state; `otto reap` removes what holds no
      data
      droplet  dev-old-www-1  381  of dev/do/old  do  fra1
    "#);
}

#[test]
fn status_fits_and_colours_change_nothing_else() {
    let report = status_report();
    for width in [60, 80, 100, 140] {
        let plain = render_status(&report, Theme::PLAIN, Some(width));
        if width > 60 {
            assert_fits(&plain, width);
        }
        let coloured = render_status(&report, Theme::COLOUR, Some(width));
        assert_eq!(clean(&coloured), plain);
        assert!(coloured.contains("\u{1b}[31mcritical\u{1b}[0m"));
    }
    let piped = render_status(&report, Theme::PLAIN, None);
    assert!(piped.contains("does not hold `welcome`  http://127.0.0.1:8090/\n"), "{piped}");
    let empty = crate::model::status::StatusReport { deployments: Vec::new(), orphans: Vec::new(), ..report };
    assert_eq!(render_status(&empty, Theme::PLAIN, None), "no deployments: nothing was brought up here yet");
}

fn plan() -> Plan {
    let boot = "terraform_data.boot[\"www-2\"]";
    Plan {
        units: vec![
            planned("local/nginx:images", "skip", "unchanged since 20261120-101500-77aa", &[], &[]),
            planned(
                "dev/local/hello:provision",
                "run",
                "www-2 is no longer asked for, and the root in clowd/provision/local changed",
                &[],
                &[boot],
            ),
            planned("dev/local/hello:config", "run", "provision runs", &[], &[]),
            planned("dev/local/hello:test", "blocked", "haproxy is not on PATH", &[], &[]),
        ],
    }
}

#[test]
fn a_plan_shows_deletions_first() {
    insta::assert_snapshot!(render_plan(&plan(), Theme::PLAIN, Some(80)), @r#"
    destroys 1:
      - dev/local/hello  terraform_data.boot["www-2"]

       action   subject          stage      why
    1  skip     local/nginx      images     unchanged since 20261120-101500-77aa
    2  run      dev/local/hello  provision  www-2 is no longer asked for, and the
                                            root in clowd/provision/local changed
    3  run      dev/local/hello  config     provision runs
    4  blocked  dev/local/hello  test       haproxy is not on PATH

    2 to run, 1 skipped, 1 blocked; destroys 1 thing
    "#);
    let wide = render_plan(&plan(), Theme::COLOUR, Some(140));
    assert!(wide.starts_with("\u{1b}[31mdestroys 1:\u{1b}[0m\n"));
    assert!(wide.contains("and the root in clowd/provision/local changed"));
    assert_fits(&wide, 140);
    assert_eq!(render_plan(&Plan::default(), Theme::PLAIN, None), "nothing is selected: 0 units");
}

#[test]
fn runs_and_their_units() {
    let report: RunsReport = serde_json::from_value(serde_json::json!({"schema": "otto.runs/1", "runs": [
        {"id": "20261121-082531-b111", "verb": "up", "started_at": "2026-11-21T08:25:31.399Z", "ended_at": null, "outcome": "lost",
         "units": [{"id": "dev/local/blog:provision", "outcome": "lost", "took_ms": null, "log": "runs/20261121-082531-b111/dev_local_blog.provision.apply"},
                   {"id": "dev/local/blog:config", "outcome": "blocked", "took_ms": null, "log": null},
                   {"id": "local/nginx:images", "outcome": "ok", "took_ms": 1400, "log": null}]},
        {"id": "20261121-062531-a3f9", "verb": "destroy", "started_at": "2026-11-21T06:25:31.399Z", "ended_at": "2026-11-21T06:26:35.744Z", "outcome": "ok", "units": []}
    ]})).expect("a report");
    insta::assert_snapshot!(render_runs(&report, Theme::PLAIN, Some(80)), @r"
    run                   verb     started              took  outcome  units
    20261121-082531-b111  up       2026-11-21 08:25Z       -  lost     1 lost, 1
                                                                       blocked, 1 ok
    20261121-062531-a3f9  destroy  2026-11-21 06:25Z  1m 04s  ok
    ");
    insta::assert_snapshot!(render_run(&report.runs[0], Theme::PLAIN, Some(80)), @r"
    unit                      outcome   took
    dev/local/blog:provision  lost         -
    dev/local/blog:config     blocked      -
    local/nginx:images        ok       1.4 s
    ");
    assert_eq!(clean(&render_runs(&report, Theme::COLOUR, Some(140))), render_runs(&report, Theme::PLAIN, Some(140)));
    let none = RunsReport { runs: Vec::new(), ..report };
    assert_eq!(render_runs(&none, Theme::PLAIN, None), "no runs yet");
}

#[test]
fn rows_take_the_colour_of_their_words() {
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let rows = [row(["terraform", "1.9.8", "ok"]), row(["packer", "-", "missing: `otto tools install packer`"])];
    insta::assert_snapshot!(render_rows(&["tool", "version", "state"], &rows, Theme::PLAIN, Some(80)), @r"
    tool       version  state
    terraform  1.9.8    ok
    packer     -        missing: `otto tools install packer`
    ");
    assert!(render_rows(&["tool", "version", "state"], &rows, Theme::COLOUR, Some(80)).contains("\u{1b}[31mmissing"));
}
