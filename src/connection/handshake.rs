//! The commands that a connection begins with.
//!
//! Owns the steps of the handshake, and their bytes, which go out in one write. What the server's
//! answers mean is in [`outcome`]. Pure: no socket, no clock.

mod outcome;

use zeroize::Zeroizing;

pub(super) use self::outcome::HandshakeOutcome;
use super::{Credentials, Manner};
use crate::options::{ClientOptions, Protocol, Secret};
use crate::resp::encode;

/// One command of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandshakeStep {
    Hello,
    Auth,
    SetName,
    Select,
    LibName,
    LibVer,
    Readonly,
    /// What commands of the application have asked for on an earlier connection.
    Repeated,
    /// Sent if no other step has to succeed, to learn whether the peer speaks RESP and asks for a
    /// password. The optional steps do not tell that: a server refuses a command that it does not
    /// know before it asks for a password.
    Ping,
}

/// The steps of one handshake, and their bytes, which are wiped when dropped.
pub(super) struct Plan {
    steps: Vec<HandshakeStep>,
    bytes: Zeroizing<Vec<u8>>,
    password: Option<Secret>,
}

impl Plan {
    /// The handshake that asks for as much as `manner` says.
    pub(super) fn new(options: &ClientOptions, credentials: &Credentials, manner: Manner) -> Self {
        let is_bare = manner == Manner::Bare;
        let protocol = match manner {
            Manner::Full => options.protocol,
            Manner::Resp2 | Manner::Bare => Protocol::Resp2,
        };
        let mut commands: Vec<(HandshakeStep, Vec<&[u8]>)> = Vec::new();
        let database = options.database.to_string();
        // As in node-redis, a user name without a password goes with an empty password.
        let password = match (&credentials.username, &credentials.password) {
            (_, Some(password)) => Some(password.expose()),
            (Some(_), None) => Some(""),
            (None, None) => None,
        };
        let user = credentials.username.as_deref();
        let name = options.name.as_deref().filter(|_| !is_bare);

        if protocol == Protocol::Resp3 {
            let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
            if let Some(password) = password {
                let user = user.unwrap_or("default");
                hello.extend([b"AUTH", user.as_bytes(), password.as_bytes()]);
            }
            if let Some(name) = name {
                hello.extend([b"SETNAME" as &[u8], name.as_bytes()]);
            }
            commands.push((HandshakeStep::Hello, hello));
        } else {
            if let Some(password) = password {
                let mut auth: Vec<&[u8]> = vec![b"AUTH"];
                auth.extend(user.map(str::as_bytes));
                auth.push(password.as_bytes());
                commands.push((HandshakeStep::Auth, auth));
            }
            if let Some(name) = name {
                commands
                    .push((HandshakeStep::SetName, vec![b"CLIENT", b"SETNAME", name.as_bytes()]));
            }
        }
        if options.database != 0 {
            commands.push((HandshakeStep::Select, vec![b"SELECT", database.as_bytes()]));
        }
        if let Some(info) = options.client_info.as_ref().filter(|_| !is_bare) {
            for (step, field, value) in [
                (HandshakeStep::LibName, "LIB-NAME", &info.lib_name),
                (HandshakeStep::LibVer, "LIB-VER", &info.lib_ver),
            ] {
                let set: [&[u8]; 4] = [b"CLIENT", b"SETINFO", field.as_bytes(), value.as_bytes()];
                commands.push((step, set.to_vec()));
            }
        }
        if options.readonly {
            commands.push((HandshakeStep::Readonly, vec![b"READONLY"]));
        }
        for encoded in &options.repeated {
            commands.push((HandshakeStep::Repeated, encode::args(encoded).collect()));
        }
        if !commands.iter().any(|(step, _)| step.is_needed()) {
            commands.push((HandshakeStep::Ping, vec![b"PING"]));
        }
        Self {
            steps: commands.iter().map(|(step, _)| *step).collect(),
            bytes: encoded(&commands),
            password: credentials.password.clone(),
        }
    }

    /// The encoded commands.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of replies to them.
    pub(super) fn replies(&self) -> usize {
        self.steps.len()
    }
}

impl HandshakeStep {
    /// Whether the connection cannot be used unless this step succeeds.
    fn is_needed(self) -> bool {
        matches!(self, Self::Hello | Self::Auth | Self::Select | Self::Readonly)
    }
}

/// Encodes all commands. The buffer is reserved as a whole, because a buffer that grows leaves copies
/// of the password behind.
fn encoded(commands: &[(HandshakeStep, Vec<&[u8]>)]) -> Zeroizing<Vec<u8>> {
    let size = commands
        .iter()
        .map(|(_, args)| FRAMING + args.iter().map(|arg| FRAMING + arg.len()).sum::<usize>())
        .sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for (_, args) in commands {
        encode::command(&mut bytes, args);
    }
    bytes
}

/// Bytes reserved around each argument: more than its type byte, twenty digits and two line ends.
const FRAMING: usize = 48;

#[cfg(test)]
mod tests;
