//! What commands of the application have changed on a client's connection, and what every later
//! connection begins with therefore: another login, name or protocol, and commands to repeat.
//!
//! Pure. It reads commands that have succeeded. Invariant: `epoch` changes with everything else, so
//! that a connection that was made before is known by its epoch.

use bytes::Bytes;

use crate::command;
use crate::connection::Credentials;
use crate::options::{ClientOptions, Protocol, Secret};
use crate::resp::encode;

/// What connections begin with besides what the options say.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// How often it has changed.
    epoch: u32,
    credentials: Option<Credentials>,
    name: Option<Option<String>>,
    protocol: Option<Protocol>,
    /// The commands to repeat, each with its name. A later one takes the place of an earlier one.
    repeated: Vec<(&'static str, Bytes)>,
}

impl Standing {
    /// Whether a command of this name is remembered, `SELECT` included.
    pub fn takes(name: &str) -> bool {
        matches!(name, "SELECT" | "AUTH" | "HELLO" | "CLIENT SETNAME") || REPEATED.contains(&name)
    }

    /// How often it has changed. A connection of another epoch began with something else.
    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.credentials.is_none()
            && self.name.is_none()
            && self.protocol.is_none()
            && self.repeated.is_empty()
    }

    /// Notes `encoded`, a command that has succeeded. With `keeps_login` logins are not noted: the
    /// application is asked for them.
    pub(super) fn note(&mut self, encoded: &Bytes, keeps_login: bool) {
        let Some(spec) = command::of(encoded) else { return };
        let args: Vec<&[u8]> = encode::args(encoded).collect();
        self.epoch = self.epoch.wrapping_add(1);
        match (spec.name, args.as_slice()) {
            ("AUTH", [_, password]) if !keeps_login => self.login(None, password),
            ("AUTH", [_, user, password]) if !keeps_login => self.login(Some(user), password),
            ("CLIENT SETNAME", [_, _, name]) => self.rename(name),
            ("HELLO", [_, version, rest @ ..]) => {
                self.protocol = Some(match *version {
                    b"2" => Protocol::Resp2,
                    _ => Protocol::Resp3,
                });
                self.greet(rest, keeps_login);
            }
            (name, _) => {
                if let Some(name) = REPEATED.into_iter().find(|repeated| *repeated == name) {
                    self.repeated.retain(|(known, _)| *known != name);
                    self.repeated.push((name, encoded.clone()));
                }
            }
        }
    }

    /// Forgets everything: connections begin as the options say.
    pub(super) fn clear(&mut self) {
        *self = Self { epoch: self.epoch.wrapping_add(1), ..Self::default() };
    }

    /// Changes `options` and `credentials` to what a connection begins with.
    pub(super) fn apply(&self, options: &mut ClientOptions, credentials: &mut Credentials) {
        if let Some(changed) = &self.credentials {
            *credentials = changed.clone();
        }
        if let Some(name) = &self.name {
            options.name.clone_from(name);
        }
        if let Some(protocol) = self.protocol {
            options.protocol = protocol;
        }
        options.repeated = self.repeated.iter().map(|(_, encoded)| encoded.clone()).collect();
    }

    /// What stands behind the version in HELLO.
    fn greet(&mut self, options: &[&[u8]], keeps_login: bool) {
        match options {
            [word, user, password, rest @ ..] if word.eq_ignore_ascii_case(b"AUTH") => {
                if !keeps_login {
                    self.login(Some(user), password);
                }
                self.greet(rest, keeps_login);
            }
            [word, name, rest @ ..] if word.eq_ignore_ascii_case(b"SETNAME") => {
                self.rename(name);
                self.greet(rest, keeps_login);
            }
            _ => {}
        }
    }

    fn login(&mut self, user: Option<&[u8]>, password: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        // What is no text cannot be an option either; the options' login stays then.
        let Some(password) = text(password) else { return };
        let username = match user {
            Some(user) => match text(user) {
                Some(user) => Some(user),
                None => return,
            },
            None => None,
        };
        self.credentials = Some(Credentials { username, password: Some(Secret::new(password)) });
    }

    fn rename(&mut self, name: &[u8]) {
        let name = String::from_utf8_lossy(name).into_owned();
        self.name = Some((!name.is_empty()).then_some(name));
    }
}

/// The commands that a connection repeats as they were.
const REPEATED: [&str; 4] =
    ["CLIENT NO-EVICT", "CLIENT NO-TOUCH", "CLIENT TRACKING", "SCRIPT DEBUG"];

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commands: &[&str]) -> (ClientOptions, Credentials, Standing) {
        let mut standing = Standing::default();
        for text in commands {
            let mut encoded = Vec::new();
            let args: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
            encode::command(&mut encoded, &args);
            standing.note(&encoded.into(), false);
        }
        let (mut options, mut credentials) = (ClientOptions::default(), Credentials::default());
        standing.apply(&mut options, &mut credentials);
        (options, credentials, standing)
    }

    #[test]
    fn a_login_takes_the_place_of_the_one_before() {
        let (_, credentials, _) = after(&["AUTH old", "AUTH joe new"]);
        assert_eq!(credentials.username.as_deref(), Some("joe"));
        assert_eq!(credentials.password.unwrap().expose(), "new");
        let (_, credentials, _) = after(&["AUTH joe old", "auth new"]);
        assert_eq!(credentials.username, None);
    }

    #[test]
    fn hello_changes_protocol_login_and_name() {
        let (options, credentials, _) = after(&["HELLO 2 auth joe pw setname me"]);
        assert_eq!(options.protocol, Protocol::Resp2);
        assert_eq!(options.name.as_deref(), Some("me"));
        assert_eq!(credentials.username.as_deref(), Some("joe"));
    }

    #[test]
    fn a_command_is_repeated_once_as_it_was_last() {
        let (options, ..) =
            after(&["CLIENT NO-EVICT ON", "client no-touch on", "CLIENT NO-EVICT OFF"]);
        let texts: Vec<_> = options.repeated.iter().map(|c| String::from_utf8_lossy(c)).collect();
        assert_eq!(texts.len(), 2);
        assert!(texts[0].contains("no-touch") && texts[1].contains("OFF"), "{texts:?}");
    }

    #[test]
    fn nothing_is_left_of_what_was_cleared() {
        let (.., mut standing) = after(&["AUTH joe pw", "CLIENT SETNAME me", "SCRIPT DEBUG YES"]);
        assert!(!standing.is_empty());
        let before = standing.epoch();
        standing.clear();
        assert!(standing.is_empty());
        assert_ne!(standing.epoch(), before);
    }
}
