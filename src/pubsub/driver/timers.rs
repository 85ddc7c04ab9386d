//! The one timer of a subscriber's driver: what is due next, and what is done then.

use std::time::Duration;

use tokio::time::Instant;

use super::service::SubscriberDriver;
use crate::connection::bounds::{dead_peer, DEADLINE_STEP, DEAD_PEER, PING_BUDGET, QUIET};
use crate::error::Result;

/// What the driver does when its timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubscriberTimer {
    /// Fails requests whose deadline has passed.
    Deadline,
    /// Sends a PING to a silent connection, and after messages.
    Ping,
    /// Gives up a server that does not answer.
    Dead,
    /// Closes a connection that is not needed any more.
    Linger,
}

impl SubscriberDriver<'_> {
    /// What is due next, and when.
    pub(super) fn next_timer(&self, now: Instant) -> (SubscriberTimer, Instant) {
        let coverage = self.hub.lock();
        let deadline = coverage.ledger.next_deadline().map(|at| at.max(now + DEADLINE_STEP));
        let oldest = coverage.ledger.oldest(self.feed.id);
        // Messages are a sign of life, and the answer may be queued behind them.
        let dead = oldest.map(|(asked, is_ping)| {
            let budget = if is_ping { PING_BUDGET } else { DEAD_PEER };
            let budget = self.hub.options.socket.socket_timeout.unwrap_or(budget).min(budget);
            asked.max(self.heard) + budget
        });
        let is_quiet = oldest.is_none() && !self.ping_interval.is_zero();
        let quiet = is_quiet.then(|| self.heard + self.ping_interval);
        let proof = coverage.ledger.uncertain_since(self.feed.id).map(|since| since + PROOF);
        let ping = [quiet, proof].into_iter().flatten().min();
        let linger = self.needless.filter(|_| oldest.is_none()).map(|since| since + LINGER);
        let timers = [
            (SubscriberTimer::Deadline, deadline),
            (SubscriberTimer::Dead, dead),
            (SubscriberTimer::Ping, ping),
            (SubscriberTimer::Linger, linger),
        ];
        let due = timers.into_iter().filter_map(|(timer, at)| Some((timer, at?)));
        let quiet = (SubscriberTimer::Deadline, now + QUIET);
        due.chain([quiet]).min_by_key(|(_, at)| *at).unwrap_or(quiet)
    }

    /// Does what is due; true if the connection is to be closed.
    pub(super) fn on_timer(&mut self) -> Result<bool> {
        let now = Instant::now();
        self.hub.expire(now);
        // Bytes that came may have moved the timer on since it was set.
        let (timer, at) = self.next_timer(now);
        if at > now {
            return Ok(false);
        }
        match timer {
            SubscriberTimer::Deadline => {}
            SubscriberTimer::Ping => {
                self.hub.lock().ledger.ping(self.feed.id, &mut self.out, now);
            }
            SubscriberTimer::Dead => return Err(dead_peer()),
            SubscriberTimer::Linger => return Ok(true),
        }
        Ok(false)
    }
}

/// How often a connection that brings messages is asked for a PING at most. Its answer proves that
/// all messages before it have come, so a gap of which `resubscribed` tells begins about this long
/// too early at worst. One PING a second costs next to nothing beside the messages.
const PROOF: Duration = Duration::from_secs(1);
/// How long a connection without subscriptions is kept. A caller that unsubscribes and subscribes
/// in turn should not pay for a new connection each time.
const LINGER: Duration = Duration::from_secs(1);
