//! Key tracking: makes the server tell which keys have changed, for a client-side cache.
//!
//! Owns the question to the server before the first batch of each connection, the reading of its
//! invalidations, and the judgement that a silent server may have stopped telling. It knows nothing
//! of what is cached: it raises the generation of the outboxes when nothing cached so far may be
//! served. Only shared lanes track. A connection that tracks is never given to somebody else.

use std::time::Duration;

use tokio::time::{timeout, Instant};

use super::conduit::{Conduit, Traffic};
use super::link::Link;
use crate::connection::ServerInfo;
use crate::error::{Applied, Error, Result};
use crate::outbox::ChangedKeys;
use crate::pool::Lease;
use crate::resp::{Frames, ValueKind};

impl Conduit {
    /// Whether the lane's connections track keys.
    pub(super) fn tracks(&self) -> bool {
        !self.is_exclusive && self.home.options.cache.is_some()
    }

    /// Nothing that was cached so far may be served any more, because a connection that tracked it is
    /// lost. Called by whichever thread learns of that, before anybody else is told.
    pub(super) fn lose_track(&self) {
        if self.tracks() {
            self.home.outboxes.lose_track();
        }
    }

    /// Makes the connection of `lease` track keys, unless the lane does not. None once the lane is
    /// closed.
    ///
    /// # Errors
    ///
    /// `TRACKING`, which is fatal, if the server cannot. Others if the connection was lost.
    pub(super) async fn begin_tracking(&self, lease: &mut Lease) -> Option<Result<()>> {
        if !self.tracks() {
            return Some(Ok(()));
        }
        let budget = self.home.options.socket.connect_timeout;
        self.keep_time(async {
            let begun = ask(lease, budget).await;
            if begun.is_err() {
                lease.mark_broken();
            }
            begun
        })
        .await
    }

    /// Ends what waits for a connection, because no server is there that tracks keys.
    pub(super) fn refuse(&self, error: Error) {
        let error = self.home.pool.unfit(error);
        let mut traffic = self.lock();
        if traffic.link.is_closed() {
            return;
        }
        traffic.link = Link::Dormant;
        let ended = traffic.queue.fail_all();
        drop(traffic);
        self.fail(ended, &error);
    }

    /// Tells the caches which keys have changed, as the pushes of `frames` say.
    pub(super) fn hear_invalidations(&self, frames: &Frames) {
        let mut keys = ChangedKeys::default();
        let mut is_all = false;
        for root in &frames.pushes {
            is_all |= read(frames, *root, &mut keys) == Heard::Everything;
        }
        if is_all {
            self.home.outboxes.lose_track();
        }
        if !keys.is_empty() {
            self.home.outboxes.invalidate(&keys);
        }
    }
}

impl Traffic {
    /// As [`Conduit::lose_track`].
    pub(super) fn lose_track(&self) {
        if let Some(outboxes) = &self.tracked {
            outboxes.lose_track();
        }
    }

    /// When the lane has to look whether the server still tells of changes: a PING is due, or its
    /// silence counts as a loss.
    pub(super) fn tracking_due(&self, now: Instant) -> Instant {
        let look = self.heard + LOOK;
        // The answer that is due now may come, and silence begin behind it.
        if look <= now && self.is_answer_due() {
            self.heard + SILENCE
        } else {
            look
        }
    }

    /// Whether the server has something to answer.
    pub(super) fn is_answer_due(&self) -> bool {
        self.queue.is_waiting() || self.ping.is_some()
    }
}

/// Asks the server to track the keys that are read over the connection.
async fn ask(lease: &mut Lease, budget: Duration) -> Result<()> {
    check(&lease.info)?;
    let answer = match timeout(budget, lease.request(TRACKING_ON)).await {
        Ok(answer) => answer?,
        Err(_) => {
            let text = "the server did not answer CLIENT TRACKING in time";
            return Err(Error::connection("CONNECTION_LOST", text).retryable());
        }
    };
    if !answer.is_error() {
        return Ok(());
    }
    let root = answer.replies.first().and_then(|root| answer.tape.get(*root as usize));
    let text = root.map_or(&[][..], |node| answer.text(node));
    let cause = Error::reply(String::from_utf8_lossy(text));
    Err(unfit("the server has refused CLIENT TRACKING").with_cause(cause))
}

