//! What is said before a connection may serve commands.
//!
//! Owns the steps of the handshake, the bytes of the one write they go out in, and the verdict on
//! the server's answers. Pure: bytes in, verdict out.
//!
//! Invariants: no verdict carries the password, even where the server echoes it; a step that only
//! helps people (names in `CLIENT LIST`) never fails a connection.

use zeroize::Zeroizing;

use crate::connection::{Credentials, ServerInfo};
use crate::error::{Error, Result};
use crate::error_replies::{ErrorReply, Reason};
use crate::options::{ClientOptions, Protocol, Secret};
use crate::resp::{encode, Frames, ValueKind};

/// One command of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Hello,
    Auth,
    SetName,
    Select,
    LibName,
    LibVer,
    Readonly,
    /// Said when no other step has to succeed, to learn that the peer speaks RESP and lets us in:
    /// a server answers what it does not know before it asks for a password.
    Ping,
}

/// The steps of one handshake and their bytes, which are wiped when dropped.
pub(super) struct Plan {
    steps: Vec<Step>,
    bytes: Zeroizing<Vec<u8>>,
    password: Option<Secret>,
}

/// What the server's answers amount to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The connection may be used.
    Ready(ServerInfo),
    /// The server does not know `HELLO`, or does not let us say it: go on in RESP2.
    Fallback,
    /// Answers are missing, and those that came leave it open.
    Unfinished,
}

impl Plan {
    /// The handshake in `protocol`.
    pub(super) fn new(
        options: &ClientOptions,
        credentials: &Credentials,
        protocol: Protocol,
    ) -> Self {
        let mut commands: Vec<(Step, Vec<&[u8]>)> = Vec::new();
        let database = options.database.to_string();
        // As in node-redis: a user without a password has an empty one.
        let password = match (&credentials.username, &credentials.password) {
            (_, Some(password)) => Some(password.expose()),
            (Some(_), None) => Some(""),
            (None, None) => None,
        };
        let user = credentials.username.as_deref();
        let name = options.name.as_deref();

        if protocol == Protocol::Resp3 {
            let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
            if let Some(password) = password {
                let user = user.unwrap_or("default");
                hello.extend([b"AUTH", user.as_bytes(), password.as_bytes()]);
            }
            if let Some(name) = name {
                hello.extend([b"SETNAME" as &[u8], name.as_bytes()]);
            }
            commands.push((Step::Hello, hello));
        } else {
            if let Some(password) = password {
                let mut auth: Vec<&[u8]> = vec![b"AUTH"];
                auth.extend(user.map(str::as_bytes));
                auth.push(password.as_bytes());
                commands.push((Step::Auth, auth));
            }
            if let Some(name) = name {
                commands.push((Step::SetName, vec![b"CLIENT", b"SETNAME", name.as_bytes()]));
            }
        }
        if options.database != 0 {
            commands.push((Step::Select, vec![b"SELECT", database.as_bytes()]));
        }
        if let Some(info) = &options.client_info {
            for (step, field, value) in [
                (Step::LibName, "LIB-NAME", &info.lib_name),
                (Step::LibVer, "LIB-VER", &info.lib_ver),
            ] {
                let set: [&[u8]; 4] = [b"CLIENT", b"SETINFO", field.as_bytes(), value.as_bytes()];
                commands.push((step, set.to_vec()));
            }
        }
        if options.readonly {
            commands.push((Step::Readonly, vec![b"READONLY"]));
        }
        if !commands.iter().any(|(step, _)| step.is_needed()) {
            commands.push((Step::Ping, vec![b"PING"]));
        }
        Self {
            steps: commands.iter().map(|(step, _)| *step).collect(),
            bytes: encoded(&commands),
            password: credentials.password.clone(),
        }
    }

    /// What to write.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many replies it has.
    pub(super) fn replies(&self) -> usize {
        self.steps.len()
    }

    /// Weighs the answers that came; fewer than asked for if the server closed the connection.
    pub(super) fn judge(&self, answers: &[Frames]) -> Result<Verdict> {
        let roots = answers
            .iter()
            .flat_map(|frames| frames.replies.iter().map(move |root| (frames, *root)));
        let mut info = ServerInfo { proto: 2, ..Default::default() };
        let mut answered = 0;
        for (step, (frames, root)) in self.steps.iter().zip(roots) {
            answered += 1;
            match (error_text(frames, root), step) {
                (Some(text), _) => {
                    if let Some(verdict) = self.refused(*step, &text)? {
                        return Ok(verdict);
                    }
                }
                (None, Step::Hello) => info = server_info(frames, root)?,
                (None, _) => {}
            }
        }
        if answered < self.steps.len() {
            return Ok(Verdict::Unfinished);
        }
        Ok(Verdict::Ready(info))
    }

