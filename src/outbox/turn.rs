//! What an event loop owes its outbox within one turn.
//!
//! Owns the end of the turn, at which the replies of several connections are delivered together.
//! While sockets are served no wake-up is asked for, because what is read is delivered in the same
//! turn: at once, or at its end. Invariant: whoever has called [`Turn::hold`] drains the outbox, or
//! calls [`Turn::let_go`], or waits for an end of the turn that [`Turn::postpone`] has promised.
//! [`Turn::close`] takes that end away, so it asks for the wake-up instead.

use std::cell::RefCell;
use std::sync::Arc;

use super::Outbox;

/// A call that an event loop makes once all sockets that were ready are served.
pub trait EndOfTurn {
    /// Asks for the call in this turn. False if it will not be made.
    fn request(&self) -> bool;

    /// Takes the call back, if it was asked for. It is not made any more.
    fn close(self);
}

/// The turns of one event loop, as its outbox sees them.
pub struct Turn<E> {
    outbox: Arc<Outbox>,
    end: RefCell<Option<E>>,
}

impl<E: EndOfTurn> Turn<E> {
    /// The turns of the event loop that drains `outbox`. They have no end that calls.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox, end: RefCell::new(None) }
    }

    /// What the event loop drains.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Makes the end by `make`, unless there is one.
    pub fn ends_by(&self, make: impl FnOnce() -> Option<E>) {
        if self.end.borrow().is_some() {
            return;
        }
        let made = make();
        *self.end.borrow_mut() = made;
    }

    /// What is pushed from now on is drained in this turn, so no wake-up is needed.
    pub fn hold(&self) {
        self.outbox.hold();
    }

    /// Leaves draining to the end of the turn. False if there is none, so that the caller has to
    /// drain by itself.
    pub fn postpone(&self) -> bool {
        self.end.borrow().as_ref().is_some_and(E::request)
    }

    /// The outbox is not drained in this turn after all, so it asks for a wake-up if anything waits.
    pub fn let_go(&self) {
        self.outbox.let_go();
    }

    /// Takes the end of the turn away. What it was to drain is drained by a wake-up.
    pub fn close(&self) {
        let end = self.end.borrow_mut().take();
        if let Some(end) = end {
            end.close();
        }
        self.let_go();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::{Delivery, Event};
    use super::*;

    /// What can happen to an outbox and its event loop.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Step {
        /// The I/O thread has read a reply.
        Push,
        /// The socket of the only lane is ready, with a reply or without one.
        Lane(bool),
        /// The socket of one session of many is ready, with a reply or without one.
        Session(bool),
        /// Serving a socket panics.
        Panic,
        /// All sockets that were ready are served.
        TurnEnds,
        /// The wake-up reaches the event loop.
        WakeUp,
        /// The application ends the client, which ends a command.
        Close,
    }

    const STEPS: [Step; 9] = [
        Step::Push,
        Step::Lane(true),
        Step::Lane(false),
        Step::Session(true),
        Step::Session(false),
        Step::Panic,
        Step::TurnEnds,
        Step::WakeUp,
        Step::Close,
    ];

    /// The end of a modelled turn: whether it was asked for.
    struct ModelEnd(Rc<Cell<bool>>);

    impl EndOfTurn for ModelEnd {
        fn request(&self) -> bool {
            self.0.set(true);
            true
        }

        fn close(self) {
            self.0.set(false);
        }
    }

    /// An event loop as `binding/reach.rs` and `binding/poll.rs` have it.
    struct ModelLoop {
        turn: Turn<ModelEnd>,
        is_requested: Rc<Cell<bool>>,
        wakes: Arc<AtomicUsize>,
        pushed: u32,
        delivered: Vec<u32>,
    }

    impl ModelLoop {
        fn new() -> Self {
            let wakes = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&wakes);
            let outbox = Outbox::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            let turn = Turn::new(Arc::new(outbox));
            let is_requested = Rc::<Cell<bool>>::default();
            turn.ends_by(|| Some(ModelEnd(Rc::clone(&is_requested))));
            Self { turn, is_requested, wakes, pushed: 0, delivered: Vec::new() }
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Push => self.push(),
                Step::Lane(has_reply) => {
                    self.serve(has_reply);
                    self.drain();
                }
                Step::Session(has_reply) => {
                    self.serve(has_reply);
                    if !self.turn.postpone() {
                        self.drain();
                    }
                }
                Step::Panic => {
                    self.serve(true);
                    self.turn.let_go();
                }
                Step::TurnEnds => {
                    if self.is_requested.take() {
                        self.drain();
                    }
                }
                Step::WakeUp => {
                    if self.wakes.load(Ordering::Relaxed) > 0 {
                        self.wakes.fetch_sub(1, Ordering::Relaxed);
                        self.drain();
                    }
                }
                Step::Close => {
                    self.push();
                    self.turn.close();
                }
            }
        }

        fn serve(&mut self, has_reply: bool) {
            self.turn.hold();
            if has_reply {
                self.push();
            }
        }

        fn push(&mut self) {
            self.turn.outbox().push(Delivery::Event(Event::Ready(self.pushed, None)));
            self.pushed += 1;
        }

        fn drain(&mut self) {
            let taken = self.turn.outbox().drain().into_iter();
            self.delivered.extend(taken.filter_map(|delivery| match delivery {
                Delivery::Event(Event::Ready(number, _)) => Some(number),
                _ => None,
            }));
        }

        /// Lets the event loop do what it has to without being asked for anything new.
        fn settle(&mut self) {
            self.step(Step::TurnEnds);
            while self.wakes.load(Ordering::Relaxed) > 0 {
                self.step(Step::WakeUp);
            }
        }
    }

    fn is_all_delivered(steps: &[Step]) -> bool {
        let mut model = ModelLoop::new();
        steps.iter().for_each(|step| model.step(*step));
        model.settle();
        model.delivered.iter().copied().eq(0..model.pushed)
    }

    #[test]
    fn what_was_pushed_is_delivered_in_every_order_of_six_steps() {
        let mut steps = [Step::Push; 6];
        for number in 0..STEPS.len().pow(6) {
            let mut rest = number;
            for step in &mut steps {
                *step = STEPS[rest % STEPS.len()];
                rest /= STEPS.len();
            }
            assert!(is_all_delivered(&steps), "lost after {steps:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_pushed_is_delivered_after_many_steps(
            steps in proptest::collection::vec(proptest::sample::select(STEPS.to_vec()), 0..60),
        ) {
            prop_assert!(is_all_delivered(&steps));
        }
    }

    #[test]
    fn what_another_thread_pushes_while_a_promise_is_taken_back_is_delivered() {
        let (wake, woken) = mpsc::channel();
        let outbox = Arc::new(Outbox::new(move || {
            let _ = wake.send(());
        }));
        let pusher = Arc::clone(&outbox);
        let all = 20_000;
        let io_thread = std::thread::spawn(move || {
            for number in 0..all {
                pusher.push(Delivery::Event(Event::Ready(number, None)));
            }
        });
        let turn: Turn<ModelEnd> = Turn::new(outbox);
        let mut delivered = 0;
        while delivered < all as usize {
            turn.hold();
            turn.let_go();
            woken.recv_timeout(Duration::from_secs(20)).expect("a wake-up for what waits");
            delivered += turn.outbox().drain().len();
        }
        io_thread.join().expect("the pusher");
    }
}
