//! What exists: whether its ports are its own, and whether its clocks agree with this one.

use std::time::Duration;

use camino::Utf8Path;

use super::super::world::Opened;
use super::finding::Finding;
use crate::model::{Deployment, Host};
use crate::net::{Client, Request};
use crate::process::listeners;

/// Seconds by which a clock may be off before certificates, logs and tokens suffer.
const SKEW: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn look(opened: &Opened, records: &[Deployment], found: &mut Vec<Finding>) {
    let client = Client::new();
    let asks =
        records.iter().flat_map(|record| record.hosts.iter().map(move |host| (record, host))).map(|(record, host)| {
            let client = &client;
            async move {
                let port = port_of(host);
                let taken = port.and_then(|port| taken(opened, record, host, port));
                let skew = match port {
                    Some(port) if taken.is_none() => skew(client, record, host, port).await,
                    _ => None,
                };
                taken.into_iter().chain(skew)
            }
        });
    let told: Vec<Finding> = futures_util::future::join_all(asks).await.into_iter().flatten().collect();
    if told.is_empty() && !records.is_empty() {
        let hosts: usize = records.iter().map(|record| record.hosts.len()).sum();
        found.push(Finding::ok("hosts", format!("{hosts} hosts: ports are theirs, clocks agree")));
    }
    found.extend(told);
}

fn port_of(host: &Host) -> Option<u16> {
    let port = host.vars.get("http_port").and_then(serde_json::Value::as_u64).and_then(|port| u16::try_from(port).ok());
    port.filter(|port| *port > 0).or(if host.is_local() { None } else { Some(80) })
}

/// Somebody else listens where a host of this machine should.
fn taken(opened: &Opened, record: &Deployment, host: &Host, port: u16) -> Option<Finding> {
    if !host.is_local() {
        return None;
    }
    let folder = opened.home.join("hosts").join(record.id.key()).join(&host.name);
    let folder = folder.canonicalize_utf8().unwrap_or(folder);
    let all = listeners(&host.address, port);
    let own = |folder: &Utf8Path| all.iter().any(|one| one.belongs_to(folder));
    let other = all.iter().find(|one| !one.belongs_to(&folder))?;
    if own(&folder) {
        return None;
    }
    let what = format!(
        "port {port} of {}, which is {} of {}, is taken by process {} ({})",
        host.address, host.name, record.id, other.pid, other.command
    );
    let fix = format!("kill {} && otto up {} --yes", other.pid, record.id);
    Some(Finding::fail("port", what, fix))
}

/// What the host's web server says the time is.
async fn skew(client: &Client, record: &Deployment, host: &Host, port: u16) -> Option<Finding> {
    let request = Request::address(&host.address, port, "/").timeout(PATIENCE);
    let answer = client.get(&request).await.ok()?;
    let there = http_date(answer.header("date")?)?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    let here = i64::try_from(since.as_secs()).ok()?;
    let off = there.abs_diff(here);
    if off <= SKEW {
        return None;
    }
    let way = if there < here { "behind" } else { "ahead of" };
    let what = format!("the clock of {} ({}) is {off} s {way} this one", host.name, record.id);
    Some(Finding::fail("clock", what, "on that host: timedatectl set-ntp true (or chronyc makestep)"))
}

/// Seconds since 1970 of `Sat, 21 Nov 2026 16:51:48 GMT`.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let (day, year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    let month = i64::try_from(MONTHS.find(month)? / 3).ok()? + 1;
    let mut parts = time.split(':').map(|part| part.parse::<i64>().ok());
    let seconds = parts.next()?? * 3600 + parts.next()?? * 60 + parts.next()??;
    // Days from the civil date, years beginning in March.
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = (month + 9) % 12;
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * shifted + 2) / 5 + day
            - 1
            - 719_468;
    Some(days * 86_400 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Sat, 21 Nov 2026 16:51:48 GMT"), Some(1_795_279_908));
        assert_eq!(http_date("Tue, 29 Feb 2028 12:00:00 GMT"), Some(1_835_438_400));
        assert_eq!(http_date("yesterday"), None);
    }
}
