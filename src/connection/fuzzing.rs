//! The harness of the fuzz target `handshake`.

use super::handshake::{HandshakeOutcome, Plan};
use super::{Credentials, Manner};
use crate::error::Error;
use crate::options::{ClientInfo, ClientOptions, Protocol, Secret};
use crate::resp::fuzzing::values;

/// What must not be in an error. The dictionary of the target has it.
const PASSWORD: &str = "hunter2";

/// Reads `input` as a server's answers to a handshake; the bits of the first byte choose which.
///
/// # Panics
///
/// If a connection is ready although answers are missing, or an error shows the password.
pub fn answers(input: &[u8]) {
    let Some((bits, wire)) = input.split_first() else { return };
    let is = |bit: u8| bits >> bit & 1 == 1;
    let options = ClientOptions {
        name: is(0).then(|| "me".to_owned()),
        database: u32::from(is(1)),
        protocol: if is(2) { Protocol::Resp2 } else { Protocol::Resp3 },
        readonly: is(3),
        client_info: is(4)
            .then(|| ClientInfo { lib_name: "lib".to_owned(), lib_ver: "1".to_owned() }),
        ..Default::default()
    };
    let credentials = Credentials {
        username: is(5).then(|| "joe".to_owned()),
        password: is(6).then(|| Secret::new(PASSWORD)),
    };
    for manner in [Manner::Full, Manner::Resp2, Manner::Bare] {
        let plan = Plan::new(&options, &credentials, manner);
        let answers = values(wire);
        let count: usize = answers.iter().map(|frames| frames.replies.len()).sum();
        match plan.judge(&answers) {
            Ok(HandshakeOutcome::Ready(info)) => {
                assert!(matches!(info.proto, 2 | 3));
                assert!(count >= plan.replies(), "answers are missing");
            }
            Ok(HandshakeOutcome::Fallback) => {}
            Ok(HandshakeOutcome::Unfinished) => assert!(count < plan.replies()),
            Err(error) => hides(&error, is(6)),
        }
    }
}

/// Checks that neither the error nor its causes show the password that was sent.
fn hides(error: &Error, is_sent: bool) {
    assert!(!is_sent || !format!("{error:?} {error}").contains(PASSWORD), "{error}");
    if let Some(cause) = error.cause() {
        hides(cause, is_sent);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_near_the_seeds_show_no_password() {
        crate::resp::fuzzing::try_seeds("handshake", super::answers);
    }
}
