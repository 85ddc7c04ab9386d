//! How long messages may have been missed: pure.
//!
//! A gap begins at the last instant at which all messages of the lost subscriptions are known to
//! have come, which may be long before the loss is noticed. It ends when every lost one is
//! confirmed again, refused, or not wanted any more.

use std::time::Duration;

use tokio::time::Instant;

use super::super::topic::Topic;
use crate::outbox::Resubscribed;

/// The gaps of one ledger.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    common: Gap,
    shards: Gap,
    /// That of local names: a primary that is gone must not delay the report about the others.
    pub(super) local: Gap,
}

impl Gaps {
    /// The gap that a name of `topic` with one home belongs to. Shard channels of several nodes have
    /// a gap of their own: a shard without a primary must not delay the report about all other
    /// subscriptions.
    pub(super) fn of(&mut self, is_scattered: bool, topic: Topic) -> &mut Gap {
        if is_scattered && topic == Topic::ShardChannel {
            &mut self.shards
        } else {
            &mut self.common
        }
    }

    /// What the gaps that have ended have meant.
    pub(super) fn close(&mut self, now: Instant) -> Vec<Resubscribed> {
        let gaps = [&mut self.common, &mut self.shards, &mut self.local];
        gaps.into_iter().filter_map(|gap| gap.close(now)).collect()
    }
}

/// A loss of subscriptions.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// Since when messages may have been missed.
    since: Option<Instant>,
    /// How many lost names are not confirmed again.
    open: usize,
    /// How many are, by topic.
    again: [u32; 3],
}

impl Gap {
    /// A name is lost. `is_lost` is the flag of its entry.
    pub(super) fn lose(&mut self, is_lost: &mut bool, since: Instant) {
        if !std::mem::replace(is_lost, true) {
            self.open += 1;
        }
        self.since = Some(self.since.map_or(since, |before| before.min(since)));
    }

    /// A name is not waited for any more. True if it was lost.
    pub(super) fn forget(&mut self, is_lost: &mut bool) -> bool {
        let was_lost = std::mem::take(is_lost);
        self.open -= usize::from(was_lost);
        was_lost
    }

    /// A name is confirmed. It counts if it was lost.
    pub(super) fn restore(&mut self, is_lost: &mut bool, topic: Topic) {
        if !self.forget(is_lost) {
            return;
        }
        if let Some(count) = self.again.get_mut(topic as usize) {
            *count += 1;
        }
    }

    /// What the gap has meant; None as long as it lasts, and if no lost name was confirmed again.
    fn close(&mut self, now: Instant) -> Option<Resubscribed> {
        if self.open > 0 {
            return None;
        }
        let since = self.since.take()?;
        let [channels, patterns, shard_channels] = std::mem::take(&mut self.again);
        let lost: Duration = now.saturating_duration_since(since);
        let report = Resubscribed { channels, patterns, shard_channels, lost };
        (channels + patterns + shard_channels > 0).then_some(report)
    }
}
