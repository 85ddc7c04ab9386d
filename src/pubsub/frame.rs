//! What a frame on a subscriber's connection means.
//!
//! RESP2 sends messages and confirmations as arrays, RESP3 as pushes. Their elements do not differ,
//! so they are read in one way. MONITOR's lines are simple strings in either protocol.

use crate::resp::{Frames, ValueKind};

use super::topic::{Op, Topic};

/// What one frame means to a subscriber.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A message for the subscription to `name`. `channel` and `payload` are indices into the tape.
    Message { topic: Topic, name: &'a [u8], channel: u32, payload: u32 },
    /// The server has subscribed or unsubscribed the connection, asked or not.
    Confirmed { op: Op, topic: Topic, name: &'a [u8] },
    /// The answer to PING.
    Pong,
    /// A line of MONITOR.
    MonitorLine,
    /// An error reply.
    Refused(&'a [u8]),
    /// A push that is not for a subscriber.
    Push,
    /// Something that a server does not send to a subscriber.
    Unknown,
}

impl<'a> Frame<'a> {
    /// Reads the frame whose node is at `root` of the tape.
    pub(super) fn read(frames: &'a Frames, root: u32) -> Self {
        let Some(node) = frames.tape.get(root as usize) else { return Self::Unknown };
        match node.kind {
            ValueKind::Push => Self::read_parts(frames, root, node.len).unwrap_or(Self::Push),
            ValueKind::Array => Self::read_parts(frames, root, node.len).unwrap_or(Self::Unknown),
            ValueKind::Error | ValueKind::BulkError => Self::Refused(frames.text(node)),
            ValueKind::Simple => match frames.text(node) {
                b"PONG" => Self::Pong,
                b"OK" => Self::Confirmed { op: Op::Subscribe, topic: Topic::Monitor, name: b"" },
                _ => Self::MonitorLine,
            },
            _ => Self::Unknown,
        }
    }

    fn read_parts(frames: &'a Frames, root: u32, len: u32) -> Option<Self> {
        // The first elements are texts of one node each; only a payload may have more nodes.
        let text = |at: u32| {
            let node = frames.tape.get((root + at) as usize)?;
            matches!(node.kind, ValueKind::Bulk | ValueKind::Simple).then(|| frames.text(node))
        };
        let word = text(1)?;
        let message = |topic| {
            let name = text(2)?;
            Some(Self::Message { topic, name, channel: root + 2, payload: root + 3 })
        };
        let confirmed =
            |op, topic| Some(Self::Confirmed { op, topic, name: text(2).unwrap_or_default() });
        match (word, len) {
            (b"message", 3) => message(Topic::Channel),
            (b"smessage", 3) => message(Topic::ShardChannel),
            (b"pmessage", 4) => {
                text(3)?;
                let name = text(2)?;
                let (topic, channel, payload) = (Topic::Pattern, root + 3, root + 4);
                Some(Self::Message { topic, name, channel, payload })
            }
            (b"subscribe", 3) => confirmed(Op::Subscribe, Topic::Channel),
            (b"psubscribe", 3) => confirmed(Op::Subscribe, Topic::Pattern),
            (b"ssubscribe", 3) => confirmed(Op::Subscribe, Topic::ShardChannel),
            (b"unsubscribe", 3) => confirmed(Op::Unsubscribe, Topic::Channel),
            (b"punsubscribe", 3) => confirmed(Op::Unsubscribe, Topic::Pattern),
            (b"sunsubscribe", 3) => confirmed(Op::Unsubscribe, Topic::ShardChannel),
            (b"pong", 2) => Some(Self::Pong),
            _ => None,
        }
    }
}

/// The roots of replies and pushes, in the order in which they came.
pub(super) fn in_wire_order(frames: &Frames) -> impl Iterator<Item = u32> + '_ {
    let (mut replies, mut pushes) =
        (frames.replies.iter().peekable(), frames.pushes.iter().peekable());
    std::iter::from_fn(move || {
        let next = match (replies.peek(), pushes.peek()) {
            (Some(reply), Some(push)) if reply < push => replies.next(),
            (_, Some(_)) => pushes.next(),
            _ => replies.next(),
        };
        next.copied()
    })
}
