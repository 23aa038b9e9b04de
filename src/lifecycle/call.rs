//! One call of a tool: journaled before it begins, supervised, its output read while it works, ended by the stop ladder only.

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::context::Context;
use super::secrets::Secrets;
use super::unit_end::Trouble;
use crate::model::{Diagnostic, End, EventKind, UnitId};
use crate::process::{self, Climbed, Command, Ladder, Running, Tail};
use crate::tools::{Invocation, Reader, Said, Stop};

/// How often new output is looked for.
const GLANCE: Duration = Duration::from_millis(60);
/// Progress is journaled at most this often: the screen needs no more, and a disk less.
const PROGRESS_MS: u64 = 200;
/// Bytes of one output file before its middle is dropped.
const OUTPUT_LIMIT: u64 = 64 << 20;

/// What a call is, beside its invocation.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    /// `terraform`, `packer`, ...
    pub tool: &'a str,
    /// `apply`, `plan`, ...
    pub step: &'a str,
    /// It has the unit's plain folder.
    pub main: bool,
    /// The file that its reader reads: its standard output, or one that it writes itself.
    pub stream: Option<Utf8PathBuf>,
    /// How it is invoked.
    pub invocation: Invocation,
    /// A lock that its supervisor holds beside the deployment's, for as long as anything of the call lives.
    pub lock: Option<&'a process::Lock>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(super) struct Called {
    /// As its supervisor saw it.
    pub end: End,
    /// otto sent it a signal.
    pub interrupted: bool,
    /// Its time was over.
    pub timed_out: bool,
    /// It was left running: nothing more is known of it.
    pub abandoned: bool,
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// The errors that its reader saw.
    pub errors: Vec<Diagnostic>,
}

impl Called {
    /// Ended with 0, by itself.
    pub(super) fn is_clean(&self) -> bool {
        self.end.is_zero() && !self.interrupted && !self.timed_out && !self.abandoned
    }

    /// What it printed, taken out of its file: for output that holds secrets in clear.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn taken(&self) -> Result<String, Trouble> {
        let output = self.folder.join("stdout");
        let text = fs::read_to_string(&output).map_err(Trouble::file(&output))?;
        fs::write(&output, b"").map_err(Trouble::file(&output))?;
        Ok(text)
    }
}

/// The stop ladder of a call.
pub(super) fn ladder(stop: Stop) -> Ladder {
    match stop {
        Stop::Terraform => Ladder::terraform_apply(),
        Stop::TerraformRead => Ladder::terraform_plan(),
        Stop::Packer => Ladder::packer(),
        Stop::Vagrant => Ladder::vagrant(),
        Stop::Ansible | Stop::Script => Ladder::ansible(),
    }
}