    /// What an error reply to `step` means; `None` if the step may fail.
    fn refused(&self, step: Step, text: &str) -> Result<Option<Verdict>> {
        let text = self.redacted(text);
        let cause = Error::reply(text.as_str());
        let word = cause.code().to_owned();
        if text.starts_with("ERR max number of clients") {
            let message = "the server has no room for another client (maxclients)";
            return Err(Error::connection("MAX_CLIENTS", message).retryable().with_cause(cause));
        }
        let reason = ErrorReply::of(word.as_bytes()).map(|reply| reply.reason);
        match (word.as_str(), reason) {
            (_, Some(Reason::NotLoggedIn)) if self.password.is_none() => {
                let message = "the server asks for a password, and none was given";
                return Err(Error::connection("AUTH", message).fatal().with_cause(cause));
            }
            (_, Some(Reason::NotLoggedIn)) | ("WRONGPASS", _) => {
                return Err(refused_credentials(cause))
            }
            ("DENIED", _) => {
                let message = "the server refuses clients from this address (protected mode)";
                return Err(Error::connection("DENIED", message).fatal().with_cause(cause));
            }
            (_, Some(Reason::NotReady | Reason::ScriptRunning)) if step.is_needed() => {
                let message = "the server is not ready to serve yet";
                return Err(Error::connection("HANDSHAKE", message).retryable().with_cause(cause));
            }
            _ => {}
        }
        match step {
            Step::Hello if is_unknown_command(&text) => Ok(Some(Verdict::Fallback)),
            // `ERR AUTH <password> called without any password configured ...`
            Step::Hello if word == "ERR" && text.contains("AUTH") => {
                Err(refused_credentials(cause))
            }
            // HELLO is a convenience; what really stands in the way, AUTH or SELECT will tell.
            Step::Hello => Ok(Some(Verdict::Fallback)),
            Step::Auth => Err(refused_credentials(cause)),
            Step::Select => {
                let message = "the server refused to select the database";
                Err(Error::connection("SELECT", message).fatal().with_cause(cause))
            }
            // A replica outside of a cluster serves reads without it.
            Step::Readonly if text.contains("cluster support disabled") => Ok(None),
            Step::Readonly => {
                let message = "the server refused READONLY";
                Err(Error::connection("HANDSHAKE", message).fatal().with_cause(cause))
            }
            Step::SetName | Step::LibName | Step::LibVer | Step::Ping => Ok(None),
        }
    }

    /// Servers before 7.0 echo the arguments of a command that they do not know.
    fn redacted(&self, text: &str) -> String {
        let kept = text.split(", with args beginning with").next().unwrap_or_default();
        match self.password.as_ref().map(Secret::expose) {
            Some(password) if !password.is_empty() => kept.replace(password, "***"),
            _ => kept.to_owned(),
        }
    }
}

impl Step {
    /// Whether the connection would be the wrong one without it.
    fn is_needed(self) -> bool {
        matches!(self, Self::Hello | Self::Auth | Self::Select | Self::Readonly)
    }
}

