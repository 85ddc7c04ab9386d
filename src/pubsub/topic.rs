//! What a client can subscribe to, and the commands for it.

/// A kind of subscription. The discriminant is the number that crosses the native boundary;
/// `lib/boundary/subscriptions.js` has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Topic {
    /// `SUBSCRIBE`
    Channel = 0,
    /// `PSUBSCRIBE`
    Pattern = 1,
    /// `SSUBSCRIBE`
    ShardChannel = 2,
    /// `MONITOR`, which has one nameless subscription.
    Monitor = 3,
}

/// What is asked of the server for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Subscribe,
    Unsubscribe,
}

impl Topic {
    /// The topic that has this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Channel,
            1 => Self::Pattern,
            2 => Self::ShardChannel,
            3 => Self::Monitor,
            _ => return None,
        })
    }

    /// The command for `op`; None if there is no command, so that the connection has to be closed.
    pub(super) fn command(self, op: Op) -> Option<&'static [u8]> {
        Some(match (self, op) {
            (Self::Channel, Op::Subscribe) => b"SUBSCRIBE",
            (Self::Channel, Op::Unsubscribe) => b"UNSUBSCRIBE",
            (Self::Pattern, Op::Subscribe) => b"PSUBSCRIBE",
            (Self::Pattern, Op::Unsubscribe) => b"PUNSUBSCRIBE",
            (Self::ShardChannel, Op::Subscribe) => b"SSUBSCRIBE",
            (Self::ShardChannel, Op::Unsubscribe) => b"SUNSUBSCRIBE",
            (Self::Monitor, Op::Subscribe) => b"MONITOR",
            (Self::Monitor, Op::Unsubscribe) => return None,
        })
    }
}
