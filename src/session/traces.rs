//! What commands leave behind on the connection that they ran on.
//!
//! Pure. It judges by the commands that were sent. If all of them have succeeded, the connection is
//! as noted here. Otherwise it is doubtful: an `EXEC` that was refused, or never written, ends
//! nothing.

use crate::command::{self, Flags};
use crate::resp::encode;

/// The traces on one connection.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The database that the connection began in.
    database: u32,
    has_selected: bool,
    is_watching: bool,
    is_in_multi: bool,
    /// Whether a key was watched or a transaction opened, even if that is over.
    has_transacted: bool,
    /// Whether something was done that cannot be undone, so that the connection has to be closed.
    is_spoilt: bool,
}

impl Traces {
    /// The traces on a new connection in `database`: none.
    pub fn new(database: u32) -> Self {
        Self {
            database,
            has_selected: false,
            is_watching: false,
            is_in_multi: false,
            has_transacted: false,
            is_spoilt: false,
        }
    }

    /// Notes the commands that are encoded in `batch`.
    pub fn note(&mut self, batch: &[u8]) {
        let mut rest = batch;
        while !rest.is_empty() {
            let Some(length) = encode::command_len(rest) else {
                self.is_spoilt = true;
                return;
            };
            self.note_command(rest.get(..length).unwrap_or_default());
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    fn note_command(&mut self, encoded: &[u8]) {
        // The table does not know commands of modules, which work on keys, and commands of the
        // server that are newer than the table. Neither counts as a trace.
        let Some(spec) = command::of(encoded) else { return };
        match spec.name {
            "MULTI" => (self.is_in_multi, self.has_transacted) = (true, true),
            "EXEC" | "DISCARD" => (self.is_in_multi, self.is_watching) = (false, false),
            "WATCH" => (self.is_watching, self.has_transacted) = (true, true),
            // Inside a transaction UNWATCH is only queued.
            "UNWATCH" if !self.is_in_multi => self.is_watching = false,
            "UNWATCH" => {}
            "SELECT" => self.has_selected = true,
            _ => {
                let lasting = Flags::STATE.with(Flags::SUBSCRIBE).with(Flags::CONTAINER);
                self.is_spoilt |= spec.flags.has_any(lasting);
            }
        }
    }

    /// Whether the connection is in the state of a new one. `is_doubtful`: not every command that
    /// was noted has succeeded.
    pub fn are_none(&self, is_doubtful: bool) -> bool {
        let is_open = self.is_in_multi || self.is_watching || is_doubtful && self.has_transacted;
        !is_open && !self.has_selected && !self.is_spoilt
    }

    /// The commands that remove the traces, encoded, to be sent in one write; None if the
    /// connection has to be closed. If the server refuses one of them, the traces were wrong, and
    /// the connection has to be closed as well.
    ///
    /// `RESET` is not used, because it also forgets the protocol, the login and the name of the
    /// connection (<https://redis.io/docs/latest/commands/reset/>).
    pub fn cleaning(&self, is_doubtful: bool) -> Option<Vec<u8>> {
        if self.is_spoilt {
            return None;
        }
        let mut commands = Vec::new();
        if self.is_in_multi {
            // DISCARD forgets the watched keys as well.
            encode::command(&mut commands, &[b"DISCARD"]);
        } else if is_doubtful && self.has_transacted {
            // A transaction may be open or not. MULTI and DISCARD end it in both cases, and forget
            // the watched keys; an open transaction would only queue UNWATCH.
            encode::command(&mut commands, &[b"MULTI"]);
            encode::command(&mut commands, &[b"DISCARD"]);
        } else if self.is_watching {
            encode::command(&mut commands, &[b"UNWATCH"]);
        }
        if self.has_selected {
            encode::command(&mut commands, &[b"SELECT", self.database.to_string().as_bytes()]);
        }
        Some(commands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commands: &[&str]) -> Traces {
        let mut traces = Traces::new(3);
        traces.note(&encoded(commands));
        traces
    }

    fn encoded(commands: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for command in commands {
            let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            encode::command(&mut out, &args);
        }
        out
    }

    #[test]
    fn ordinary_commands_leave_nothing() {
        let commands = ["GET a", "set a 1", "BLPOP q 0", "EVAL x 0", "JSON.GET k", "FLUSHALL"];
        assert!(after(&commands).are_none(false));
        assert!(after(&["CLIENT ID", "client info", "CONFIG GET save"]).are_none(false));
    }

    #[test]
    fn a_whole_transaction_leaves_nothing() {
        assert!(after(&["WATCH a", "GET a", "MULTI", "SET a 1", "EXEC"]).are_none(false));
        assert!(after(&["watch a", "multi", "discard"]).are_none(false));
        assert!(after(&["WATCH a", "UNWATCH"]).are_none(false));
    }

    #[test]
    fn what_is_left_is_undone_in_one_write() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["MULTI", "SET a 1"], &["DISCARD"]),
            (&["WATCH a", "MULTI"], &["DISCARD"]),
            (&["WATCH a", "MULTI", "UNWATCH"], &["DISCARD"]),
            (&["WATCH a"], &["UNWATCH"]),
            (&["SELECT 5"], &["SELECT 3"]),
            (&["SELECT 5", "WATCH a"], &["UNWATCH", "SELECT 3"]),
            (&["MULTI", "SELECT 5", "EXEC"], &["SELECT 3"]),
        ];
        for (done, undone) in cases {
            let traces = after(done);
            assert!(!traces.are_none(false), "{done:?}");
            assert_eq!(traces.cleaning(false).unwrap(), encoded(undone), "{done:?}");
        }
    }

    #[test]
    fn what_may_have_failed_is_undone_by_what_cannot_be_mistaken() {
        let sure = encoded(&["MULTI", "DISCARD"]);
        let cases: &[&[&str]] = &[
            &["WATCH a", "EXEC"],
            &["WATCH a", "DISCARD"],
            &["WATCH a", "UNWATCH x"],
            &["MULTI", "SET a 1", "EXEC"],
            &["MULTI", "DISCARD x"],
        ];
        for done in cases {
            let traces = after(done);
            assert!(traces.are_none(false) && !traces.are_none(true), "{done:?}");
            assert_eq!(traces.cleaning(true).unwrap(), sure, "{done:?}");
        }
        assert_eq!(after(&["MULTI", "NONSENSE"]).cleaning(true).unwrap(), encoded(&["DISCARD"]));
        assert!(after(&["GET a", "NONSENSE"]).are_none(true));
    }

    #[test]
    fn what_nothing_undoes_costs_the_connection() {
        let spoilers = [
            "CLIENT REPLY OFF",
            "CLIENT SETNAME x",
            "CLIENT NO-EVICT on",
            "CLIENT TRACKING on",
            "CLIENT FROBNICATE",
            "AUTH secret",
            "HELLO 3",
            "RESET",
            "READONLY",
            "SUBSCRIBE a",
            "MONITOR",
            "QUIT",
        ];
        for command in spoilers {
            assert_eq!(after(&[command]).cleaning(false), None, "{command}");
        }
        let mut malformed = Traces::new(0);
        malformed.note(b"GET a\r\n");
        assert_eq!(malformed.cleaning(false), None);
    }
}
