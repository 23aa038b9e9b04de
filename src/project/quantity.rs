//! Small notations in project files and flags: spans of time, amounts of money, domains.

use std::net::IpAddr;

/// Seconds in `90m`, `8h`, `2d`, `1w`, `1d12h`; nothing when it is no such text, zero, or above ten years.
pub fn seconds(text: &str) -> Option<u64> {
    const TEN_YEARS: u64 = 10 * 366 * 86_400;
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let size = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        if size >= last {
            return None;
        }
        last = size;
        total = total.checked_add(amount.checked_mul(size)?)?;
        rest = &rest[digits + 1..];
    }
    (1..=TEN_YEARS).contains(&total).then_some(total)
}

/// Amount and currency in `20 USD` or `12.50 EUR`; the amount stays a decimal string.
pub fn money(text: &str) -> Option<(String, String)> {
    let mut parts = text.split_whitespace();
    let (amount, currency) = (parts.next()?, parts.next()?);
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, "0"));
    let digits = |s: &str, most: usize| (1..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    let fits = parts.next().is_none()
        && digits(whole, 9)
        && digits(cents, 4)
        && currency.len() == 3
        && currency.bytes().all(|b| b.is_ascii_uppercase());
    fits.then(|| (amount.to_owned(), currency.to_owned()))
}

/// A network such as `198.51.100.0/24`; an address alone is the network of just that one. Of an address with a length its network, as
/// providers refuse another form.
pub fn cidr(text: &str) -> Option<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits: u32 = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most)?;
    let network = match address {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & u32::MAX.checked_shl(most - bits).unwrap_or(0)).into()),
        IpAddr::V6(address) => {
            IpAddr::V6((u128::from(address) & u128::MAX.checked_shl(most - bits).unwrap_or(0)).into())
        }
    };
    Some(format!("{network}/{bits}"))
}

/// A domain in small letters, or why it is none.
///
/// # Errors
/// What is wrong, as a hint.
pub fn domain(text: &str) -> Result<String, &'static str> {
    if text.contains("://") || text.contains(['/', ':']) {
        return Err("write the name alone, without `http://`, port or path");
    }
    if text.contains('*') {
        return Err("every name is written out, there are no wildcards");
    }
    if !text.is_ascii() {
        return Err("write it in its ASCII form, which begins with `xn--`");
    }
    let name = text.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err("a domain is letters, digits and hyphens with dots between, such as `www.example.org`");
    }
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err("an address is no domain");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, expected) in
            [("8h", 28_800), ("2d", 172_800), ("90m", 5_400), ("1w", 604_800), ("30s", 30), ("1d12h", 129_600)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "8", "h", "0h", "-1h", "8 h", "1.5h", "8H", "12h1d", "1h1h", "99999999999999999999h", "99w99é"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn money_is_an_amount_and_a_currency() {
        assert_eq!(money("20 USD"), Some(("20".into(), "USD".into())));
        assert_eq!(money("12.50 EUR"), Some(("12.50".into(), "EUR".into())));
        for text in ["20", "USD 20", "20 usd", "20 USD a", "-1 USD", "1e3 USD", "1. USD", ".5 USD", "20USD"] {
            assert_eq!(money(text), None, "{text}");
        }
    }

    #[test]
    fn networks_have_no_bits_of_hosts() {
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.7/0", "0.0.0.0/0"),
            ("2001:DB8::7", "2001:db8::7/128"),
            ("2001:db8::7/32", "2001:db8::/32"),
            ("::1/0", "::/0"),
        ] {
            assert_eq!(cidr(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "203.0.113", "203.0.113.7/33", "::/129", "::/", "203.0.113.7/-1", "host/8"] {
            assert_eq!(cidr(text), None, "{text}");
        }
    }

    #[test]
    fn domains_are_checked() {
        assert_eq!(domain("WWW.Example.org"), Ok("www.example.org".into()));
        assert_eq!(domain("localhost"), Ok("localhost".into()));
        assert!(domain("http://a.b").is_err_and(|hint| hint.contains("alone")));
        for text in ["", ".", "a..b", "a.b.", "-a.b", "a_b.c", "a b", "10.0.0.5", "*.a.b", "münchen.de", "a:80"] {
            assert!(domain(text).is_err(), "{text}");
        }
        assert!(domain(&format!("{}.org", "a".repeat(64))).is_err());
    }
}
