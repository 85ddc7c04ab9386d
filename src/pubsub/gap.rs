//! How long messages may have been missed: pure.
//!
//! A gap begins with the first subscription that is lost, and ends when all that were lost since
//! are confirmed again, refused, or not wanted any more.

use std::time::Duration;

use tokio::time::Instant;

use super::topic::Topic;
use crate::outbox::Resubscribed;

/// The loss of subscriptions that is not made good yet.
#[derive(Debug, Default)]
pub(super) struct Gap {
    since: Option<Instant>,
    /// Names that are not confirmed again.
    open: usize,
    again: [u32; 3],
}

impl Gap {
    /// A name is lost; `is_lost` is what it remembers of that.
    pub(super) fn lose(&mut self, is_lost: &mut bool, since: Instant) {
        if !std::mem::replace(is_lost, true) {
            self.open += 1;
        }
        self.since = Some(self.since.map_or(since, |before| before.min(since)));
    }

    /// A name is no longer looked for. True if it was lost.
    pub(super) fn forget(&mut self, is_lost: &mut bool) -> bool {
        let was_lost = std::mem::take(is_lost);
        self.open -= usize::from(was_lost);
        was_lost
    }

    /// A name is confirmed, again if it was lost.
    pub(super) fn restore(&mut self, is_lost: &mut bool, topic: Topic) {
        if !self.forget(is_lost) {
            return;
        }
        if let Some(count) = self.again.get_mut(topic as usize) {
            *count += 1;
        }
    }

    /// What the loss has meant, once everything is made good.
    pub(super) fn close(&mut self, now: Instant) -> Option<Resubscribed> {
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
