//! What error replies tell about their server: that it is a replica by now, or that it is not ready.
//!
//! A name that leads to the primary is looked up only when a connection is made. So a connection
//! that stays open stays with a server that takes no writes any more, or that loads its data while
//! another address of the name is ready. Where there are several nodes their router decides, which
//! knows the roles of all of them.

use memchr::memmem;

use super::conduit::{Conduit, Traffic};
use super::link::Link;

/// What the error replies of one read tell about their server.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    is_replica: bool,
    is_not_ready: bool,
}

impl Told {
    /// Hears one error reply.
    pub(super) fn hear(&mut self, text: &[u8]) {
        let says = |words: &str| memmem::find(text, words.as_bytes()).is_some();
        let begins = |words: &str| text.starts_with(words.as_bytes());
        self.is_replica |= begins("READONLY ")
            // A blocking command waited while the server's role changed. With another text, a
            // person has ended the wait by CLIENT UNBLOCK.
            || begins("UNBLOCKED ") && says("state changed")
            // A transaction was open meanwhile.
            || begins("EXECABORT ") && says(" READONLY ")
            // Servers before 7.0 put the errors of a script's commands into one of its own.
            || begins("ERR Error running script") && says("-READONLY ");
        self.is_not_ready |= begins("LOADING ") || begins("MASTERDOWN ");
    }
}

impl Traffic {
    /// Leaves the connection, once everything in flight is answered, if the server is not the one
    /// that the name stands for. Whoever the caller was, and whatever becomes of the refused
    /// command: what comes next would be refused as well. `generation` is that of the connection;
    /// `refusals` retries in a row were refused.
    pub(super) fn heed(&mut self, told: Told, conduit: &Conduit, generation: u32, refusals: u32) {
        let pool = &conduit.home.pool;
        let is_routed = conduit.home.router.is_some();
        if told.is_replica && !is_routed {
            pool.suspect(generation);
            self.shun(conduit);
        }
        if told.is_replica && (conduit.is_exclusive || !is_routed) {
            self.queue.drain_to_reconnect();
        }
        let is_patient = conduit.is_exclusive || is_routed || refusals < PATIENCE;
        if told.is_not_ready && !is_patient && pool.has_choice() {
            self.shun(conduit);
            self.queue.drain_to_reconnect();
        }
    }

    /// The name's other addresses are to be tried before that of this connection.
    fn shun(&self, conduit: &Conduit) {
        let pool = &conduit.home.pool;
        if let (Link::Up { stream, .. }, true) = (&self.link, pool.has_choice()) {
            pool.shun(&stream.peer());
        }
    }
}

/// How many retries in a row a server that is not ready may refuse before another address of its
/// name is tried. Four take about a second, and most servers that start are ready by then.
const PATIENCE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::Told;

    fn told(text: &str) -> Told {
        let mut told = Told::default();
        told.hear(text.as_bytes());
        told
    }

    #[test]
    fn a_demotion_is_told_in_several_ways() {
        for text in [
            "READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: 5e7d, on @user_script:1.",
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> \
             replica?)",
            "EXECABORT Transaction discarded because of: READONLY You can't write against a read \
             only replica.",
            "ERR Error running script (call to f_5e7d): @user_script:1: @user_script: 1: -READONLY \
             You can't write against a read only replica.",
        ] {
            assert!(told(text).is_replica, "{text}");
        }
    }

    #[test]
    fn other_errors_tell_nothing_of_the_server() {
        for text in [
            "",
            "READONLYX",
            "UNBLOCKED client unblocked via CLIENT UNBLOCK",
            "EXECABORT Transaction discarded because of previous errors.",
            "ERR unknown command 'READONLY'",
            "LOADINGX",
            "BUSY Redis is busy running a script.",
        ] {
            assert_eq!(told(text), Told::default(), "{text}");
        }
        assert!(told("LOADING Redis is loading the dataset in memory").is_not_ready);
    }
}
