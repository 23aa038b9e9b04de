//! A point in time as milliseconds since 1970 UTC, written as RFC 3339. Reading a clock is not done here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z; in JSON `2026-11-21T06:25:31.399Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(pub i64);

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The text is not an RFC 3339 time in UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no RFC 3339 time in UTC")]
pub struct TimeError(String);

impl Timestamp {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds from `earlier` to this, never negative.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }

    /// This moved by seconds.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1000)
    }

    /// The first moment of this one's day in UTC.
    #[must_use]
    pub fn day_start(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY_MS))
    }

    /// The first moment of this one's calendar month in UTC.
    #[must_use]
    pub fn month_start(self) -> Self {
        let (_, _, day, ..) = self.civil();
        Self(self.day_start().0 - i64::from(day - 1) * DAY_MS)
    }

    /// The first moment of the next calendar month in UTC.
    #[must_use]
    pub fn next_month(self) -> Self {
        // No month is longer than 31 days, and none shorter than 28: 32 days on from its first is in the next one.
        Self(self.month_start().0 + 32 * DAY_MS).month_start()
    }

    /// Year, month, day, hour, minute, second, millisecond in UTC.
    pub fn civil(self) -> (i64, u32, u32, u32, u32, u32, u32) {
        let days = self.0.div_euclid(86_400_000);
        let rest = self.0.rem_euclid(86_400_000) as u32;
        // Days to civil date, after Howard Hinnant's public-domain `civil_from_days`.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, day, rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, ms) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError(text.to_owned());
        let part = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let bytes = text.as_bytes();
        if bytes.len() < 20 || bytes[4] != b'-' || bytes[10] != b'T' || !text.ends_with('Z') {
            return Err(wrong());
        }
        let fields = || Some((part(0, 4)?, part(5, 7)?, part(8, 10)?, part(11, 13)?, part(14, 16)?, part(17, 19)?));
        let (year, month, day, hour, minute, second) = fields().ok_or_else(wrong)?;
        let fraction = text[19..].trim_start_matches('.').trim_end_matches('Z');
        let ms: i64 = format!("{fraction:0<3}").get(..3).and_then(|f| f.parse().ok()).ok_or_else(wrong)?;
        let y = year - i64::from(month <= 2);
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
        Ok(Self(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + ms))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

/// A span as people read it: `45 ms`, `3.2 s`, `1m 04s`, `2h 05m`, `3d 4h`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=9 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_read_and_write() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_242_331_399, "2026-11-21T06:25:31.399Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp(ms)));
        }
        assert_eq!("2026-11-21T06:25:31Z".parse(), Ok(Timestamp(1_795_242_331_000)));
        assert_eq!("2026-11-21T06:25:31.399300Z".parse(), Ok(Timestamp(1_795_242_331_399)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn months_begin_and_end_in_leap_years_too() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (moment, start, next) in [
            ("2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("1969-12-31T23:00:00Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!((at(moment).month_start(), at(moment).next_month()), (at(start), at(next)), "{moment}");
        }
        assert_eq!(at("2026-11-21T06:25:31Z").day_start(), at("2026-11-21T00:00:00Z"));
    }

    #[test]
    fn spans_read_well() {
        assert_eq!([span(45), span(3_210), span(64_000), span(7_500_000)], ["45 ms", "3.2 s", "1m 04s", "2h 05m"]);
    }
}