/// The buffer is reserved at once, because one that grows leaves copies of the password behind.
fn encoded(commands: &[(Step, Vec<&[u8]>)]) -> Zeroizing<Vec<u8>> {
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

fn refused_credentials(cause: Error) -> Error {
    Error::connection("AUTH", "the server refused the credentials").fatal().with_cause(cause)
}

fn is_unknown_command(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with("noproto")
        || text.contains("unknown command")
        || text.contains("unsupported command")
}

fn error_text(frames: &Frames, root: u32) -> Option<String> {
    let node = frames.tape.get(root as usize)?;
    match node.kind {
        ValueKind::Error | ValueKind::BulkError => {
            Some(String::from_utf8_lossy(frames.text(node)).into_owned())
        }
        _ => None,
    }
}

/// Reads the answer to `HELLO`: a map, or its pairs in a flat array.
fn server_info(frames: &Frames, root: u32) -> Result<ServerInfo> {
    let mut info = ServerInfo::default();
    let pairs = match frames.tape.get(root as usize) {
        Some(node) if node.kind == ValueKind::Map => node.len,
        Some(node) if node.kind == ValueKind::Array => node.len / 2,
        _ => 0,
    };
    let mut at = root.saturating_add(1);
    for _ in 0..pairs {
        let value_at = frames.next(at);
        let (Some(key), Some(value)) =
            (frames.tape.get(at as usize), frames.tape.get(value_at as usize))
        else {
            break;
        };
        let text = || Some(String::from_utf8_lossy(frames.text(value)).into_owned());
        match frames.text(key) {
            b"server" => info.server = text(),
            b"version" => info.version = text(),
            b"mode" => info.mode = text(),
            b"role" => info.role = text(),
            b"availability_zone" => info.zone = text().filter(|zone| !zone.is_empty()),
            b"id" if value.kind == ValueKind::Integer => info.id = Some(value.num as i64),
            b"proto" if value.kind == ValueKind::Integer => {
                info.proto = u8::try_from(value.num).unwrap_or_default();
            }
            _ => {}
        }
        at = frames.next(value_at);
    }
    if !matches!(info.proto, 2 | 3) {
        return Err(Error::protocol("the server's answer to HELLO names no protocol we speak"));
    }
    Ok(info)
}

/// More than `*` or `$`, twenty digits and two line ends take, around each argument.
const FRAMING: usize = 48;

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn answers(wire: &str) -> Vec<Frames> {
        let mut buf = BytesMut::from(wire);
        Decoder::new(Limits::default()).decode(&mut buf).unwrap().into_iter().collect()
    }

    fn credentials(username: Option<&str>, password: Option<&str>) -> Credentials {
        Credentials { username: username.map(str::to_owned), password: password.map(Secret::new) }
    }

    fn quiet() -> ClientOptions {
        ClientOptions { client_info: None, ..Default::default() }
    }

    fn spoken(plan: &Plan) -> String {
        let mut rest = plan.bytes();
        let mut lines = Vec::new();
        while let Some(length) = encode::command_len(rest) {
            let args: Vec<_> = encode::args(rest).map(String::from_utf8_lossy).collect();
            lines.push(args.join(" "));
            rest = &rest[length..];
        }
        assert_eq!(lines.len(), plan.replies());
        lines.join(" | ")
    }

    #[test]
    fn the_steps_follow_the_options() {
        let all = ClientOptions {
            name: Some("me".into()),
            database: 4,
            readonly: true,
            client_info: Some(crate::options::ClientInfo {
                lib_name: "x".into(),
                lib_ver: "1".into(),
            }),
            ..Default::default()
        };
        let tail = "SELECT 4 | CLIENT SETINFO LIB-NAME x | CLIENT SETINFO LIB-VER 1 | READONLY";
        let named = ClientOptions { name: Some("me".into()), ..quiet() };
        let joe = credentials(Some("joe"), Some("pw"));
        let none = credentials(None, None);
        let only_password = credentials(None, Some("pw"));
        let only_user = credentials(Some("joe"), None);
        use Protocol::{Resp2, Resp3};
        let cases = [
            (&all, &joe, Resp3, format!("HELLO 3 AUTH joe pw SETNAME me | {tail}")),
            (&all, &joe, Resp2, format!("AUTH joe pw | CLIENT SETNAME me | {tail}")),
            (&quiet(), &none, Resp3, "HELLO 3".into()),
            (&quiet(), &none, Resp2, "PING".into()),
            (&named, &none, Resp2, "CLIENT SETNAME me | PING".into()),
            (&quiet(), &only_password, Resp3, "HELLO 3 AUTH default pw".into()),
            (&quiet(), &only_password, Resp2, "AUTH pw".into()),
            (&quiet(), &only_user, Resp3, "HELLO 3 AUTH joe ".into()),
        ];
        for (options, credentials, protocol, expected) in cases {
            assert_eq!(spoken(&Plan::new(options, credentials, protocol)), expected);
        }
    }

    #[test]
    fn the_buffer_with_the_password_never_grows() {
        let long = "p".repeat(100_000);
        let options = ClientOptions { name: Some("n".repeat(500)), database: 1, ..quiet() };
        let credentials = credentials(Some("user"), Some(&long));
        let commands: Vec<(Step, Vec<&[u8]>)> = vec![
            (Step::Hello, vec![b"HELLO", b"3", b"AUTH", b"user", long.as_bytes()]),
            (Step::Ping, vec![b"PING"]),
            (Step::Ping, vec![]),
        ];
        let bytes = encoded(&commands);
        let size: usize = commands
            .iter()
            .map(|(_, args)| FRAMING + args.iter().map(|a| a.len() + FRAMING).sum::<usize>())
            .sum();
        assert_eq!(bytes.capacity(), size, "the buffer was grown");
        assert!(Plan::new(&options, &credentials, Protocol::Resp3).bytes().len() > 100_000);
    }

    #[test]
    fn an_echoed_password_is_cut_out() {
        let plan = Plan::new(&quiet(), &credentials(None, Some("hunter2")), Protocol::Resp2);
        for text in [
            "-ERR nonsense near hunter2\r\n",
            "-ERR unknown command `AUTH`, with args beginning with: `hunter2`, \r\n",
            "-ERR unknown command 'AUTH', with args beginning with: 'hunt\r\n",
        ] {
            let error = plan.judge(&answers(text)).unwrap_err();
            assert_eq!(error.code(), "AUTH");
            assert!(!format!("{error:?}").contains("hunt"), "{error:?}");
        }
    }

    #[test]
    fn hello_may_be_answered_by_a_map_or_a_flat_array() {
        let plan = Plan::new(&quiet(), &credentials(None, None), Protocol::Resp3);
        for head in ["%5", "*10"] {
            let wire = format!(
                "{head}\r\n+server\r\n+redis\r\n+modules\r\n*1\r\n*1\r\n+m\r\n+proto\r\n:3\r\n\
                 +id\r\n:9\r\n+version\r\n$5\r\n7.2.4\r\n"
            );
            let Ok(Verdict::Ready(info)) = plan.judge(&answers(&wire)) else {
                panic!("not ready");
            };
            assert_eq!((info.proto, info.id), (3, Some(9)));
            assert_eq!(info.version.as_deref(), Some("7.2.4"));
            assert_eq!(info.role, None);
        }
        for wire in ["+OK\r\n", "%0\r\n", "%1\r\n+proto\r\n:9\r\n", "*2\r\n+HELLO\r\n+3\r\n"] {
            let error = plan.judge(&answers(wire)).unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorClass::Protocol, "{wire}");
        }
    }
}
