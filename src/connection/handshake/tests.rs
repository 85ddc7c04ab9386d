//! What is said in a handshake, and what the answers mean.

use bytes::BytesMut;

use super::*;
use crate::resp::{Decoder, Frames, Limits};

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
        client_info: Some(crate::options::ClientInfo { lib_name: "x".into(), lib_ver: "1".into() }),
        ..Default::default()
    };
    let tail = "SELECT 4 | CLIENT SETINFO LIB-NAME x | CLIENT SETINFO LIB-VER 1 | READONLY";
    let named = ClientOptions { name: Some("me".into()), ..quiet() };
    let joe = credentials(Some("joe"), Some("pw"));
    let none = credentials(None, None);
    let only_password = credentials(None, Some("pw"));
    let only_user = credentials(Some("joe"), None);
    use Manner::{Bare, Full, Resp2};
    let old = ClientOptions { protocol: Protocol::Resp2, ..quiet() };
    let cases = [
        (&all, &joe, Full, format!("HELLO 3 AUTH joe pw SETNAME me | {tail}")),
        (&all, &joe, Resp2, format!("AUTH joe pw | CLIENT SETNAME me | {tail}")),
        (&all, &joe, Bare, "AUTH joe pw | SELECT 4 | READONLY".into()),
        (&quiet(), &none, Full, "HELLO 3".into()),
        (&named, &none, Bare, "PING".into()),
        (&old, &none, Full, "PING".into()),
        (&quiet(), &none, Resp2, "PING".into()),
        (&named, &none, Resp2, "CLIENT SETNAME me | PING".into()),
        (&quiet(), &only_password, Full, "HELLO 3 AUTH default pw".into()),
        (&quiet(), &only_password, Resp2, "AUTH pw".into()),
        (&quiet(), &only_user, Full, "HELLO 3 AUTH joe ".into()),
    ];
    for (options, credentials, manner, expected) in cases {
        assert_eq!(spoken(&Plan::new(options, credentials, manner)), expected);
    }
}

#[test]
fn the_buffer_with_the_password_never_grows() {
    let long = "p".repeat(100_000);
    let options = ClientOptions { name: Some("n".repeat(500)), database: 1, ..quiet() };
    let credentials = credentials(Some("user"), Some(&long));
    let commands: Vec<(HandshakeStep, Vec<&[u8]>)> = vec![
        (HandshakeStep::Hello, vec![b"HELLO", b"3", b"AUTH", b"user", long.as_bytes()]),
        (HandshakeStep::Ping, vec![b"PING"]),
        (HandshakeStep::Ping, vec![]),
    ];
    let bytes = encoded(&commands);
    let size: usize = commands
        .iter()
        .map(|(_, args)| FRAMING + args.iter().map(|a| a.len() + FRAMING).sum::<usize>())
        .sum();
    assert_eq!(bytes.capacity(), size, "the buffer was grown");
    assert!(Plan::new(&options, &credentials, Manner::Full).bytes().len() > 100_000);
}

#[test]
fn an_echoed_password_is_cut_out() {
    let plan = Plan::new(&quiet(), &credentials(None, Some("hunter2")), Manner::Resp2);
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
fn a_password_does_no_harm_where_none_is_asked_for() {
    let plan = Plan::new(&quiet(), &credentials(None, Some("hunter2")), Manner::Resp2);
    for text in [
        "-ERR AUTH <password> called without any password configured for the default user.\r\n",
        "-ERR Client sent AUTH, but no password is set\r\n",
    ] {
        let outcome = plan.judge(&answers(text)).unwrap();
        assert!(matches!(outcome, HandshakeOutcome::Ready(_)), "{text}");
    }
}

#[test]
fn hello_may_be_answered_by_a_map_or_a_flat_array() {
    let plan = Plan::new(&quiet(), &credentials(None, None), Manner::Full);
    for head in ["%5", "*10"] {
        let wire = format!(
            "{head}\r\n+server\r\n+redis\r\n+modules\r\n*1\r\n*1\r\n+m\r\n+proto\r\n:3\r\n\
             +id\r\n:9\r\n+version\r\n$5\r\n7.2.4\r\n"
        );
        let Ok(HandshakeOutcome::Ready(info)) = plan.judge(&answers(&wire)) else {
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
