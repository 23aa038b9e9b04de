//! `otto exec`.

use clap::Args;
use serde_json::json;

use super::globals::{Globals, block_on};
use super::selection::SelectionArgs;
use crate::ops::exec::{AT_ONCE, Request, Said};
use crate::ops::{self, Result};
use crate::project::vars::listed;

/// Run a command on many hosts at once
///
/// Each line of output is preceded by its host. The exit code is the worst one; 255 says that a host was not reached.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto exec -- uptime\n  otto exec --role www -- 'nginx -v; date'\n  otto exec --provider static --host web-a -- systemctl status nginx"
)]
pub(super) struct ExecArgs {
    /// What to work on.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// Only hosts with this role
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    pub(super) role: Vec<String>,
    /// Only this host
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(super) host: Vec<String>,
    /// Hosts at the same time [default: 10]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) jobs: Option<u16>,
    /// One JSON object a line
    #[arg(long)]
    pub(super) json: bool,
    /// One word is a line for the hosts' shells, several are passed on as they are
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ExecArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let selection = if args.selection.deployments.is_empty() {
        args.selection.selection(&session.world.vars)
    } else {
        args.selection.flags()
    };
    let request = Request {
        selection,
        roles: args.role.iter().flat_map(|word| listed(word)).collect(),
        hosts: args.host.iter().flat_map(|word| listed(word)).collect(),
        jobs: args.jobs.map_or(AT_ONCE, usize::from),
        words: args.command.clone(),
    };
    let (out, json) = (&session.out, args.json);
    // The same name in two deployments would say nothing.
    let layout = std::cell::Cell::new((false, 0));
    let names = |all: &[(String, String)]| {
        let several = all.iter().any(|(deployment, _)| *deployment != all[0].0);
        let long = |(deployment, host): &(String, String)| {
            if several { deployment.len() + 1 + host.len() } else { host.len() }
        };
        layout.set((several, all.iter().map(long).max().unwrap_or(0)));
    };
    let say = |word: ops::exec::Word| {
        let (several, width) = layout.get();
        let name = if several { format!("{}/{}", word.deployment, word.host) } else { word.host.clone() };
        let of = json!({"schema": "otto.exec/1", "deployment": word.deployment, "host": word.host});
        let with = |more: serde_json::Value| {
            let mut line = of.clone();
            if let (Some(line), serde_json::Value::Object(more)) = (line.as_object_mut(), more) {
                line.extend(more);
            }
            out.data(&format!("{line}\n"));
        };
        match word.said {
            Said::Out(line) if json => with(json!({"stream": "stdout", "line": line})),
            Said::Err(line) if json => with(json!({"stream": "stderr", "line": line})),
            Said::End { code, took_ms } if json => with(json!({"exit": code, "took_ms": took_ms})),
            Said::Out(line) => out.data(&format!("{name:width$} | {line}\n")),
            Said::Err(line) => out.line(&format!("{name:width$} | {line}")),
            Said::End { code: 0, .. } => {}
            Said::End { code, .. } => out.line(&format!("{name:width$} | exit code {code}")),
        }
    };
    block_on(ops::exec::exec(&session.world, &request, names, say))
}
