//! Connection URLs.
//!
//! Owns the forms `redis[s]://[[user][:password]@]host[:port][/db]`, `valkey[s]://...` likewise, and
//! `unix://[[user][:password]@]/path[?db=N]`. A general URL parser refuses credentials without a
//! host, which the last form has, so there is a parser of its own here.
//!
//! Invariant: a message says what is wrong, and never quotes the URL or a part of it. A password
//! may be anywhere in a URL that could not be parsed.

use std::net::Ipv6Addr;

use super::{Endpoint, Secret};
use crate::error::{Error, Result};

/// What a URL says. `None` where it says nothing, so that other options apply.
#[derive(Debug, Clone, Default)]
pub struct UrlParts {
    /// Host name or IP address, IPv6 without brackets.
    pub host: Option<String>,
    /// Port, 1 to 65,535.
    pub port: Option<u16>,
    /// Path of the Unix socket; host and port are `None` then.
    pub path: Option<String>,
    /// Whether the scheme asks for TLS (`rediss`, `valkeys`).
    pub tls: bool,
    /// ACL user, decoded.
    pub username: Option<String>,
    /// Password, decoded.
    pub password: Option<Secret>,
    /// Database number.
    pub database: Option<u32>,
}

impl UrlParts {
    /// The server's address, with `localhost` and 6379 where the URL names no host or port.
    pub fn endpoint(&self) -> Endpoint {
        match &self.path {
            Some(path) => Endpoint::unix(path),
            None => Endpoint::tcp(
                self.host.as_deref().unwrap_or("localhost"),
                self.port.unwrap_or(Endpoint::DEFAULT_PORT),
            ),
        }
    }
}

/// Reads a connection URL. As in node-redis, the query of a TCP URL is ignored.
///
/// Spaces and control characters around it are left out, as by the WHATWG's URL parser: a file with
/// a URL ends with a newline.
pub fn parse_url(url: &str) -> Result<UrlParts> {
    let url = url.trim_matches(|c: char| c <= ' ');
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(invalid("it contains spaces or control characters"));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(invalid("it does not start with redis://, rediss:// or unix://"));
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    match scheme.to_ascii_lowercase().as_str() {
        "redis" | "valkey" => tcp(rest, false),
        "rediss" | "valkeys" => tcp(rest, true),
        "unix" => unix(rest, query),
        _ => Err(invalid("the scheme must be redis, rediss, valkey, valkeys or unix")),
    }
}

fn tcp(rest: &str, tls: bool) -> Result<UrlParts> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (userinfo, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut parts = credentials(userinfo)?;
    (parts.host, parts.port) = host_and_port(address)?;
    parts.tls = tls;
    let path = path.strip_suffix('/').unwrap_or(path);
    if !path.is_empty() {
        parts.database = Some(database(path)?);
    }
    Ok(parts)
}

fn unix(rest: &str, query: &str) -> Result<UrlParts> {
    let Some(slash) = rest.find('/') else {
        return Err(invalid("the unix socket's path is missing"));
    };
    let (authority, path) = rest.split_at(slash);
    let userinfo = match authority.rsplit_once('@') {
        Some((userinfo, "")) => userinfo,
        None if authority.is_empty() => "",
        _ => return Err(invalid("a unix url has no host (three slashes before the path)")),
    };
    if path.len() < 2 {
        return Err(invalid("the unix socket's path is missing"));
    }
    let mut parts = credentials(userinfo)?;
    parts.path = Some(decode(path)?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("db", number)) => parts.database = Some(database(number)?),
            _ => return Err(invalid("a unix url takes no parameter but db")),
        }
    }
    Ok(parts)
}

fn credentials(userinfo: &str) -> Result<UrlParts> {
    let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let username = Some(decode(username)?).filter(|text| !text.is_empty());
    let password = Some(decode(password)?).filter(|text| !text.is_empty()).map(Secret::new);
    Ok(UrlParts { username, password, ..Default::default() })
}

fn host_and_port(address: &str) -> Result<(Option<String>, Option<u16>)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let Some((host, after)) = bracketed.split_once(']') else {
                return Err(invalid("the ']' after an ipv6 address is missing"));
            };
            let host = decode(host)?;
            let number = host.split('%').next().unwrap_or_default();
            if number.parse::<Ipv6Addr>().is_err() {
                return Err(invalid("the host in brackets is not an ipv6 address"));
            }
            match after.strip_prefix(':') {
                Some(port) => (host, port),
                None if after.is_empty() => (host, ""),
                None => return Err(invalid("only a port may follow an ipv6 address")),
            }
        }
        None => {
            let (host, port) = address.split_once(':').unwrap_or((address, ""));
            (decode(host)?, port)
        }
    };
    let host = Some(host).filter(|host| !host.is_empty());
    if port.is_empty() {
        return Ok((host, None));
    }
    match digits(port).and_then(|number| u16::try_from(number).ok()) {
        Some(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(invalid(
            "the port must be a number from 1 to 65535 \
             (within a password write '/', '?', '#' and ':' percent-encoded)",
        )),
    }
}

fn database(text: &str) -> Result<u32> {
    digits(text).ok_or_else(|| invalid("the database must be a number"))
}

