//! What a router knows, and where each of its commands is.
//!
//! Everything here changes under the router's one lock. `submit` sends commands on their way,
//! `refused` sends on those that a node did not run, `moves` follows slots from node to node,
//! `upkeep` is what the keeper does now and then. Invariants:
//!
//! - Commands of one slot reach the node that has it in the order in which they were submitted. So
//!   when a slot moves to another node, all commands of it are parked, new ones and refused ones,
//!   until its former primary has answered, or lost, what it was sent before.
//! - A command is in one place only: in a lane, parked, or on its way from a lane to the router.

use std::sync::Arc;

use tokio::time::Instant;

use super::aim::Aim;
use super::holds::{Hold, Holds};
use super::node::Node;
use super::parked::Parked;
use super::reads::Readers;
use super::registry::Registry;
use super::retry::Retry;
use super::submit::Crowded;
use super::table::Table;
use super::template::Template;
use crate::error::{Applied, Error};
use crate::lane::{Batch, Command, Ended, Lane};

/// The state of a router.
pub(super) struct Routes {
    pub(super) template: Arc<Template>,
    pub(super) registry: Registry,
    /// Which node has which slot.
    pub(super) table: Table,
    /// The table that the application was told of.
    pub(super) told: Table,
    /// Whether any server has said where everything is.
    pub(super) is_known: bool,
    /// When the look around began whose answer was followed last.
    pub(super) viewed: Option<Instant>,
    pub(super) aim: Aim,
    pub(super) readers: Readers,
    /// Why commands of a slot are parked.
    pub(super) holds: Holds,
    pub(super) parked: Parked,
    pub(super) retry: Retry,
    /// What the keeper has to do before its timer fires.
    pub(super) news: News,
    /// Why the router takes no commands any more.
    pub(super) closed: Option<Error>,
    /// Why no server could say where everything is; None if one could when they were asked last.
    pub(super) last_failure: Option<Error>,
    /// Why slots have no owner although a server has named one; see [`View::gap`].
    ///
    /// [`View::gap`]: super::View::gap
    pub(super) gap: Option<&'static str>,
    /// Whether a stranger is at the address of any node.
    pub(super) has_strangers: bool,
    /// Since when only strangers say where everything is.
    pub(super) alone_since: Option<Instant>,
    /// How often the nodes or the table may have changed.
    pub(super) version: u64,
    pub(super) gathering: Gathering,
    pub(super) crowded: Crowded,
    /// Whether there is, or may be, a node without a slot that redirects name.
    pub(super) has_newcomers: bool,
    /// Whether the keeper looks whether nodes answer.
    pub(super) is_watched: bool,
}

/// What the keeper has to do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct News {
    /// Ask where everything is.
    pub(super) look: bool,
    /// Compute its timer again.
    pub(super) rearm: bool,
}

impl News {
    /// Both.
    pub(super) const ALL: Self = Self { look: true, rearm: true };
}

/// Whether parked commands may be sent on their way. While refused commands come in, they may not:
/// only when all of them are parked their order is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gathering {
    /// They may.
    #[default]
    Idle,
    /// Refused commands are coming in.
    Active,
    /// Refused commands are coming in, and parked ones are to be sent on their way behind them.
    ActiveAndDue,
}

impl Routes {
    /// The state of a router that knows no node.
    pub(super) fn new(template: Arc<Template>) -> Self {
        let aim = match template.topology.is_one_shard() {
            true => Aim::at_one_shard(),
            false => Aim::default(),
        };
        Self {
            template,
            registry: Registry::default(),
            table: Table::default(),
            told: Table::default(),
            is_known: false,
            viewed: None,
            aim,
            readers: Readers::default(),
            holds: Holds::default(),
            parked: Parked::default(),
            retry: Retry::default(),
            news: News::default(),
            closed: None,
            last_failure: None,
            gap: None,
            has_strangers: false,
            alone_since: None,
            version: 0,
            gathering: Gathering::Idle,
            crowded: Crowded::default(),
            has_newcomers: false,
            is_watched: false,
        }
    }

    /// The place of the node that takes writes to `slot`, or those of commands without a key.
    pub(super) fn primary(&self, slot: Option<u16>) -> Option<u32> {
        let place = self.table.primary(slot.unwrap_or_else(|| self.aim.anywhere()))?;
        (!self.is_stranger(place)).then_some(place)
    }

    /// The place of the node that takes writes to `slot`, if all commands of the slot are there.
    pub(super) fn settled(&self, slot: u16) -> Option<u32> {
        self.primary(Some(slot)).filter(|_| self.is_known && !self.holds.is_held(slot))
    }

    /// Encoded bytes that wait where a command of `slot` would wait.
    pub(super) fn queued_at(&self, slot: u16) -> usize {
        match self.table.primary(slot).filter(|_| !self.holds.is_held(slot)) {
            Some(place) => {
                let lane = self.registry.get(place).and_then(Node::open_lane);
                lane.map_or(0, Lane::queued_bytes)
            }
            None => self.parked.bytes(),
        }
    }

    /// Ends the command `id` of `owner`; None if it is nowhere.
    pub(super) fn cancel(&mut self, owner: u32, id: u32) -> Option<Applied> {
        let in_lane = self.registry.lanes().filter_map(|lane| lane.cancel(owner, id)).next();
        in_lane.or_else(|| self.parked.cancel(owner, id))
    }

    /// Ends all commands of `owner`.
    pub(super) fn abandon(&mut self, owner: u32, error: &Error) {
        for lane in self.registry.lanes() {
            lane.abandon(owner, error);
        }
        let ended = self.parked.abandon(owner);
        self.end(ended, error);
    }

    /// Parks the commands of `slot`.
    pub(super) fn hold(&mut self, slot: u16, hold: Hold) {
        if hold == Hold::Look {
            self.news = News::ALL;
        }
        self.holds.add(slot, hold);
    }

    /// Ends holds, and sends on what is free then.
    pub(super) fn release(&mut self, is_over: impl Fn(&Hold) -> bool) {
        if self.holds.lift(is_over) {
            self.resume();
        }
    }

    /// Tells the callers of `ended`: each hears of the server's refusal, if there was one, or of
    /// `error`.
    pub(super) fn end(&self, ended: Vec<Ended>, error: &Error) {
        let failures = ended.into_iter().map(|Ended { owner, id, applied, refusal }| {
            (owner, id, refusal.unwrap_or_else(|| error.clone().with_applied(applied)))
        });
        self.template.commons.outboxes.fail(failures);
    }

    /// Tells the callers of a batch that was not run.
    pub(super) fn fail(&self, batch: &Batch, error: &Error) {
        let error = error.clone().with_applied(Applied::No);
        let live = batch.commands().iter().filter(|command| !Command::is_dead(command));
        let failures = live.map(|command| (batch.owner(), command.id, error.clone()));
        self.template.commons.outboxes.fail(failures);
    }
}
