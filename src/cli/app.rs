//! The command tree and its dispatch: one line a verb.

use clap::{CommandFactory, Parser, Subcommand};

use super::globals::Globals;
use super::{
    add, complete, completions, config, destroy, doctor, drift, exec, explain, extend, help, images, init, logs, man,
    open, plan, prices, provision, reap, resume, runs, site, spend, ssh, state, status, test, tools, up,
};
use crate::ops::{Failure, Result, exit};
use crate::project::Vars;

/// From golden image to healthy web site and back, with plain Packer, Terraform and Ansible folders
#[derive(Parser, Debug)]
#[command(name = "otto", version, max_term_width = 100, disable_help_subcommand = true, infer_subcommands = false)]
#[command(
    after_help = "Examples:\n  otto init demo && cd demo && otto up\n  otto status\n  otto destroy\n\nTopics: otto help exit-codes, environment, providers, json"
)]
struct App {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Init(init::InitArgs),
    Up(up::UpArgs),
    Plan(plan::PlanArgs),
    Images(images::ImagesArgs),
    Provision(provision::ProvisionArgs),
    Config(config::ConfigArgs),
    Test(test::TestArgs),
    Status(status::StatusArgs),
    Drift(drift::DriftArgs),
    Spend(spend::SpendArgs),
    Prices(prices::PricesArgs),
    Destroy(destroy::DestroyArgs),
    Extend(extend::ExtendArgs),
    Reap(reap::ReapArgs),
    Resume(resume::ResumeArgs),
    Ssh(ssh::SshArgs),
    Exec(exec::ExecArgs),
    Runs(runs::RunsArgs),
    Logs(logs::LogsArgs),
    Open(open::OpenArgs),
    Add(add::AddArgs),
    Explain(explain::ExplainArgs),
    Doctor(doctor::DoctorArgs),
    Site(site::SiteArgs),
    Tools(tools::ToolsArgs),
    State(state::StateArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    /// Help on a command or a topic
    Help {
        /// A command, or one of: exit-codes, environment, providers, json
        of: Option<String>,
    },
}

/// The command tree, for completions, manual and reference.
pub fn command() -> clap::Command {
    App::command()
}

/// Parses the command line and runs it; returns the exit code.
pub fn main() -> u8 {
    if complete::answered() {
        return exit::OK;
    }
    let app = match App::try_parse() {
        Ok(app) => app,
        Err(error) => {
            // clap knows which stream its message belongs to.
            let _ = error.print();
            return if error.use_stderr() { usage_code() } else { exit::OK };
        }
    };
    let globals = app.globals.clone();
    match dispatch(&globals, app.verb) {
        Ok(code) => code,
        Err(failure) => told(&globals, &failure),
    }
}

/// `status` and `test` are Nagios plugins: a wrong command line is 3, unknown.
fn usage_code() -> u8 {
    let known = command();
    let verb = |word: &String| known.get_subcommands().any(|command| command.get_name() == word);
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let nagios = words.into_iter().find(verb).is_some_and(|verb| verb == "status" || verb == "test");
    if nagios { 3 } else { exit::USAGE }
}

fn dispatch(globals: &Globals, verb: Option<Verb>) -> Result<u8> {
    match verb {
        Some(Verb::Init(args)) => init::run(globals, &args),
        Some(Verb::Up(args)) => up::run(globals, &args),
        Some(Verb::Plan(args)) => plan::run(globals, &args),
        Some(Verb::Images(args)) => images::run(globals, &args),
        Some(Verb::Provision(args)) => provision::run(globals, &args),
        Some(Verb::Config(args)) => config::run(globals, &args),
        Some(Verb::Test(args)) => nagios(globals, test::run(globals, &args)),
        Some(Verb::Status(args)) => nagios(globals, status::run(globals, &args)),
        Some(Verb::Drift(args)) => drift::run(globals, &args),
        Some(Verb::Spend(args)) => spend::run(globals, &args),
        Some(Verb::Prices(args)) => prices::run(globals, &args),
        Some(Verb::Destroy(args)) => destroy::run(globals, &args),
        Some(Verb::Extend(args)) => extend::run(globals, &args),
        Some(Verb::Reap(args)) => reap::run(globals, &args),
        Some(Verb::Resume(args)) => resume::run(globals, &args),
        Some(Verb::Ssh(args)) => ssh::run(globals, &args),
        Some(Verb::Exec(args)) => exec::run(globals, &args),
        Some(Verb::Runs(args)) => runs::run(globals, &args),
        Some(Verb::Logs(args)) => logs::run(globals, &args),
        Some(Verb::Doctor(args)) => doctor::run(globals, &args),
        Some(Verb::Open(args)) => open::run(globals, &args),
        Some(Verb::Add(args)) => add::run(globals, &args),
        Some(Verb::Explain(args)) => explain::run(globals, &args),
        Some(Verb::Site(args)) => site::run(globals, &args),
        Some(Verb::Tools(args)) => tools::run(globals, &args),
        Some(Verb::State(args)) => state::run(globals, &args),
        Some(Verb::Completions(args)) => completions::run(globals, &args),
        Some(Verb::Man(args)) => man::run(globals, &args),
        Some(Verb::Help { of }) => Ok(helped(globals, of.as_deref())),
        None => bare(globals),
    }
}

/// `otto` alone: the status where there is a project, else short help.
fn bare(globals: &Globals) -> Result<u8> {
    let cwd = std::env::current_dir().ok().and_then(|dir| camino::Utf8PathBuf::from_path_buf(dir).ok());
    if globals.project.is_some() || cwd.is_some_and(|cwd| crate::project::find(&cwd).is_ok()) {
        return status::run(globals, &status::StatusArgs::default());
    }
    Ok(helped(globals, None))
}

fn helped(globals: &Globals, of: Option<&str>) -> u8 {
    let (_, out) = globals.output(&Vars::capture());
    let mut root = command();
    root.build();
    let text = match of {
        None => Some(root.render_help().to_string()),
        Some(name) => {
            help::topic(name).or_else(|| root.find_subcommand_mut(name).map(|c| c.render_long_help().to_string()))
        }
    };
    match text {
        Some(text) => {
            out.data(&text);
            exit::OK
        }
        None => {
            let name = of.unwrap_or_default();
            out.error(
                &format!("`{name}` is neither a command nor a topic"),
                &[],
                &[format!("otto help {}", help::TOPICS[0])],
            );
            exit::USAGE
        }
    }
}

/// A failure of `status` or `test` before it could ask: told, and unknown to Nagios.
fn nagios(globals: &Globals, result: Result<u8>) -> Result<u8> {
    result.or_else(|failure| {
        told(globals, &failure);
        Ok(3)
    })
}

fn told(globals: &Globals, failure: &Failure) -> u8 {
    let (_, out) = globals.output(&Vars::capture());
    out.error(&failure.what, &failure.causes, &failure.hints);
    exit::of(failure.kind)
}
