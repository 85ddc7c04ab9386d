//! What a router of several nodes asks of a lane: marks, what waits in it, another connection.

use tokio::time::Instant;

use super::batch::Batch;
use super::command::Command;
use super::conduit::refused;
use super::front::Lane;
use super::link::Link;
use crate::error::Error;

/// What has become of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It is on its way.
    Put,
    /// The connection has failed; the router is about to be told.
    Ending,
    /// There is no connection, so nothing is in flight.
    Offline,
}

impl Lane {
    /// Whether anything is queued here, or on its way from here to another node.
    pub fn is_busy(&self) -> bool {
        let traffic = self.conduit.lock();
        traffic.queue.commands() > 0 || traffic.moving > 0
    }

    /// Whether anything is queued here.
    pub fn has_commands(&self) -> bool {
        self.conduit.lock().queue.commands() > 0
    }

    /// Since when the oldest unanswered command is on the wire.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.conduit.lock().queue.waiting_since()
    }

    /// Puts a mark behind everything queued: the router hears when all of that is answered.
    pub fn mark(&self) -> Marked {
        let now = Instant::now();
        let mut traffic = self.conduit.lock();
        let attendant = match traffic.link {
            Link::Up { failed: None, attendant, .. } => attendant,
            Link::Up { .. } => return Marked::Ending,
            Link::Dormant | Link::Connecting | Link::Closed => return Marked::Offline,
        };
        traffic.queue.push(Batch::ping(Command::INTERNAL | Command::MARK, now));
        let wake = traffic.write(now, &self.conduit.home.metrics).needs_driver(attendant);
        drop(traffic);
        if wake {
            self.wake();
        }
        Marked::Put
    }

    /// Takes out what waits for a connection, in order; nothing while there is one.
    pub fn take_waiting(&self) -> Vec<Batch> {
        let mut traffic = self.conduit.lock();
        match traffic.link {
            // If it has failed, the driver is about to end what is in flight.
            Link::Up { .. } => Vec::new(),
            Link::Dormant | Link::Connecting | Link::Closed => traffic.queue.take_all(),
        }
    }

    /// Makes the lane take another connection once what is in flight is answered.
    pub fn renew(&self) {
        let mut traffic = self.conduit.lock();
        traffic.queue.drain_to_reconnect();
        let is_idle = !traffic.queue.is_waiting();
        if let (Link::Up { failed, .. }, true) = (&mut traffic.link, is_idle) {
            failed.get_or_insert_with(refused);
        }
        drop(traffic);
        self.wake();
    }

    /// Gives the connection up, as if it had been lost for `error`.
    pub fn give_up(&self, error: Error) {
        let mut traffic = self.conduit.lock();
        if let Link::Up { failed, .. } = &mut traffic.link {
            failed.get_or_insert(error);
        }
        drop(traffic);
        self.wake();
    }
}