/// What a tool starts for itself alone, by the beginning of its name.
fn servants(stop: Stop) -> Vec<String> {
    let names: &[&str] = match stop {
        Stop::Terraform | Stop::TerraformRead => &["terraform-provider-"],
        Stop::Packer => &["packer"],
        Stop::Ansible => &["ansible-playbook"],
        Stop::Vagrant | Stop::Script => &[],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Turns an invocation into a supervised command.
pub(super) fn command(invocation: &Invocation, secrets: &Secrets) -> Command {
    Command {
        program: invocation.program.clone(),
        args: invocation.args.clone(),
        cwd: invocation.cwd.clone(),
        env: invocation.env.clone(),
        env_default: invocation.env_default.clone(),
        secret_env: secrets.env().clone(),
        env_remove: invocation.env_remove.clone(),
        ladder: ladder(invocation.stop),
        limit_ms: invocation.limit_ms,
        output_limit: OUTPUT_LIMIT,
        secret_output: invocation.secret_output,
        servants: servants(invocation.stop),
    }
}

/// Makes a call and waits for the end of its whole session.
///
/// # Errors
/// When a stop was asked for before it began, when the journal cannot be written, or it cannot be started.
pub(super) async fn call(
    context: &Context,
    unit: &UnitId,
    call: Call<'_>,
    reader: &mut dyn Reader,
) -> Result<Called, Trouble> {
    if context.stop.borrow().requested() {
        return Err(Trouble::Stopped { step: call.step.to_owned() });
    }
    let folder = context.call_folder(unit, call.step, call.main);
    context.record(
        unit,
        EventKind::Intended { tool: call.tool.to_owned(), step: call.step.to_owned(), folder: context.shown(&folder) },
    )?;
    context.tally.call(call.tool);
    let began = context.now();
    // Its own, and that of the deployment on whose hosts it works.
    let carrier = unit.deployment().and_then(|id| context.targets.get(id)?.spec.carrier());
    let of_deployment = unit.deployment().into_iter().chain(&carrier).filter_map(|id| context.locks.get(id));
    let locks: Vec<&process::Lock> = of_deployment.chain(call.lock).collect();
    let running = process::start(&context.exe, &folder, &command(&call.invocation, &context.secrets), &locks).await?;
    let mut says = Saying { context, unit, last_progress: 0, errors: Vec::new(), trouble: None };
    if let (Some(pid), Some(start_time)) = (running.pid(), running.start_time()) {
        says.record(EventKind::Started { pid, start_time });
    }
    let stream = call.stream.clone().unwrap_or_else(|| folder.join("stdout"));
    let mut called = follow(&mut says, running, &stream, reader).await?;
    if called.abandoned {
        // No end is written: the next otto finds the call open, and waits for it.
        return Err(Trouble::Abandoned { what: format!("{} {}", call.tool, call.step) });
    }
    // Before anything else reads what the tool wrote.
    for path in [folder.join("stdout"), folder.join("stderr"), stream] {
        context.secrets.file(&path).map_err(Trouble::file(&path))?;
    }
    let took_ms = context.now().since(began);
    says.record(EventKind::Ended { step: call.step.to_owned(), end: called.end.clone(), took_ms });
    called.errors = says.errors;
    // Only now: whatever the journal did, the child was seen to its end.
    says.trouble.map_or(Ok(called), Err)
}

/// Reads along until the call is over, passing on stops. Nothing but a signal that cannot be sent ends it earlier: not
/// a journal that cannot be written, not output that cannot be read.
async fn follow(
    says: &mut Saying<'_>,
    running: Running,
    stream: &Utf8Path,
    reader: &mut dyn Reader,
) -> Result<Called, Trouble> {
    let mut stop = says.context.stop.clone();
    let mut tail = Tail::open(stream, 0);
    // One waiting thread for the whole call, not one a glance.
    let mut over = std::pin::pin!(running.ended());
    let folder = running.folder().to_owned();
    let mut called = Called {
        end: End::Unknown,
        interrupted: false,
        timed_out: false,
        abandoned: false,
        folder,
        errors: Vec::new(),
    };
    let mut level = 0;
    let mut listening = true;
    loop {
        let asked = stop.borrow_and_update().level;
        while level < asked {
            level += 1;
            called.interrupted |= running.climb(level)? == Climbed::Sent;
            called.abandoned = level >= 3;
            says.record(EventKind::Note { text: running.ladder().rung(level).says.clone(), warning: level > 1 });
        }
        if called.abandoned {
            break;
        }
        tokio::select! {
            ended = &mut over => {
                called.end = ended.end;
                called.timed_out = ended.timed_out;
                break;
            }
            () = tokio::time::sleep(GLANCE) => {}
            changed = stop.changed(), if listening => listening = changed.is_ok(),
        }
        feed(&mut tail, false, reader, says);
    }
    while feed(&mut tail, true, reader, says) {}
    Ok(called)
}

/// Passes new lines on; whether there were any.
fn feed(tail: &mut Tail, last: bool, reader: &mut dyn Reader, says: &mut Saying<'_>) -> bool {
    let path = tail.path().to_owned();
    let batch = match tail.read(last) {
        Ok(batch) => batch,
        Err(error) => {
            says.trouble.get_or_insert(Trouble::file(path)(error));
            return false;
        }
    };
    let any = !batch.lines.is_empty() || batch.gap;
    for line in batch.lines {
        says.all(reader.line(&line));
    }
    any
}

/// Passes what a reader says on to the journal.
struct Saying<'a> {
    context: &'a Context,
    unit: &'a UnitId,
    last_progress: i64,
    errors: Vec<Diagnostic>,
    /// The first thing that went wrong beside the tool itself.
    trouble: Option<Trouble>,
}

impl Saying<'_> {
    fn record(&mut self, kind: EventKind) {
        if let Err(trouble) = self.context.record(self.unit, kind) {
            self.trouble.get_or_insert(trouble);
        }
    }

    fn all(&mut self, said: Vec<Said>) {
        for one in said {
            let kind = match one {
                Said::Progress { done, total, what } => {
                    let now = self.context.now().0;
                    if now.abs_diff(self.last_progress) < PROGRESS_MS {
                        continue;
                    }
                    self.last_progress = now;
                    EventKind::Progress { done, total, what }
                }
                Said::Diagnostic(mut diagnostic) => {
                    diagnostic.file = diagnostic.file.map(|file| self.context.source(self.unit, &file));
                    if !diagnostic.warning {
                        self.errors.push(diagnostic.clone());
                    }
                    EventKind::Diagnostic { diagnostic }
                }
                Said::Note(text) => EventKind::Note { text, warning: false },
                Said::Retrying { attempt, of, why } => EventKind::Retry { attempt, of, why },
            };
            self.record(kind);
        }
    }
}
