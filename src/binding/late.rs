//! Replies that have come and are built in later turns of the event loop.
//!
//! Owns their order, and what of this turn is left for building. A large reply would hold up
//! everything else in the process, and so would many replies at once. Connections take turns.
//! Invariants: replies of one connection are delivered in the order in which they came; while
//! anything waits, JavaScript has been asked for another turn; the bytes of what waits count towards
//! the bound of the outbox.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::values::{HalfBuilt, Portion};
use crate::outbox::{Outbox, Whose};
use crate::resp::Frames;

/// Replies of one decode step, and how far they are delivered.
pub struct Late {
    /// The connection that they have come over.
    pub lane_id: u32,
    pub frames: Frames,
    pub whose: Vec<Whose>,
    /// How many of them are delivered.
    pub done: usize,
    /// The next one, if it is built in slices and that has begun.
    pub half: Option<HalfBuilt>,
}

/// The replies that wait.
pub struct LateReplies {
    /// Those of each connection, in the order in which they came.
    lanes: RefCell<HashMap<u32, VecDeque<Late>>>,
    /// The connections, in the order in which they get their turns.
    order: RefCell<VecDeque<u32>>,
    /// What may be built now, as of `since`.
    portion: Cell<Portion>,
    /// When something was built last.
    since: Cell<Instant>,
    /// Whether JavaScript was asked for a turn.
    is_awaited: Cell<bool>,
    /// Whether everything is built at once, because the client is closed.
    hurries: Cell<bool>,
}

impl Default for LateReplies {
    fn default() -> Self {
        Self {
            lanes: RefCell::default(),
            order: RefCell::default(),
            portion: Cell::new(Portion::TURN),
            since: Cell::new(Instant::now()),
            is_awaited: Cell::new(false),
            hurries: Cell::new(false),
        }
    }
}

impl LateReplies {
    /// What may be built now. Give the rest back by [`LateReplies::leave`]. The event loop may call
    /// several times without going on, so a call by itself begins no new portion.
    pub fn portion(&self) -> Portion {
        match self.hurries.get() {
            true => Portion::ALL,
            false => self.portion.get().after(self.since.get().elapsed()),
        }
    }

    /// So much may still be built. True if JavaScript has to be asked for another turn.
    pub fn leave(&self, portion: Portion) -> bool {
        self.portion.set(portion);
        self.since.set(Instant::now());
        !self.order.borrow().is_empty() && !self.is_awaited.replace(true)
    }

    /// The turn has come that JavaScript was asked for.
    pub fn begin_turn(&self) {
        self.is_awaited.set(false);
        self.portion.set(Portion::TURN);
    }

    /// From now on nothing waits for another turn.
    pub fn hurry(&self) {
        self.hurries.set(true);
    }

    /// Whether replies of this connection wait, so that later ones have to wait too.
    pub fn holds(&self, lane_id: u32) -> bool {
        !self.order.borrow().is_empty() && self.lanes.borrow().contains_key(&lane_id)
    }

    /// Adds replies behind those of their connection.
    pub fn add(&self, outbox: &Outbox, late: Late) {
        outbox.keep(late.frames.size());
        let lane_id = late.lane_id;
        let mut lanes = self.lanes.borrow_mut();
        let of_lane = lanes.entry(lane_id).or_insert_with(|| {
            self.order.borrow_mut().push_back(lane_id);
            VecDeque::new()
        });
        of_lane.push_back(late);
    }

    /// Takes the next replies. Give them back by [`LateReplies::put_back`] or
    /// [`LateReplies::finish`]. Until then their connection stays in its place.
    pub fn next(&self) -> Option<Late> {
        let lane_id = *self.order.borrow().front()?;
        self.lanes.borrow_mut().get_mut(&lane_id)?.pop_front()
    }

    /// Puts replies of [`LateReplies::next`] back. It is the turn of other connections now.
    pub fn put_back(&self, late: Late) {
        if let Some(of_lane) = self.lanes.borrow_mut().get_mut(&late.lane_id) {
            of_lane.push_front(late);
        }
        self.order.borrow_mut().rotate_left(1);
    }

    /// Replies of [`LateReplies::next`], of this connection and size, are delivered. It is the turn of
    /// other connections now.
    pub fn finish(&self, outbox: &Outbox, lane_id: u32, size: usize) {
        outbox.give_up(size);
        let (mut lanes, mut order) = (self.lanes.borrow_mut(), self.order.borrow_mut());
        if lanes.get(&lane_id).is_none_or(VecDeque::is_empty) {
            lanes.remove(&lane_id);
            order.pop_front();
        } else {
            order.rotate_left(1);
        }
    }
}
