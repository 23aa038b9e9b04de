//! The flags of commands that run units, and the one way in which they do.

use std::collections::BTreeMap;

use clap::Args;

use super::globals::{Globals, Session, block_on};
use super::selection::SelectionArgs;
use crate::ops::{self, Consent, Report, Request, Requests, Verb, Wishes, World};

/// Flags of every command that runs units.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct RunArgs {
    /// What to work on.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// Create and update without asking; install missing tools
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Units at once [default: from cores and memory]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) jobs: Option<u16>,
    /// Events as newline-delimited JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// Wait for a deployment that another otto holds
    #[arg(long)]
    pub(super) wait: bool,
}

/// Flags of commands that may change hosts.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ChangeArgs {
    /// Go on though the forecast is over a budget; the run records who said so
    #[arg(long)]
    pub(super) over_budget: bool,
    /// Allow deletions and replacements
    #[arg(long)]
    pub(super) allow_destroy: bool,
    /// Go on though interrupted work cannot be looked for
    #[arg(long)]
    pub(super) ignore_in_flight: bool,
}

impl RunArgs {
    /// The request of a verb with nothing special.
    pub(super) fn request(&self, world: &World, name: &str, verb: Verb) -> Request {
        Request {
            name: name.to_owned(),
            verb,
            selection: self.selection.selection(&world.vars),
            consent: Consent { yes: self.yes, line: typed(&world.argv), ..Consent::default() },
            confirm: Vec::new(),
            requests: Requests::default(),
            wishes: Wishes::default(),
            jobs: self.jobs.map(usize::from),
            wait: self.wait,
            done: BTreeMap::new(),
        }
    }
}

/// The command line as a person would type it again.
pub(super) fn typed(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    let quote = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    // The screen puts in its place what this person has to type to start otto.
    std::iter::once("otto".to_owned()).chain(argv.iter().skip(1).map(quote)).collect::<Vec<_>>().join(" ")
}

/// Runs a request in a session and tells where the sites are.
///
/// # Errors
/// What kept it from beginning.
pub(super) fn go(globals: &Globals, json: bool, make: impl FnOnce(&World) -> Request) -> ops::Result<u8> {
    let session = globals.session(json)?;
    let request = make(&session.world);
    let report = block_on(ops::conduct(&session.world, request))?;
    Ok(finish(&session, json, &report))
}

/// The last lines of a run: where the sites are.
pub(super) fn finish(session: &Session, json: bool, report: &Report) -> u8 {
    for line in report.leases.iter().filter(|_| !json) {
        session.out.line(line);
    }
    if report.code == ops::exit::OK && !json {
        for (id, endpoint, domains) in &report.sites {
            session.out.line(&format!("{id}  {endpoint}"));
            for url in domains.iter().filter_map(|domain| by_name(endpoint, domain)) {
                session.out.line(&format!("{:width$}  {url}", "", width = id.to_string().len()));
            }
        }
        if !report.dns.is_empty() {
            session.out.line("records to set where these names are managed:");
        }
        for record in &report.dns {
            session.out.line(&format!("  {}  {}  {}", record.name, record.kind, record.value));
        }
    }
    report.code
}

/// `http://hello.localhost:20123/` for an endpoint on this machine: browsers and curl take it to loopback.
fn by_name(endpoint: &str, domain: &str) -> Option<String> {
    let (scheme, rest) = endpoint.split_once("://127.0.0.1")?;
    domain.ends_with(".localhost").then(|| format!("{scheme}://{domain}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed_again() {
        let argv = ["/usr/bin/otto", "up", "--site", "it's here"].map(str::to_owned);
        assert_eq!(typed(&argv), r"otto up --site 'it'\''s here'");
    }

    #[test]
    fn names_of_this_machine_become_urls() {
        assert_eq!(by_name("http://127.0.0.1:20431/", "a.localhost").as_deref(), Some("http://a.localhost:20431/"));
        assert_eq!(by_name("https://127.0.0.1:10431/", "a.localhost").as_deref(), Some("https://a.localhost:10431/"));
        assert_eq!(by_name("http://10.0.0.1/", "a.localhost"), None);
        assert_eq!(by_name("http://127.0.0.1:1/", "example.com"), None);
    }
}
