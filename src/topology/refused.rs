//! What becomes of commands that a node did not run: each goes on to where it belongs.

use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use super::aim::Goal;
use super::holds::Hold;
use super::redirect::{Redirect, RedirectTarget};
use super::retry;
use super::routes::{Gathering, Routes};
use super::split::Destination;
use crate::backoff;
use crate::error::{Error, ErrorClass};
use crate::lane::{Batch, Command, Refused};
use crate::options::Endpoint;

impl Routes {
    /// The node at `from` has refused commands.
    pub(super) fn refused(&mut self, from: u32, refused: Vec<Refused>, now: Instant) {
        self.gathering = Gathering::Active;
        for Refused { batch, error } in refused {
            self.send_on(from, batch, error, now);
        }
        if mem::take(&mut self.gathering) == Gathering::ActiveAndDue {
            self.resume();
        }
    }

    /// Sends on one command that the node at `from` has refused with `error`.
    fn send_on(&mut self, from: u32, batch: Batch, error: Error, now: Instant) {
        if let Some(error) = self.closed.clone() {
            return self.fail(&batch, &error);
        }
        let Some(command) = batch.commands().first().copied() else { return self.suspect(from) };
        let Ok(Goal { slot, .. }) = self.aim.at(&command, batch.bytes()) else {
            return self.fail(&batch, &error);
        };
        let redirect = Redirect::read(&error);
        let stray = Stray { batch, redirects: command.redirects(), slot, from, error };
        match redirect {
            Redirect::Moved(target) => self.redirect(stray, target, false, now),
            Redirect::Ask(target) => self.redirect(stray, target, true, now),
            Redirect::Soon => {
                // While the slot is on its way, the nodes may well send the command back and
                // forth, so that this does not count as a redirect.
                self.await_others(slot, from, now);
                let batch = stray.batch.settled();
                self.retry(Stray { batch, ..stray }, retry::SOON, now);
            }
            Redirect::Later { is_cluster_down } => {
                // A replica that cannot serve is no reason to wait: the primary can.
                let primary = self.primary(Some(slot)).filter(|place| *place != from);
                if let Some(primary) = primary.filter(|_| !self.holds.is_held(slot)) {
                    self.hand_over(Destination::Node(primary), stray.batch, Some(stray.error));
                    return;
                }
                self.news.look |= is_cluster_down;
                self.await_others(slot, from, now);
                self.retry_later(stray, now);
            }
            Redirect::FindPrimary => self.find_primary(stray, now),
        }
    }

    /// The node is a replica: the command goes on once it is known which node is the primary.
    fn find_primary(&mut self, stray: Stray, now: Instant) {
        let Stray { slot, from, redirects, .. } = stray;
        self.doubt(from, slot, now);
        if self.aim.only_slot().is_none() {
            return self.retry_later(stray, now);
        }
        // With one shard nothing helps but to ask again which node is the primary. No timer runs
        // then, so the count of redirects bounds the tries.
        if redirects >= self.most_redirects() {
            return self.fail(&stray.batch, &stray.error);
        }
        self.hold(slot, Hold::Look);
        self.parked.push(stray.batch.redirected(), Some(stray.error));
    }

    /// The node has sent the command to the node that `target` names. `is_ask`: for this time only.
    fn redirect(&mut self, stray: Stray, target: RedirectTarget, is_ask: bool, now: Instant) {
        let Stray { batch, redirects, slot, from, error } = stray;
        let endpoint = self.seen_from(from, target);
        if redirects >= self.most_redirects() {
            return self.fail(&batch, &too_many(redirects, endpoint.as_ref(), error));
        }
        let batch = batch.redirected();
        let is_named = endpoint.is_some();
        match endpoint.and_then(|endpoint| self.place_of(endpoint)) {
            // A node that no server has named may belong to a stranger, so it does not get the
            // password. The command waits until a server has said where everything is.
            None => {
                self.has_newcomers |= is_named;
                self.hold(slot, Hold::Look);
                self.await_others(slot, from, now);
                self.parked.push(batch, Some(error));
            }
            // Older commands of the slot are parked. This one is sent to the slot's primary behind
            // them, which may answer with another ASK.
            Some(_) if is_ask && self.is_order_open(slot) => {
                self.await_others(slot, from, now);
                self.parked.push(batch, Some(error));
            }
            Some(place) if is_ask => {
                self.hand_over(Destination::Node(place), batch.asking(), None);
            }
            // The node sends the command to itself: its connection leads to another server by now,
            // or it does not know yet that the slot is its own.
            Some(place) if place == from => {
                self.doubt(from, slot, now);
                self.retry_later(Stray { batch, redirects, slot, from, error }, now);
            }
            Some(place) => {
                self.news.look = true;
                self.move_slot(slot, place, Some(from), now);
                self.await_end(slot, from, true, now);
                self.parked.push(batch, None);
                self.resume();
            }
        }
    }

