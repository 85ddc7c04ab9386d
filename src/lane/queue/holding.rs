//! The refused commands that wait to be written again, and why nothing new is written meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::super::batch::Batch;
use super::super::outcome::{gone, Drained, Ended};
use super::Queue;
use crate::error::{Applied, Error};

/// The refused commands that wait to be written again.
#[derive(Debug, Default)]
pub(super) struct Holding {
    pause: Pause,
    held: VecDeque<Held>,
}

/// Why nothing new is written although the connection stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// New commands are written.
    #[default]
    Off,
    /// The server refused a command. What is in flight behind it is awaited, so that the retry
    /// cannot overtake it. `overtaken`: a later command has run. `reconnect`: the retry needs
    /// another connection.
    Draining { overtaken: bool, reconnect: bool },
    /// Everything in flight was refused; it is written again at this instant.
    Until(Instant),
}

/// A command that the server refused without running it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) batch: Batch,
    /// The refusal.
    pub(super) error: Error,
}

impl Holding {
    /// Whether new commands may be written.
    pub(super) fn is_off(&self) -> bool {
        self.pause == Pause::Off
    }

    /// The held commands, each as a batch of its own, in order.
    pub(super) fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.held.iter().map(|held| &held.batch)
    }

    /// Holds a command behind the others.
    pub(super) fn hold(&mut self, batch: Batch, error: Error, reconnects: bool) {
        self.held.push_back(Held { batch, error });
        match &mut self.pause {
            Pause::Draining { reconnect, .. } => *reconnect |= reconnects,
            pause => *pause = Pause::Draining { overtaken: false, reconnect: reconnects },
        }
    }

    /// Another command is answered; `ran`: the server has run it.
    pub(super) fn note(&mut self, ran: bool) {
        if let Pause::Draining { overtaken, .. } = &mut self.pause {
            *overtaken |= ran;
        }
    }

    /// Takes out the command `id` of `owner`.
    pub(super) fn remove(&mut self, owner: u32, id: u32) -> Option<Batch> {
        let is_it =
            |batch: &Batch| batch.owner() == owner && batch.commands().iter().any(|c| c.id == id);
        let at = self.batches().position(is_it)?;
        Some(self.held.remove(at)?.batch)
    }

    /// Takes out the commands that `is_over` picks.
    pub(super) fn take_where(&mut self, is_over: impl Fn(&Batch) -> bool) -> VecDeque<Held> {
        let held = std::mem::take(&mut self.held).into_iter();
        let (over, kept) = held.partition(|held: &Held| is_over(&held.batch));
        self.held = kept;
        over
    }

    /// Takes out all commands.
    pub(super) fn take(&mut self) -> VecDeque<Held> {
        std::mem::take(&mut self.held)
    }
}

impl Queue {
    /// Whether writing waits because the server refused a command.
    pub fn is_holding(&self) -> bool {
        !self.holding.is_off()
    }

    /// When held commands are to be written again.
    pub fn retry_at(&self) -> Option<Instant> {
        match self.holding.pause {
            Pause::Until(at) => Some(at),
            Pause::Off | Pause::Draining { .. } => None,
        }
    }

    /// Puts the held commands back at the front; returns how many there are.
    pub fn retry_held(&mut self) -> usize {
        self.holding.pause = Pause::Off;
        self.trim_answered();
        let held = self.holding.take();
        let count = held.len();
        for held in held.into_iter().rev() {
            self.batches.push_front(held.batch);
        }
        count
    }

    /// Says what is to be done about held commands; nothing as long as replies are due. `attempt`
    /// counts the retries in a row, `random` (`0.0..1.0`) spreads them.
    pub fn drained(&mut self, now: Instant, attempt: u32, random: f64) -> Drained {
        let Pause::Draining { overtaken, reconnect } = self.holding.pause else {
            return Drained::Nothing;
        };
        if self.is_waiting() {
            return Drained::Nothing;
        }
        let rejected = if overtaken { self.reject_held() } else { Vec::new() };
        if reconnect {
            // Also if no command is left to write again: what comes next would be refused as well.
            return Drained::Reconnect(rejected);
        }
        if overtaken {
            self.holding.pause = Pause::Off;
            return Drained::Reject(rejected);
        }
        let ceiling = RETRY_BASE.saturating_mul(1 << attempt.min(8)).min(RETRY_CAP);
        self.holding.pause = Pause::Until(now + ceiling.mul_f64(0.5 + random / 2.0));
        Drained::Nothing
    }

    /// Lets later commands wait for another connection, which is made once what is in flight is
    /// answered: the server's role or this connection's login has changed.
    pub fn drain_to_reconnect(&mut self) {
        match &mut self.holding.pause {
            Pause::Draining { reconnect, .. } => *reconnect = true,
            pause => *pause = Pause::Draining { overtaken: false, reconnect: true },
        }
    }

    fn reject_held(&mut self) -> Vec<Ended> {
        let mut rejected = Vec::new();
        for Held { batch, error } in self.holding.take() {
            self.forget(&batch);
            rejected.extend(batch.commands().iter().map(|command| Ended {
                refusal: Some(error.clone()),
                ..gone(batch.owner(), command, Applied::No)
            }));
        }
        rejected
    }
}

/// First delay after a refusal; doubled with each refusal in a row, up to [`RETRY_CAP`]. A server
/// that is between two states needs milliseconds.
const RETRY_BASE: Duration = Duration::from_millis(100);
/// Longest delay after a refusal. A server that loads its data needs seconds, and one attempt a
/// second is no load for it.
const RETRY_CAP: Duration = Duration::from_secs(1);
