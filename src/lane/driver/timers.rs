//! The one timer of a lane's driver: what is due next, and what is done then.

use tokio::time::Instant;

use super::super::batch::Batch;
use super::super::command::Command;
use super::super::conduit::Traffic;
use super::service::LaneDriver;
use crate::connection::bounds::{dead_peer, DEADLINE_STEP, DEAD_PEER, PING_BUDGET, QUIET};
use crate::error::Result;

/// What the driver does when its timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneTimer {
    /// Ends commands whose deadline has passed.
    Deadline,
    /// Writes refused commands again.
    Retry,
    /// Sends a PING to an idle connection.
    Ping,
    /// Looks whether the server still tells of changed keys.
    Tracking,
    /// Gives up a server that does not answer.
    Dead,
    /// Starts to replace a connection that has become old.
    Lifetime,
}

impl LaneDriver<'_> {
    /// What is due next, and when.
    pub(super) fn next_timer(&self, traffic: &Traffic, now: Instant) -> (LaneTimer, Instant) {
        let queue = &traffic.queue;
        let home = &self.conduit.home;
        let deadline = queue.next_deadline().map(|at| at.max(now + DEADLINE_STEP));
        let idle = traffic.active + self.ping_interval;
        let is_silent = !queue.is_waiting() && traffic.ping.is_none();
        let is_idle = is_silent && !self.ping_interval.is_zero() && !traffic.holds_pings;
        let idle = is_idle.then_some(idle);
        let dead = match traffic.ping {
            // A server that is only busy is not given up for a look that nobody has asked for.
            Some(sent) if traffic.is_look => Some(sent + DEAD_PEER),
            Some(sent) => Some(sent + PING_BUDGET),
            None => queue.overdue_since().map(|since| since + DEAD_PEER),
        };
        // On an exclusive connection a blocking command may wait in silence.
        let silent = home.options.socket.socket_timeout;
        let silent = silent.filter(|_| queue.is_waiting() && !self.conduit.is_exclusive);
        let silent = silent.map(|timeout| traffic.active + timeout);
        // While replies are not read, because too many wait for the caller, silence means nothing.
        let (dead, silent) = if home.outboxes.is_full() { (None, None) } else { (dead, silent) };
        let timers = [
            (LaneTimer::Deadline, deadline),
            (LaneTimer::Retry, queue.retry_at()),
            (LaneTimer::Dead, dead),
            (LaneTimer::Dead, silent),
            (LaneTimer::Ping, idle),
            (LaneTimer::Tracking, self.conduit.tracks().then(|| traffic.tracking_due(now))),
            (LaneTimer::Lifetime, self.expires),
        ];
        let due = timers.into_iter().filter_map(|(timer, at)| Some((timer, at?)));
        let look = home.options.socket.socket_timeout.unwrap_or(QUIET).min(QUIET);
        let look = if self.ping_interval.is_zero() { look } else { look.min(self.ping_interval) };
        let quiet = (LaneTimer::Deadline, now + look);
        due.chain([quiet]).min_by_key(|(_, at)| *at).unwrap_or(quiet)
    }

    /// Does what is due, and says what it was.
    pub(super) fn on_timer(&mut self, now: Instant) -> Result<LaneTimer> {
        let conduit = self.conduit;
        let metrics = &conduit.home.metrics;
        conduit.expire(now);
        let mut traffic = conduit.lock();
        // Replies may have moved the timer on since it was set.
        let (timer, at) = self.next_timer(&traffic, now);
        if at > now {
            return Ok(LaneTimer::Deadline);
        }
        match timer {
            LaneTimer::Deadline => {}
            LaneTimer::Retry => {
                let retried = traffic.queue.retry_held();
                metrics.retries.add(retried as u64);
                traffic.write(now, metrics);
            }
            LaneTimer::Ping => {
                traffic.queue.push(Batch::ping(Command::INTERNAL, now));
                traffic.write(now, metrics);
                traffic.ping = Some(now);
                (traffic.is_look, traffic.pinged) = (false, now);
            }
            LaneTimer::Tracking if traffic.is_answer_due() => {
                // It goes on later: whoever is silent may only be busy.
                conduit.lose_track();
                traffic.heard = now;
            }
            LaneTimer::Tracking => {
                traffic.queue.push(Batch::ping(Command::INTERNAL, now));
                traffic.write(now, metrics);
                traffic.ping = Some(now);
                let interval = self.ping_interval;
                traffic.is_look = interval.is_zero() || now < traffic.pinged + interval;
                if !traffic.is_look {
                    traffic.pinged = now;
                }
            }
            LaneTimer::Dead => return Err(dead_peer()),
            LaneTimer::Lifetime => self.expires = None,
        }
        Ok(timer)
    }
}
