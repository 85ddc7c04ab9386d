//! Which names are those of keyspace notifications: pure.
//!
//! A server sends these messages on the node where the key is, and the nodes of a cluster do not
//! pass them on to one another
//! (<https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/>,
//! <https://redis.io/docs/latest/develop/pubsub/subkeyspace-notifications/>). So a channel or a
//! pattern of them is *local*: each node that has keys has to be subscribed to.

use super::topic::Topic;
use crate::command::slot;

/// What the channels of notifications begin with.
const CHANNELS: [&[u8]; 6] = [
    b"__keyspace@",
    b"__keyevent@",
    b"__subkeyspace@",
    b"__subkeyevent@",
    b"__subkeyspaceitem@",
    b"__subkeyspaceevent@",
];
/// How many of a pattern's first characters have to be those of a channel of notifications: as many
/// as in `__key*`. A pattern that says less, such as `*`, is taken to be about other channels. Each
/// node sends the messages of all those, so a local pattern multiplies them by the number of nodes.
const SPECIFIC: usize = 5;

/// Whether a name is that of notifications, or a pattern that is meant for them.
pub(super) fn is_local(topic: Topic, name: &[u8]) -> bool {
    match topic {
        Topic::Channel => is_notification(name),
        Topic::Pattern => CHANNELS.iter().any(|start| is_meant_for(name, start)),
        Topic::ShardChannel | Topic::Monitor => false,
    }
}

/// Whether a channel is one of notifications.
pub(super) fn is_notification(channel: &[u8]) -> bool {
    CHANNELS.iter().any(|start| channel.starts_with(start))
}

/// The slot of the key that a notification is about; None if that is hard to tell.
pub(super) fn slot_of(channel: &[u8], payload: &[u8]) -> Option<u16> {
    if channel.starts_with(b"__keyevent@") {
        return Some(slot::of(payload));
    }
    let rest = channel.strip_prefix(b"__keyspace@")?;
    let end = rest.windows(END.len()).position(|window| window == END)?;
    rest.get(end + END.len()..).map(slot::of)
}

/// What follows the number of the database in the name of a channel.
const END: &[u8] = b"__:";

/// Whether the first characters of `pattern` are those of channels that begin with `start`.
fn is_meant_for(pattern: &[u8], start: &[u8]) -> bool {
    let mut pattern = pattern.iter();
    for (count, expected) in start.iter().enumerate() {
        let literal = match pattern.next() {
            Some(b'*' | b'?' | b'[') => return count >= SPECIFIC,
            Some(b'\\') => pattern.next(),
            other => other,
        };
        if literal != Some(expected) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_notifications_are_local() {
        for name in ["__keyspace@0__:k", "__keyevent@15__:del", "__subkeyspaceitem@0__:k\nf"] {
            assert!(is_local(Topic::Channel, name.as_bytes()), "{name}");
            assert!(!is_local(Topic::ShardChannel, name.as_bytes()), "{name}");
        }
        for name in ["", "news", "__keyspace", "__keyspace0", "x__keyspace@0__:k", "__key*"] {
            assert!(!is_local(Topic::Channel, name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn patterns_that_are_meant_for_notifications_are_local() {
        for name in [
            "__keyspace@0__:*",
            "__keyevent@*__:expired",
            "__key*__:*",
            "__key*",
            "__key[se]*",
            "__keyspace@0__:k",
            "__subkey*",
            r"__key\space@0__:*",
            r"\__keyevent@0__:*",
        ] {
            assert!(is_local(Topic::Pattern, name.as_bytes()), "{name}");
        }
        for name in ["*", "__*", "?_keyspace@0__:*", "__keyb*", "__key", "__keyspace", "news.*", ""]
        {
            assert!(!is_local(Topic::Pattern, name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_notification_tells_the_slot_of_its_key() {
        let of_key = Some(slot::of(b"k__:{t}"));
        assert_eq!(slot_of(b"__keyspace@0__:k__:{t}", b"del"), of_key);
        assert_eq!(slot_of(b"__keyevent@0__:del", b"k__:{t}"), of_key);
        for channel in ["news", "__keyspace@0", "__subkeyevent@0__:hset"] {
            assert_eq!(slot_of(channel.as_bytes(), b"k"), None, "{channel}");
        }
    }
}