/// A number of decimal digits only. (`str::parse` would also take a `+`.)
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Undoes percent-encoding; the result must be UTF-8.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = rest.next().and_then(hex).zip(rest.next().and_then(hex));
        let (high, low) = pair.ok_or_else(|| invalid("a '%' is not followed by two hex digits"))?;
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| invalid("its percent-encoded bytes are not utf-8"))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn invalid(reason: &str) -> Error {
    Error::usage(format!("invalid url: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorClass;

    /// host, port, path, tls, username, password, database
    type Expected<'a> = (
        Option<&'a str>,
        Option<u16>,
        Option<&'a str>,
        bool,
        Option<&'a str>,
        Option<&'a str>,
        Option<u32>,
    );

    #[test]
    fn urls_are_read_as_documented() {
        let h = Some("h");
        let cases: Vec<(&str, Expected)> = vec![
            ("redis://", (None, None, None, false, None, None, None)),
            ("redis://h", (h, None, None, false, None, None, None)),
            (" redis://h/1\r\n\0", (h, None, None, false, None, None, Some(1))),
            ("REDIS://h", (h, None, None, false, None, None, None)),
            ("redis://h/", (h, None, None, false, None, None, None)),
            ("redis://h:7000/3", (h, Some(7000), None, false, None, None, Some(3))),
            ("redis://:7000/3/", (None, Some(7000), None, false, None, None, Some(3))),
            ("redis:///5", (None, None, None, false, None, None, Some(5))),
            ("rediss://h", (h, None, None, true, None, None, None)),
            ("valkey://h", (h, None, None, false, None, None, None)),
            ("valkeys://h:1", (h, Some(1), None, true, None, None, None)),
            ("redis://:pw@h", (h, None, None, false, None, Some("pw"), None)),
            ("redis://joe@h", (h, None, None, false, Some("joe"), None, None)),
            ("redis://joe:@h", (h, None, None, false, Some("joe"), None, None)),
            ("redis://joe:a:b@h", (h, None, None, false, Some("joe"), Some("a:b"), None)),
            ("redis://joe:a@b@h", (h, None, None, false, Some("joe"), Some("a@b"), None)),
            (
                "redis://j%20e:%2F%3a%C3%BC@h",
                (h, None, None, false, Some("j e"), Some("/:ü"), None),
            ),
            ("redis://h/1?family=6#x", (h, None, None, false, None, None, Some(1))),
            ("redis://[::1]:7000/1", (Some("::1"), Some(7000), None, false, None, None, Some(1))),
            ("redis://[fe80::1%25lo]", (Some("fe80::1%lo"), None, None, false, None, None, None)),
            ("unix:///run/r.sock", (None, None, Some("/run/r.sock"), false, None, None, None)),
            ("unix:///a%20b?db=2", (None, None, Some("/a b"), false, None, None, Some(2))),
            ("unix://joe:pw@/s", (None, None, Some("/s"), false, Some("joe"), Some("pw"), None)),
            ("unix://:p%40@/s?db=0", (None, None, Some("/s"), false, None, Some("p@"), Some(0))),
        ];
        for (url, expected) in cases {
            let parts = parse_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            let found: Expected = (
                parts.host.as_deref(),
                parts.port,
                parts.path.as_deref(),
                parts.tls,
                parts.username.as_deref(),
                parts.password.as_ref().map(Secret::expose),
                parts.database,
            );
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn a_url_without_an_address_means_the_default_one() {
        assert_eq!(parse_url("redis://").unwrap().endpoint(), Endpoint::default());
        assert_eq!(parse_url("unix:///s").unwrap().endpoint(), Endpoint::unix("/s"));
    }

    #[test]
    fn a_bad_url_is_refused_without_quoting_it() {
        let urls = [
            "",
            "CANARY",
            "CANARY@h",
            "http://joe:CANARY@h",
            "CANARY://h",
            "redis:CANARY",
            "redis://joe:CANARY@h:port",
            "redis://joe:CANARY@h:0",
            "redis://joe:CANARY@h:65536",
            "redis://joe:CANARY@h:+1",
            "redis://joe:CANARY@h/zero",
            "redis://joe:CANARY@h/-1",
            "redis://joe:CANARY@h/4294967296",
            "redis://joe:CANARY@h/0/1",
            "redis://joe:CANARY%@h",
            "redis://joe:CANARY%zz@h",
            "redis://joe:CANARY%ff@h",
            "redis://joe:CANARY h",
            "redis://joe:CANARY@h\u{a0}",
            "redis://joe:CANARY@h\nx",
            "redis://joe:CANARY\0@h",
            "redis://joe:CANARY/1@h",
            "redis://joe:CANARY?1@h",
            "redis://joe:CANARY#1@h",
            "redis://joe:CANARY@[::1",
            "redis://joe:CANARY@[localhost]",
            "redis://joe:CANARY@[::1]7000",
            "redis://joe:CANARY@::1",
            "unix://joe:CANARY@",
            "unix://joe:CANARY@/",
            "unix://joe:CANARY@host/s",
            "unix://CANARY/s",
            "unix:///s?db=CANARY",
            "unix:///s?password=CANARY",
        ];
        for url in urls {
            let error = parse_url(url).expect_err(url);
            assert_eq!(error.kind(), ErrorClass::Usage, "{url}");
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("invalid url: "), "{shown}");
            assert!(!shown.contains("CANARY") && !shown.contains("joe"), "{url} gave {shown}");
        }
    }
}
