//! Invariants 1 to 3 and 8, proven with real processes: no child is lost, whatever is killed and when.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "what a test skipped or counted")]

use std::fs;
use std::future::Future;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use otto::model::{End, Timestamp};
use otto::process::folder::Folder;
use otto::process::session::Proc;
use otto::process::{
    Climbed, Command, Ended, Found, Holder, Ladder, Lock, LockError, ProcessError, Running, Tail, look, start,
};

const OTTO: &str = env!("CARGO_BIN_EXE_otto");

struct Place {
    dir: tempfile::TempDir,
    calls: AtomicU32,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder"), calls: AtomicU32::new(0) }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::try_from(self.dir.path().join(name)).expect("UTF-8")
    }

    /// A folder for one more call.
    fn call(&self) -> Utf8PathBuf {
        self.path(&format!("run/call-{}", self.calls.fetch_add(1, Ordering::SeqCst)))
    }

    fn sh(&self, script: &str) -> Command {
        Command::new("sh", self.path(""), Ladder::ansible()).args(["-c", script])
    }

    fn start(&self, command: &Command) -> Running {
        self.start_with(command, &[])
    }

    fn start_with(&self, command: &Command, locks: &[&Lock]) -> Running {
        wait(start(Utf8Path::new(OTTO), &self.call(), command, locks)).expect("started")
    }

    fn run(&self, command: &Command) -> (Running, Ended) {
        let running = self.start(command);
        let ended = wait(running.ended());
        (running, ended)
    }

    fn seen(&self, name: &str) -> bool {
        self.path(name).exists()
    }
}

