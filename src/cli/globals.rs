//! Flags that every command takes, and what they make: terminal, output, world.

use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow};
use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::model::{Clock, Plan, Sink, Timestamp};
use crate::ops::{self, Failure, Kind, World};
use crate::project::Vars;
use crate::ui::{self, Ci, Grouped, Mode, Out, Screen, Term, TermVars, TerminalAsk};

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whose groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CiSystem {
    /// GitHub Actions.
    Github,
    /// GitLab.
    Gitlab,
}

/// Flags of every command.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Globals {
    /// Folder of the project [default: the nearest one upwards with otto.yaml; env: OTTO_PROJECT]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) project: Option<Utf8PathBuf>,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = false,
        help_heading = "Global options"
    )]
    pub(super) color: ColorChoice,
    /// Plain lines instead of live progress
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) no_progress: bool,
    /// Groups of lines for the log of a CI system [default: the one that this runs in]
    #[arg(long, global = true, value_enum, num_args = 0..=1, require_equals = true, value_name = "SYSTEM", help_heading = "Global options")]
    pub(super) ci: Option<Option<CiSystem>>,
    /// Never ask; what would be asked is refused
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) no_input: bool,
    /// Show what tools say while they work
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(super) verbose: bool,
    /// Show nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub(super) quiet: bool,
}

/// What a command works with.
pub(super) struct Session {
    /// Output.
    pub(super) out: Out,
    /// The terminal.
    pub(super) term: Term,
    /// Handles for operations.
    pub(super) world: World,
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Globals {
    /// The terminal and the output alone, for commands that need no project.
    pub(super) fn output(&self, vars: &Vars) -> (Term, Out) {
        let color = match self.color {
            ColorChoice::Auto => ui::Color::Auto,
            ColorChoice::Always => ui::Color::Always,
            ColorChoice::Never => ui::Color::Never,
        };
        let term_vars = TermVars::read(|name| vars.get(name).map(str::to_owned));
        let term = Term::detect(color, self.no_progress, &term_vars).named(program(vars));
        let out = Out::new(term.clone());
        (term, out)
    }

    /// Everything; `json` says that standard output belongs to events or a document.
    ///
    /// # Errors
    /// A current folder that is not there or not UTF-8.
    pub(super) fn session(&self, json: bool) -> ops::Result<Session> {
        let session = self.session_of_leases(json)?;
        if let Some(line) = ops::leases::line(&session.world) {
            session.world.warn(&line);
        }
        Ok(session)
    }

    /// The same for commands that are about leases themselves: without the line about those that end.
    ///
    /// # Errors
    /// As [`Globals::session`].
    pub(super) fn session_of_leases(&self, json: bool) -> ops::Result<Session> {
        let session = self.session_without_warnings(json)?;
        for slip in session.world.vars.unknown() {
            session.world.warn(&slip.to_string());
        }
        Ok(session)
    }

    /// The same, slips in names of variables not told.
    ///
    /// # Errors
    /// As [`Globals::session`].
    pub(super) fn session_without_warnings(&self, json: bool) -> ops::Result<Session> {
        let vars = Vars::capture();
        let (term, out) = self.output(&vars);
        let screen = self.screen(&vars, &term, &out, json);
        let (cwd, exe) = surroundings().map_err(|error| {
            let failure = Failure::new(Kind::Unexpected, error.to_string());
            error.chain().skip(1).fold(failure, |failure, cause| failure.because(cause))
        })?;
        let (stopper, stop) = ops::stop_channel();
        let ask = TerminalAsk::new(out.clone(), self.no_input || vars.is_set("CI"));
        let (shown, said, theme, width) = (out.clone(), out.clone(), term.err_theme(), term.err_width());
        let world = World {
            cwd,
            exe,
            project: self.project.clone(),
            argv: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            clock: Arc::new(SystemClock),
            screen,
            ask: Arc::new(ask),
            show_plan: Arc::new(move |plan: &Plan| shown.line(&ui::render_plan(plan, theme, width))),
            warned: Mutex::default(),
            say: Arc::new(move |line: &str| said.line(line)),
            stopper,
            stop,
            vars,
        };
        Ok(Session { out, term, world })
    }
}

impl Globals {
    /// Who watches runs: grouped for a CI system when that is asked for, and events do not go elsewhere.
    fn screen(&self, vars: &Vars, term: &Term, out: &Out, json: bool) -> Arc<dyn Sink> {
        let mode = Mode::choose(term, json, self.quiet);
        let system = self.ci.map(|given| match given {
            Some(CiSystem::Gitlab) => Ci::Gitlab,
            None if vars.is_set("GITLAB_CI") => Ci::Gitlab,
            Some(CiSystem::Github) | None => Ci::Github,
        });
        match system.filter(|_| mode != Mode::Json) {
            None => Arc::new(Screen::new(term, out.clone(), mode, self.verbose)),
            Some(ci) => {
                let plain = Screen::new(term, out.clone(), Mode::Plain, self.verbose);
                Arc::new(Grouped::before(plain, out.clone(), ci))
            }
        }
    }
}

/// The current folder, and otto's own program.
fn surroundings() -> anyhow::Result<(Utf8PathBuf, Utf8PathBuf)> {
    let utf8 = |path| Utf8PathBuf::from_path_buf(path).map_err(|path| anyhow!("{} is not UTF-8", path.display()));
    let cwd = std::env::current_dir().map_err(anyhow::Error::from).and_then(utf8);
    let exe = std::env::current_exe().map_err(anyhow::Error::from).and_then(utf8);
    Ok((cwd.context("the current folder cannot be used")?, exe.context("otto cannot tell where its own program is")?))
}

/// What starts this otto: `otto` where PATH leads to it, else the path, from here if it lies below.
fn program(vars: &Vars) -> &'static str {
    let typed = std::env::args_os().next().unwrap_or_default().to_string_lossy().into_owned();
    if !typed.contains('/') {
        return "otto";
    }
    let real = |path: &std::path::Path| path.canonicalize().ok();
    let own = std::env::current_exe().ok().and_then(|exe| real(&exe));
    let on_path = vars
        .get("PATH")
        .unwrap_or_default()
        .split(':')
        .find_map(|dir| real(&Utf8PathBuf::from(dir).join("otto").into_std_path_buf()));
    if on_path.is_some() && on_path == own {
        return "otto";
    }
    let here = std::env::current_dir().ok().and_then(|dir| Utf8PathBuf::from_path_buf(dir).ok());
    let path = Utf8PathBuf::from(&typed);
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(|rest| rest.to_string()));
    // Once per process; themes that carry it are copied everywhere.
    Box::leak(below.filter(|rest| rest.contains('/')).unwrap_or(typed).into_boxed_str())
}

/// Runs a future on the one-threaded runtime that otto's commands use.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime needs nothing but memory and a file descriptor").block_on(future)
}

/// Prints a document as JSON.
pub(super) fn print_json<T: serde::Serialize>(out: &Out, document: &T) {
    let text = serde_json::to_string_pretty(document).expect("documents are plain data");
    out.data(&format!("{text}\n"));
}
