//! The stop ladder as data, and one step up on it.
//!
//! Which signal goes to whom was measured with the real tools: a TERM or HUP to Terraform's *group* ends its provider
//! plugins first and the state is lost; an INT to Packer's pid alone is swallowed by its wrapper.

use std::io;

use serde::{Deserialize, Serialize};

use super::folder::Started;
use super::session;

/// A signal that otto sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// As Ctrl-C.
    Int,
    /// The polite end.
    Term,
    /// The end that nobody can refuse.
    Kill,
}

/// Who gets a rung's signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The tool's own process only.
    Pid,
    /// The tool's process group: it, and those of its children that stayed in it.
    Group,
    /// Nobody.
    Nobody,
}

/// What one more request to stop does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// The signal, if one is sent.
    pub signal: Option<Signal>,
    /// To whom.
    pub to: Target,
    /// When the time limit is over, the supervisor climbs here by itself so many seconds after the rung below (the
    /// first rung is climbed at the limit itself). `None`: only a person climbs here.
    pub after_s: Option<u64>,
    /// What the person is told, a lower case fragment.
    pub says: String,
}

/// Three requests to stop and what each does. The third always abandons: the tool goes on under its supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// First, second and third request.
    pub rungs: [Rung; 3],
}

/// What a step on the ladder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climbed {
    /// The signal was sent.
    Sent,
    /// This rung sends none (see its `says`).
    Nothing,
    /// There was nobody left to send it to.
    Gone,
}

impl Ladder {
    /// `terraform apply` and `destroy`: state is at stake, so exactly one INT to Terraform alone, then only patience.
    pub fn terraform_apply() -> Self {
        Self {
            rungs: [
                rung(
                    Some(Signal::Int),
                    Target::Pid,
                    None,
                    "asked to stop; it finishes what it is making and saves its state",
                ),
                rung(
                    None,
                    Target::Nobody,
                    None,
                    "still saving its state: stopping it harder would lose what it made, so it is waited for",
                ),
                abandon("left running under its supervisor; its outcome is unknown until `otto resume` looks"),
            ],
        }
    }

    /// `terraform plan`, `init` and other calls that change nothing.
    pub fn terraform_plan() -> Self {
        Self { rungs: [rung(Some(Signal::Int), Target::Pid, None, "asked to stop"), kill(30), quiet_abandon()] }
    }

    /// `packer build`: its wrapper swallows an INT to the pid, so the group gets it and cleans up what it made.
    pub fn packer() -> Self {
        let first = rung(Some(Signal::Int), Target::Group, None, "asked to stop; it removes the machine it builds on");
        let mut second = kill(600);
        second.says = "killed; the machine it was building on may still exist".to_owned();
        Self { rungs: [first, second, quiet_abandon()] }
    }

    /// `vagrant up` and `destroy`: it ends after the step it is at, and leaves machines that its `status` tells.
    pub fn vagrant() -> Self {
        let first = rung(Some(Signal::Int), Target::Group, None, "asked to stop; it finishes the step that it is at");
        let mut second = kill(600);
        second.says = "killed; a machine that it was making may be half there".to_owned();
        Self { rungs: [first, second, quiet_abandon()] }
    }

    /// `ansible-playbook`.
    pub fn ansible() -> Self {
        let first = rung(Some(Signal::Int), Target::Group, None, "asked to stop; hosts are left half configured");
        Self { rungs: [first, kill(30), quiet_abandon()] }
    }

    /// The rung of a request to stop; 1 is the first, and beyond 3 there is only the third.
    pub fn rung(&self, level: u8) -> &Rung {
        &self.rungs[usize::from(level.clamp(1, 3)) - 1]
    }
}

fn rung(signal: Option<Signal>, to: Target, after_s: Option<u64>, says: &str) -> Rung {
    Rung { signal, to, after_s, says: says.to_owned() }
}

fn kill(after_s: u64) -> Rung {
    rung(Some(Signal::Kill), Target::Group, Some(after_s), "killed")
}

fn abandon(says: &str) -> Rung {
    rung(None, Target::Nobody, None, says)
}

fn quiet_abandon() -> Rung {
    abandon("left running under its supervisor; its outcome is unknown")
}

impl Rung {
    /// Sends this rung's signal to the tool, but only if the process (or group) is still the one that was started.
    pub(super) fn climb(&self, started: &Started) -> io::Result<Climbed> {
        let (Some(signal), Some(tool)) = (self.signal, &started.tool) else {
            return Ok(if self.signal.is_some() { Climbed::Gone } else { Climbed::Nothing });
        };
        let signal = match signal {
            Signal::Int => rustix::process::Signal::INT,
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        let sent = match self.to {
            Target::Nobody => return Ok(Climbed::Nothing),
            Target::Pid => session::signal_process(tool, signal),
            Target::Group => session::signal_group(&started.session, tool, signal),
        }?;
        Ok(if sent { Climbed::Sent } else { Climbed::Gone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraform_that_holds_state_gets_one_int_and_is_never_killed() {
        let ladder = Ladder::terraform_apply();
        assert_eq!((ladder.rung(1).signal, ladder.rung(1).to), (Some(Signal::Int), Target::Pid));
        assert!(ladder.rungs[1..].iter().all(|rung| rung.signal.is_none() && rung.after_s.is_none()));
        for other in [Ladder::terraform_plan(), Ladder::packer(), Ladder::ansible()] {
            assert_eq!((other.rung(2).signal, other.rung(2).to), (Some(Signal::Kill), Target::Group));
            assert!(other.rung(2).after_s.is_some() && other.rung(9) == other.rung(3));
        }
        assert_eq!(Ladder::packer().rung(1).to, Target::Group);
    }
}