/// Refuses servers that do not tell of changes as the cache needs it.
fn check(info: &ServerInfo) -> Result<()> {
    if info.proto != 3 {
        return Err(unfit("the server does not speak RESP3"));
    }
    let major: Option<u32> =
        info.version.as_deref().and_then(|text| text.split('.').next()?.parse().ok());
    match major {
        // It puts invalidations into the middle of other replies (redis issue 8935).
        Some(major) if major < OLDEST => Err(unfit("the server is older than Redis 7")),
        _ => Ok(()),
    }
}

fn unfit(why: &str) -> Error {
    let text = format!("{why}, so clientSideCache cannot be used with it: leave the option out");
    Error::connection("TRACKING", text).with_applied(Applied::No).fatal()
}

/// What a push says.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// It is no invalidation.
    Nothing,
    /// Some keys have changed.
    Keys,
    /// All keys may have changed.
    Everything,
}

/// Reads the push at `root`, and adds the keys that it names to `keys`.
fn read(frames: &Frames, root: u32, keys: &mut ChangedKeys) -> Heard {
    let at = |index: u32| frames.tape.get(index as usize);
    let kind = root + 1;
    if at(kind).is_none_or(|node| frames.text(node) != b"invalidate") {
        return Heard::Nothing;
    }
    let list = frames.next(kind);
    match at(list) {
        Some(node) if node.kind == ValueKind::Array => {
            let mut index = list + 1;
            for _ in 0..node.len {
                let Some(name) = at(index) else { break };
                keys.push(frames.text(name));
                index = frames.next(index);
            }
            Heard::Keys
        }
        // FLUSHALL and FLUSHDB name no key, and so does a server that has forgotten what it tracks.
        _ => Heard::Everything,
    }
}

const TRACKING_ON: &[u8] = b"*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n";
/// The oldest major version of Redis; Valkey has begun with 7.2.
const OLDEST: u32 = 7;
/// A server that has said nothing for so long, although an answer is due, counts as lost.
const SILENCE: Duration = Duration::from_millis(4_900);
/// A server that has said nothing for so long is asked for a PING, so that an answer is due. Half
/// of [`SILENCE`] leaves it more than two seconds for the answer.
const LOOK: Duration = Duration::from_millis(2_400);

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn heard(text: &str) -> (Vec<Heard>, Vec<String>) {
        let mut bytes = BytesMut::from(text);
        let frames = Decoder::new(Limits::default()).decode(&mut bytes).unwrap().unwrap();
        let mut keys = ChangedKeys::default();
        let heard = frames.pushes.iter().map(|root| read(&frames, *root, &mut keys)).collect();
        (heard, keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect())
    }

    #[test]
    fn an_invalidation_names_its_keys() {
        let text = ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n";
        assert_eq!(heard(text), (vec![Heard::Keys], vec!["a".into(), "bc".into()]));
    }

    #[test]
    fn an_invalidation_without_keys_means_all_of_them() {
        for nothing in ["_\r\n", "*-1\r\n", "$-1\r\n"] {
            let text = format!(">2\r\n$10\r\ninvalidate\r\n{nothing}");
            assert_eq!(heard(&text), (vec![Heard::Everything], vec![]), "{nothing}");
        }
    }

    #[test]
    fn other_pushes_invalidate_nothing() {
        let text = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n>0\r\n";
        assert_eq!(heard(text), (vec![Heard::Nothing, Heard::Nothing], vec![]));
    }

    #[test]
    fn a_server_that_tells_too_little_is_refused() {
        let info = |proto, version: &str| ServerInfo {
            proto,
            version: Some(version.into()),
            ..ServerInfo::default()
        };
        for (proto, version) in [(2, "8.2.3"), (3, "6.2.14"), (3, "6.0.16")] {
            let error = check(&info(proto, version)).unwrap_err();
            assert_eq!((error.code(), error.is_fatal()), ("TRACKING", true), "{proto} {version}");
        }
        for version in ["7.0.15", "9.1.2", "255.255.255", "unknown"] {
            assert!(check(&info(3, version)).is_ok(), "{version}");
        }
    }
}
