//! How long a deployment may live: where in its span it is, and how a lease is moved.

use serde::{Deserialize, Serialize};

use super::deployment::Deployment;
use super::time::Timestamp;

/// A lease that was moved by `otto extend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// When.
    pub at: Timestamp,
    /// Who did (`user@machine`).
    pub by: String,
    /// The expiry (seconds since 1970, 0 for never) that the tags at the provider still say, where its root cannot change
    /// tags in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagged_s: Option<i64>,
}

/// Where in its lease a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// It may live for ever.
    None,
    /// Less than four fifths of it are over.
    Ok,
    /// Four fifths are over.
    Ending,
    /// It is over.
    Over,
}

/// How a lease is to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// So many seconds longer than it would last, from now on where it is over.
    For(u64),
    /// Until then.
    Until(Timestamp),
    /// Without an end.
    Never,
}

impl Move {
    /// The new expiry of a lease that ends (or ended) at `expires`.
    pub fn apply(self, expires: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::For(seconds) => {
                let from = expires.filter(|end| *end > now).unwrap_or(now);
                Some(from.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 4000)))
            }
            Self::Until(end) => Some(end),
            Self::Never => None,
        }
    }
}

impl Deployment {
    /// Since when the lease counts that it has now.
    pub fn leased_from(&self) -> Timestamp {
        self.moved.as_ref().map_or(self.created_at, |moved| moved.at)
    }

    /// Where in its lease it is.
    pub fn lease_state(&self, now: Timestamp) -> LeaseState {
        let Some(end) = self.expires_at else { return LeaseState::None };
        let (gone, whole) = (now.since(self.leased_from()), end.since(self.leased_from()));
        match () {
            () if now >= end => LeaseState::Over,
            () if gone.saturating_mul(5) >= whole.saturating_mul(4) => LeaseState::Ending,
            () => LeaseState::Ok,
        }
    }

    /// What its tags say: the lease, unless its root could not be told of the last move.
    pub fn tagged_expiry(&self) -> Option<Timestamp> {
        match self.moved.as_ref().and_then(|moved| moved.tagged_s) {
            Some(0) => None,
            Some(seconds) => Some(Timestamp(seconds.saturating_mul(1000))),
            None => self.expires_at,
        }
    }
}

/// Seconds between a lease's end and its reaping: as otto.yaml says, else a tenth of the lease, ten minutes at most.
pub fn grace_s(said: Option<u64>, begin: Option<Timestamp>, end: Timestamp) -> u64 {
    const MOST: u64 = 600;
    said.unwrap_or_else(|| begin.map_or(MOST, |begin| (end.since(begin) / 10_000).min(MOST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_lease_has_a_short_grace() {
        let end = Timestamp(120_000);
        assert_eq!(grace_s(None, Some(Timestamp(0)), end), 12);
        assert_eq!(grace_s(None, Some(Timestamp(-28_800_000)), end), 600);
        assert_eq!(grace_s(None, None, end), 600);
        assert_eq!(grace_s(Some(0), Some(Timestamp(0)), end), 0);
    }

    #[test]
    fn more_time_is_added_to_what_is_left() {
        let (now, later) = (Timestamp(1_000_000), Timestamp(1_060_000));
        assert_eq!(Move::For(60).apply(Some(later), now), Some(Timestamp(1_120_000)));
        assert_eq!(Move::For(60).apply(Some(Timestamp(5)), now), Some(later));
        assert_eq!(Move::For(60).apply(None, now), Some(later));
        assert_eq!(Move::Until(later).apply(Some(now), now), Some(later));
        assert_eq!(Move::Never.apply(Some(now), now), None);
    }
}