/// Nothing here may hang for ever.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let result = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), future).await });
    runtime.shutdown_background();
    result.expect("it ends")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}: not within 30 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn text(path: impl AsRef<std::path::Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn kill(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    let _ = rustix::process::kill_process(pid, signal);
}

fn kill_9(pid: i32) {
    kill(pid, rustix::process::Signal::KILL);
}

fn supervisor(folder: &Utf8Path) -> Option<Proc> {
    Some(Folder::at(folder).started().ok()??.session.leader)
}

fn code(code: i32) -> End {
    End::Exited { code }
}

fn holder() -> Holder {
    Holder { pid: std::process::id(), run: None, verb: "up".to_owned(), host: "here".to_owned(), since: Timestamp(0) }
}

/// An otto to be killed: this test binary again, running only [`victim`].
fn otto(folder: &Utf8Path, command: &Command, lock: Option<&Utf8Path>) -> Child {
    let mut child = std::process::Command::new(std::env::current_exe().expect("itself"));
    child.args(["--exact", "victim", "--ignored", "--nocapture"]);
    child.env("VICTIM_FOLDER", folder).env("VICTIM_COMMAND", serde_json::to_string(command).expect("JSON"));
    child.envs(lock.map(|lock| ("VICTIM_LOCK", lock.as_str())));
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    child.process_group(0).spawn().expect("spawned")
}

#[test]
#[ignore = "only as a child of the other tests"]
fn victim() {
    let Ok(folder) = std::env::var("VICTIM_FOLDER") else { return };
    let command: Command = serde_json::from_str(&std::env::var("VICTIM_COMMAND").expect("set")).expect("a command");
    let lock = std::env::var("VICTIM_LOCK").ok();
    let lock = lock.map(|path| Lock::try_take(Utf8Path::new(&path), &holder()).expect("free"));
    let locks: Vec<&Lock> = lock.iter().collect();
    let _running = wait(start(Utf8Path::new(OTTO), Utf8Path::new(&folder), &command, &locks));
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn every_kind_of_end_is_known() {
    let place = Place::new();
    let end = |script: &str| place.run(&place.sh(script)).1.end;
    assert_eq!(end("exit 0"), code(0));
    assert_eq!(end("exit 7"), code(7));
    assert_eq!(end("kill -TERM $$"), End::Signalled { signal: 15 });
    let (running, ended) = place.run(&Command::new("no-such-program-here", place.path(""), Ladder::packer()));
    assert!(matches!(ended.end, End::NotStarted { .. }) && running.pid().is_none());
    let nowhere = Command::new("true", place.path("nowhere"), Ladder::packer());
    assert!(matches!(place.run(&nowhere).1.end, End::NotStarted { .. }));
    assert!(matches!(look(running.folder()), Ok(Found::Ended(found)) if found == ended));
    let (running, ended) = place.run(&place.sh("echo out; echo err >&2; sleep 0.05"));
    let output = |name| text(running.folder().join(name));
    assert_eq!((output("stdout").as_str(), output("stderr").as_str()), ("out\n", "err\n"));
    assert!(ended.took_ms >= 50 && !ended.timed_out && running.pid().is_some() && running.start_time().is_some());
}

#[test]
fn the_tool_gets_exactly_what_it_should() {
    let place = Place::new();
    let mut command = place.sh("echo $$; cut -d' ' -f5,6 /proc/$$/stat; umask; cat; pwd; echo $SET $GONE_1 $GONE_2; \
         grep -E 'Sig(Ign|Blk)' /proc/self/status | tr -s '[:space:]' ' ' | sed -E 's/: 0000000(00|08|18)/: 0/g'");
    command.env.insert("SET".into(), "set".into());
    command.env_remove = vec!["GONE_*".into()];
    let call = place.call();
    // Signals 32 and 33 are the C library's own: its posix_spawn leaves them ignored, and no program can set them.
    // Its otto ignores INT and HUP, and has a descriptor too many.
    let mut sh = std::process::Command::new("sh");
    let script = "trap '' INT HUP; exec 7</dev/null; exec \"$0\" --exact victim --ignored";
    sh.arg("-c").arg(script).arg(std::env::current_exe().expect("itself"));
    sh.env("GONE_1", "a").env("GONE_2", "b").env("VICTIM_FOLDER", &call);
    sh.env("VICTIM_COMMAND", serde_json::to_string(&command).expect("JSON"));
    let mut otto = sh.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn().expect("spawned");
    eventually("an end", || matches!(Folder::at(&call).exit(), Ok(Some(_))));
    let started = Folder::at(&call).started().expect("read").expect("started");
    let (tool, session) = (started.tool.expect("a tool").pid, started.session.leader.pid);
    let expected = format!(
        "{tool}\n{tool} {session}\n0077\n{}\nset\nSigBlk: 00000000 SigIgn: 00000000 ",
        place.path("").as_str().trim_end_matches('/')
    );
    assert_eq!(text(call.join("stdout")), expected);
    assert_ne!(session, i32::try_from(otto.id()).expect("a pid"));
    otto.kill().expect("killed");
    otto.wait().expect("reaped");
}

#[test]
fn the_tool_inherits_neither_locks_nor_strangers() {
    let place = Place::new();
    let lock = Lock::try_take(&place.path("locks/a"), &holder()).expect("free");
    let other = Lock::try_share(&place.path("locks/b")).expect("free");
    let running =
        place.start_with(&place.sh("ls -l /proc/$$/fd; while [ ! -e go ]; do sleep 0.02; done"), &[&lock, &other]);
    let supervisor = supervisor(running.folder()).expect("known").pid;
    let held: Vec<_> = fs::read_dir(format!("/proc/{supervisor}/fd"))
        .expect("readable")
        .filter_map(|fd| fs::read_link(fd.expect("an entry").path()).ok())
        .collect();
    assert!(held.iter().any(|file| file.ends_with("locks/a")) && held.iter().any(|file| file.ends_with("locks/b")));
    fs::write(place.path("go"), "").expect("written");
    wait(running.ended());
    let listed = text(running.folder().join("stdout"));
    assert_eq!(listed.lines().filter(|line| line.contains(" -> ")).count(), 3, "{listed}");
    assert!(listed.contains("0 -> /dev/null"), "{listed}");
}

#[test]
fn an_outcome_survives_the_end_of_otto() {
    let place = Place::new();
    let call = place.call();
    let mut otto = otto(&call, &place.sh("while [ ! -e go ]; do sleep 0.02; done; touch done; exit 9"), None);
    eventually("a start", || supervisor(&call).is_some());
    otto.kill().expect("killed");
    otto.wait().expect("reaped");
    let Ok(Found::Running(adopted)) = look(&call) else { panic!("it runs") };
    fs::write(place.path("go"), "").expect("written");
    assert_eq!(wait(adopted.ended()).end, code(9));
    assert!(place.seen("done"));
    assert!(matches!(look(&call), Ok(Found::Ended(Ended { end: End::Exited { code: 9 }, .. }))));
}

#[test]
fn a_dead_supervisor_does_not_hide_what_it_started() {
    let place = Place::new();
    let running =
        place.start(&place.sh("(while [ ! -e go ]; do sleep 0.05; done; touch child) & sleep 0.2; touch tool"));
    kill_9(supervisor(running.folder()).expect("known").pid);
    eventually("the supervisor's end", || !supervisor(running.folder()).expect("known").lives());
    let Ok(Found::Running(adopted)) = look(running.folder()) else { panic!("the tool lives") };
    assert!(!adopted.living().is_empty());
    fs::write(place.path("go"), "").expect("written");
    assert_eq!(wait(adopted.ended()).end, End::Unknown);
    assert!(place.seen("tool") && place.seen("child"), "it was waited for");
    assert_eq!(wait(running.ended()).end, End::Unknown);
    assert!(matches!(look(running.folder()), Ok(Found::Lost)));
}

#[test]
fn a_call_whose_supervisor_died_can_still_be_stopped() {
    let place = Place::new();
    let running = place.start(&place.sh("trap 'touch asked; exit 1' INT; touch up; while :; do sleep 0.05; done"));
    eventually("the trap", || place.seen("up"));
    kill_9(supervisor(running.folder()).expect("known").pid);
    eventually("the supervisor's end", || !supervisor(running.folder()).expect("known").lives());
    assert_eq!(running.climb(1).expect("climbed"), Climbed::Sent);
    assert_eq!(wait(running.ended()).end, End::Unknown);
    assert!(place.seen("asked"));
    assert_eq!(running.climb(2).expect("climbed"), Climbed::Gone);
}

/// Kills otto, and every third time the supervisor as well, at a moment of its own in each trial.
fn trial(place: &Place, number: u64, both: bool) -> Result<&'static str, String> {
    let call = place.call();
    let mark = call.file_name().expect("a name").to_owned();
    let want = i32::try_from(number % 200).expect("small");
    let nap = number * 7 % 40;
    let command = place.sh(&format!("touch {mark}.begun; sleep 0.0{nap:02}; touch {mark}.done; exit {want}"));
    let mut otto = otto(&call, &command, None);
    // Spread over everything from before the folder to after the end.
    std::thread::sleep(Duration::from_micros(number.wrapping_mul(2_654_435_761) % 100_000));
    otto.kill().expect("killed");
    if both && let Some(supervisor) = supervisor(&call) {
        kill_9(supervisor.pid);
    }
    otto.wait().expect("reaped");
    let begun = || place.seen(&format!("{mark}.begun"));
    let done = || place.seen(&format!("{mark}.done"));
    let found = look(&call).map_err(|error| error.to_string())?;
    let end = match found {
        Found::NeverStarted => {
            std::thread::sleep(Duration::from_millis(20));
            let again = look(&call).map_err(|error| error.to_string())?;
            return match (begun(), again) {
                (false, Found::NeverStarted) => Ok("never started"),
                // A supervisor that came late finds the claim taken and goes.
                (false, Found::Running(late)) => match wait(late.ended()).end {
                    End::NotStarted { .. } if !begun() => Ok("never started"),
                    end => Err(format!("never started, but {end:?}")),
                },
                (ran, again) => Err(format!("never started, but {ran} and {again:?}")),
            };
        }
        Found::Running(running) => wait(running.ended()).end,
        Found::Ended(ended) => ended.end,
        Found::Lost => End::Unknown,
    };
    match end {
        End::Exited { code } if code == want && done() => Ok("ended"),
        End::Unknown if both && done() == begun() => Ok("lost"),
        End::NotStarted { .. } if !begun() => Ok("never started"),
        end => Err(format!("{end:?}, wanted {want}; begun {} done {}", begun(), done())),
    }
}

#[test]
fn of_200_ottos_killed_at_random_none_loses_an_outcome() {
    let place = Place::new();
    let next = AtomicU32::new(0);
    let results = std::thread::scope(|scope| {
        let work = || {
            let mut results = Vec::new();
            loop {
                let number = u64::from(next.fetch_add(1, Ordering::SeqCst));
                if number >= 260 {
                    return results;
                }
                results.push((number, trial(&place, number, number >= 200)));
            }
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let wrong: Vec<_> = results.iter().filter(|(_, result)| result.is_err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let count = |what| results.iter().filter(|(_, result)| result.as_deref() == Ok(what)).count();
    println!("{} ended, {} never started, {} lost", count("ended"), count("never started"), count("lost"));
    assert!(count("ended") > 20);
}

#[test]
fn a_call_runs_once() {
    let place = Place::new();
    let (running, _) = place.run(&place.sh("echo x >> ran"));
    let again = std::process::Command::new(OTTO).args(["__supervise", running.folder().as_str()]).status();
    assert_eq!(again.expect("run").code(), Some(3));
    let same = wait(start(Utf8Path::new(OTTO), running.folder(), &place.sh("echo x >> ran"), &[]));
    assert!(matches!(same, Err(ProcessError::Folder { .. })));
    assert_eq!(text(place.path("ran")), "x\n");
    let strange = std::process::Command::new(OTTO).args(["__supervise", "/nowhere", "2"]).status();
    assert_eq!(strange.expect("run").code(), Some(2));
}

#[test]
fn what_was_never_started_never_will_be() {
    let place = Place::new();
    assert!(matches!(look(&place.call()), Ok(Found::NeverStarted)));
    let call = place.call();
    let no_supervisor = wait(start(Utf8Path::new("/bin/false"), &call, &place.sh("touch ran"), &[]));
    assert!(matches!(no_supervisor, Err(ProcessError::Supervisor { .. })));
    assert!(matches!(look(&call), Ok(Found::NeverStarted)));
    assert!(matches!(look(&call), Ok(Found::NeverStarted)));
    let late = std::process::Command::new(OTTO).args(["__supervise", call.as_str()]).status();
    assert_eq!((late.expect("run").code(), place.seen("ran")), (Some(3), false));
}

#[test]
fn a_call_is_over_when_nothing_of_its_session_lives() {
    let place = Place::new();
    let lock_path = place.path("lock");
    let lock = Lock::try_take(&lock_path, &holder()).expect("free");
    let running =
        place.start_with(&place.sh("(while [ ! -e go ]; do sleep 0.05; done; touch late) & exit 4"), &[&lock]);
    drop(lock);
    let folder = Folder::at(running.folder());
    eventually("the tool's end", || matches!(folder.exit(), Ok(Some(_))));
    assert!(matches!(look(running.folder()), Ok(Found::Running(_))) && !place.seen("late"));
    assert!(running.living().iter().any(|one| one.name == "sleep" || one.name == "sh"));
    assert!(matches!(Lock::try_take(&lock_path, &holder()), Err(LockError::Held(_))));
    fs::write(place.path("go"), "").expect("written");
    assert_eq!(wait(running.ended()).end, code(4));
    assert!(place.seen("late"));
    Lock::try_take(&lock_path, &holder()).expect("free again");
}

#[test]
fn what_only_serves_a_tool_does_not_outlive_it_for_ever() {
    let place = Place::new();
    // A copy of `sleep` by another name, deaf to nothing; and one that is no servant keeps the call alive.
    let servant = place.path("terraform-provider-x_v1");
    fs::copy("/bin/sleep", &servant).expect("a copy");
    let mut command = place.sh(&format!("'{servant}' 600 & sleep 0.1; kill -9 $$"));
    command.servants = vec!["terraform-provider-".to_owned()];
    let begun = Instant::now();
    let (_, ended) = place.run(&command);
    assert_eq!(ended.end, End::Signalled { signal: 9 });
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(25), "{took:?}");
}

#[test]
fn daemons_are_left_alone_and_zombies_are_not_waited_for() {
    let place = Place::new();
    // A daemon with a session of its own, which holds a dead child of the tool's session that it never reaps.
    let daemon = "import os,time\n\
        if os.fork() == 0:\n\
        \x20 if os.fork() == 0: os._exit(0)\n\
        \x20 os.setsid(); open('daemon','w').write(str(os.getpid())); time.sleep(30)\n\
        while not os.path.exists('daemon') or not os.path.getsize('daemon'): time.sleep(0.01)\n";
    let (running, ended) = place.run(&Command::new("python3", place.path(""), Ladder::ansible()).args(["-c", daemon]));
    assert_eq!(ended.end, code(0), "{}", text(running.folder().join("stderr")));
    assert!(ended.took_ms < 20_000);
    let daemon = text(place.path("daemon")).parse().expect("a pid");
    assert!(Proc::find(daemon).is_some_and(|proc| proc.lives()));
    kill_9(daemon);
}

#[test]
fn orphans_are_reaped_by_the_supervisor() {
    let place = Place::new();
    let busy = place.start(&place.sh("sh -c '(sleep 0.1; :) & exit 0'; while [ ! -e stop ]; do sleep 0.05; done"));
    let over = supervisor(busy.folder()).expect("known").pid;
    let children = || text(format!("/proc/{over}/task/{over}/children"));
    eventually("the orphan's coming", || children().split_whitespace().count() == 2);
    eventually("its reaping while the tool runs", || children().split_whitespace().count() == 1);
    // Its end comes after the tool's, while another of the session still lives.
    let running = place.start(&place.sh("(sleep 0.1; :) & (while [ ! -e stop ]; do sleep 0.05; done) & exit 0"));
    let supervisor = supervisor(running.folder()).expect("known").pid;
    let children = || text(format!("/proc/{supervisor}/task/{supervisor}/children"));
    eventually("the short orphan's reaping", || children().split_whitespace().count() == 1);
    fs::write(place.path("stop"), "").expect("written");
    assert_eq!(wait(running.ended()).end, code(0));
    eventually("the supervisor's own end", || {
        drop(place.run(&place.sh("")));
        Proc::find(supervisor).is_none_or(|proc| !proc.lives())
    });
}

#[test]
fn the_lock_outlives_otto_as_long_as_its_child() {
    let place = Place::new();
    let (call, path) = (place.call(), place.path("locks/dev_local_hello"));
    let mut otto = otto(&call, &place.sh("while [ ! -e go ]; do sleep 0.05; done"), Some(&path));
    eventually("a start", || supervisor(&call).is_some());
    otto.kill().expect("killed");
    otto.wait().expect("reaped");
    let Err(LockError::Held(who)) = Lock::try_take(&path, &holder()) else { panic!("it is held") };
    assert_eq!((who.pid, who.lives("here")), (otto.id(), false));
    assert!(matches!(Lock::try_share(&path), Err(LockError::Held(_))));
    let me = holder();
    let waiting = async {
        let free = async { fs::write(place.path("go"), "").expect("written") };
        tokio::join!(Lock::wait(&path, &me), free).0
    };
    let lock = wait(waiting).expect("taken");
    assert!(matches!(look(&call), Ok(Found::Ended(_))), "the lock was free only after the end");
    assert_eq!(fs::metadata(path.parent().expect("a folder")).map(|m| m.permissions()).map(mode).ok(), Some(0o700));
    drop(lock);
    let shared = [Lock::try_share(&path), Lock::try_share(&path)];
    assert!(shared.iter().all(Result::is_ok));
}

fn mode(permissions: fs::Permissions) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777
}

#[test]
fn a_removed_lock_file_locks_nothing() {
    let place = Place::new();
    let path = place.path("lock");
    let _old = Lock::try_take(&path, &holder()).expect("free");
    fs::remove_file(&path).expect("removed");
    let _new = Lock::try_take(&path, &holder()).expect("a new file");
    assert!(matches!(Lock::try_take(&path, &holder()), Err(LockError::Held(_))));
}

/// The tool counts the INTs that reach it and those that reach a child of its group.
fn counting(place: &Place, ladder: Ladder) -> Running {
    let child = "trap 'echo child >> ints' INT; touch child; while [ ! -e stop ]; do sleep 0.05; done";
    fs::write(place.path("child.sh"), child).expect("written");
    // Not a background job of a shell: those ignore INT.
    let tool = "import subprocess, signal\n\
        p = subprocess.Popen(['sh', 'child.sh'])\n\
        signal.signal(signal.SIGINT, lambda *a: open('ints', 'a').write('tool\\n'))\n\
        open('tool', 'w').close()\n\
        p.wait()\n";
    let running = place.start(&Command::new("python3", place.path(""), ladder).args(["-c", tool]));
    eventually("both", || place.seen("tool") && place.seen("child"));
    running
}

fn ints(place: &Place) -> Vec<String> {
    let mut all: Vec<_> = text(place.path("ints")).lines().map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn terraform_alone_gets_one_int_and_then_nothing() {
    let place = Place::new();
    let running = counting(&place, Ladder::terraform_apply());
    assert_eq!(running.climb(1).expect("climbed"), Climbed::Sent);
    eventually("the INT", || !ints(&place).is_empty());
    assert_eq!(running.climb(2).expect("climbed"), Climbed::Nothing);
    assert_eq!(running.climb(3).expect("climbed"), Climbed::Nothing);
    std::thread::sleep(Duration::from_millis(200));
    fs::write(place.path("stop"), "").expect("written");
    assert_eq!(wait(running.ended()).end, code(0));
    assert_eq!(ints(&place), ["tool"]);
    assert_eq!(running.climb(1).expect("climbed"), Climbed::Gone);
}

#[test]
fn packer_and_ansible_get_it_as_a_group_and_can_be_killed() {
    for ladder in [Ladder::packer(), Ladder::ansible()] {
        let place = Place::new();
        let running = counting(&place, ladder);
        assert_eq!(running.climb(1).expect("climbed"), Climbed::Sent);
        eventually("both INTs", || ints(&place).len() == 2);
        assert_eq!(ints(&place), ["child", "tool"]);
        assert_eq!(running.climb(2).expect("climbed"), Climbed::Sent);
        assert_eq!(wait(running.ended()).end, End::Signalled { signal: 9 });
    }
}

#[test]
fn the_time_limit_asks_once_where_state_is_at_stake() {
    let place = Place::new();
    let mut command =
        place.sh("trap 'echo int >> ints' INT; while [ ! -e ints ]; do sleep 0.05; done; sleep 0.5; exit 3");
    command.ladder = Ladder::terraform_apply();
    command.limit_ms = Some(2000);
    let (_, ended) = place.run(&command);
    assert_eq!((ended.end, ended.timed_out), (code(3), true));
    assert_eq!(ints(&place), ["int"]);
}

#[test]
fn the_time_limit_kills_where_nothing_is_at_stake() {
    let place = Place::new();
    let mut command = place.sh("trap '' INT; echo up; while :; do sleep 0.05; done");
    command.ladder.rungs[1].after_s = Some(0);
    command.limit_ms = Some(1500);
    let (_, ended) = place.run(&command);
    assert_eq!((ended.end, ended.timed_out), (End::Signalled { signal: 9 }, true));
    let (_, ended) = place.run(&Command { limit_ms: Some(50_000), ..place.sh("exit 0") });
    assert!(!ended.timed_out);
}

#[test]
fn a_supervisor_ignores_what_ends_others() {
    let place = Place::new();
    let running = place.start(&place.sh("while [ ! -e go ]; do sleep 0.02; done; exit 5"));
    let pid = supervisor(running.folder()).expect("known").pid;
    use rustix::process::Signal;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::PIPE, Signal::TSTP] {
        kill(pid, signal);
    }
    fs::write(place.path("go"), "").expect("written");
    assert_eq!(wait(running.ended()).end, code(5));
}

#[test]
fn output_is_bounded_and_followed_while_it_is_written() {
    let place = Place::new();
    let mut command =
        place.sh("i=0; while [ $i -lt 60 ]; do seq -f \"$i-%g\" 1 4000; i=$((i+1)); sleep 0.02; done; printf end");
    command.output_limit = 128 << 10;
    let running = place.start(&command);
    let path = running.folder().join("stdout");
    let (mut lines, mut gap) = (Vec::new(), false);
    let mut tail = Tail::open(&path, 0);
    let ended = wait(tail.follow(running.ended(), |batch| {
        lines.extend(batch.lines);
        gap |= batch.gap;
        Ok::<_, std::io::Error>(())
    }))
    .expect("followed");
    assert_eq!(ended.end, code(0), "the tool was never stopped");
    let meta = fs::metadata(&path).expect("there");
    let on_disk = std::os::unix::fs::MetadataExt::blocks(&meta) * 512;
    assert!(on_disk <= 3 * (128 << 10), "{on_disk} bytes on disk");
    assert_eq!((lines[0].as_str(), lines[lines.len() - 1].as_str()), ("0-1", "end"));
    let own = |line: &&String| line.starts_with("[otto: ");
    let mut seen = 0;
    for line in lines.iter().filter(|line| !own(line) && !line.is_empty() && *line != "end") {
        let (round, number) = line.split_once('-').expect("a whole line");
        let at = round.parse::<u64>().expect("whole") * 4000 + number.parse::<u64>().expect("whole");
        assert!(at > seen, "in order, nothing twice");
        seen = at;
    }
    assert_eq!(seen, 59 * 4000 + 4000);
    // Whoever comes later reads head and tail, and hears of the gap.
    let (mut later, mut batches) = (Tail::open(&path, 0), Vec::new());
    loop {
        let batch = later.read(true).expect("read");
        if batch.lines.is_empty() && !batch.gap {
            break;
        }
        batches.push(batch);
    }
    assert!(batches.iter().any(|batch| batch.gap));
    assert!(batches.iter().flat_map(|batch| &batch.lines).any(|line| own(&line)));
    assert_eq!(batches.last().and_then(|batch| batch.lines.last()).map(String::as_str), Some("end"));
}

#[test]
fn an_outcome_fits_on_a_full_disk() {
    let place = Place::new();
    let disk = place.path("disk");
    fs::create_dir(&disk).expect("made");
    let mut mount = std::process::Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=64k", "none", disk.as_str()]);
    let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !mounted {
        println!("skipped: a small file system can be mounted by root only");
        return;
    }
    let call = disk.join("call");
    let command = place.sh("while [ ! -e go ]; do sleep 0.02; done; echo lost; exit 6");
    let running = wait(start(Utf8Path::new(OTTO), &call, &command, &[])).expect("started");
    let filled = std::process::Command::new("dd")
        .args(["if=/dev/zero", &format!("of={disk}/fill")])
        .stderr(Stdio::null())
        .status();
    let full = fs::write(disk.join("more"), "x").is_err() || fs::read(disk.join("more")).is_ok_and(|is| is.is_empty());
    fs::write(place.path("go"), "").expect("written");
    let ended = wait(running.ended());
    let found = look(&call);
    let _ = std::process::Command::new("umount").args(["-l", disk.as_str()]).status();
    assert!(full && filled.is_ok_and(|status| !status.success()), "it was full");
    assert_eq!(ended.end, code(6));
    assert!(matches!(found, Ok(Found::Ended(_))));
}

#[test]
fn fifty_at_once_are_fast_and_leave_nothing() {
    let place = Place::new();
    let begin = Instant::now();
    let ends = wait(async {
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (call, command) = (place.call(), place.sh("exit 0"));
            set.spawn(
                async move { start(Utf8Path::new(OTTO), &call, &command, &[]).await.expect("started").ended().await },
            );
        }
        set.join_all().await
    });
    assert!(ends.iter().all(|ended| ended.end == code(0)));
    println!("50 calls in {} ms", begin.elapsed().as_millis());
    eventually("reaped supervisors", || {
        drop(place.run(&place.sh("")));
        zombies() <= 1
    });
}

/// Dead children of this process that it has not reaped. Other tests have theirs for a moment, too.
fn zombies() -> usize {
    let me = std::process::id().to_string();
    let dead = |stat: &str| {
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        fields.first() == Some(&"Z") && fields.get(1) == Some(&me.as_str())
    };
    let all = fs::read_dir("/proc").expect("readable").flatten();
    all.filter(|entry| dead(&text(entry.path().join("stat")))).count()
}