    /// The node at `from` is not what it was taken for: its lane gets another connection, and
    /// servers are asked where everything is.
    fn doubt(&mut self, from: u32, slot: u16, now: Instant) {
        self.await_others(slot, from, now);
        self.suspect(from);
    }

    /// The lane of the node at `from` gets another connection, and servers are asked where
    /// everything is.
    fn suspect(&mut self, from: u32) {
        self.news.look = true;
        if let Some(node) = self.registry.get_mut(from) {
            node.lane().renew();
        }
    }

    /// Whether commands of `slot` are parked that are older than one that comes back now.
    fn is_order_open(&self, slot: u16) -> bool {
        self.holds.is_held(slot) || self.gathering == Gathering::ActiveAndDue
    }

    /// The node at `from` has said, not in the answer to a command of a lane, that `slot` is
    /// elsewhere.
    pub(super) fn moved(&mut self, from: u32, slot: u16, error: &Error, now: Instant) {
        self.news.look = true;
        let Redirect::Moved(target) = Redirect::read(error) else { return };
        let endpoint = self.seen_from(from, target);
        if let Some(place) = endpoint.and_then(|endpoint| self.place_of(endpoint)) {
            self.move_slot(slot, place, None, now);
        }
    }

    /// The place of the node that `refusal`, an ASK of the node at `from`, names, if it is known.
    pub(super) fn asked(&mut self, from: u32, refusal: &Error) -> Option<u32> {
        let Redirect::Ask(target) = Redirect::read(refusal) else { return None };
        let endpoint = self.seen_from(from, target)?;
        let place = self.place_of(endpoint);
        if place.is_none() {
            self.has_newcomers = true;
            self.news.look = true;
        }
        place
    }

    /// The node that the one at `from` has named, as servers call it.
    fn seen_from(&self, from: u32, target: RedirectTarget) -> Option<Endpoint> {
        self.registry.get(from).and_then(|node| target.seen_from(&node.endpoint))
    }

    /// The place of the node that servers call `endpoint`.
    fn place_of(&self, endpoint: Endpoint) -> Option<u32> {
        let place = self.registry.place_of(&self.template.addresses.of(endpoint));
        place.filter(|place| !self.is_stranger(*place))
    }

    fn most_redirects(&self) -> u32 {
        self.template.topology.max_redirects.min(Command::MOST_REDIRECTS)
    }

    fn retry_later(&mut self, stray: Stray, now: Instant) {
        self.retry(stray, self.retry.delay(backoff::random()), now);
    }

    /// Parks a command until the retry timer fires, which it does after `delay` if it was not set.
    fn retry(&mut self, Stray { batch, slot, error, .. }: Stray, delay: Duration, now: Instant) {
        self.retry.arm(delay, now);
        self.hold(slot, Hold::Retry);
        self.parked.push(batch, Some(error));
        self.news.rearm = true;
    }

    /// The retry timer has fired.
    pub(super) fn retry_now(&mut self) {
        self.retry.fired();
        self.release(|hold| *hold == Hold::Retry);
    }
}

/// A command that a node did not run.
struct Stray {
    /// The command, alone.
    batch: Batch,
    /// How often it was sent on before.
    redirects: u32,
    /// The slot of its keys.
    slot: u16,
    /// The place of the node.
    from: u32,
    /// What the node said.
    error: Error,
}

fn too_many(redirects: u32, last: Option<&Endpoint>, cause: Error) -> Error {
    let last = last.map_or_else(|| "an unknown node".to_owned(), Endpoint::to_string);
    let text = format!(
        "the cluster has sent the command on {redirects} times, and once more to {last}: its nodes \
         do not agree on who has its slot"
    );
    let error = Error::new(ErrorClass::Redirections, "MAX_REDIRECTIONS", text);
    error.retryable().with_cause(cause)
}
