//! Random histories, checked step by step against a model that is too simple to be wrong: a list
//! of commands, each with the number of its bytes that are on the wire.

use std::collections::{BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::outcome::Drained;
use super::*;
use crate::outbox::Whose;

#[derive(Debug, Clone, Copy)]
enum Sort {
    Read,
    Write,
    /// A transaction of this many commands.
    Block(usize),
}

#[derive(Debug, Clone)]
enum Step {
    /// A batch: the sort of each command, its length and its timeout.
    Push(Vec<(Sort, usize, u32)>),
    /// The socket takes this many bytes.
    Write(usize),
    Answer,
    /// `true`: READONLY, else LOADING.
    Refuse(bool),
    /// An error reply that is no refusal.
    Fail,
    /// The caller of one of the commands that were ever pushed goes.
    Cancel(prop::sample::Index),
    /// Time passes, in milliseconds.
    Pass(u64),
    Lose,
    Retire,
    /// What waits for a point in time happens: a retry, the exchange of a retired connection.
    GoOn,
}

fn step() -> impl Strategy<Value = Step> {
    let sort = prop_oneof![
        2 => Just(Sort::Read),
        2 => Just(Sort::Write),
        1 => (0..3usize).prop_map(Sort::Block),
    ];
    let command = (sort, 6..30usize, prop_oneof![Just(0), 1..200u32]);
    prop_oneof![
        4 => vec(command, 0..5).prop_map(Step::Push),
        6 => (1..80usize).prop_map(Step::Write),
        8 => Just(Step::Answer),
        2 => any::<bool>().prop_map(Step::Refuse),
        1 => Just(Step::Fail),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        2 => (0..60u64).prop_map(Step::Pass),
        1 => Just(Step::Lose),
        1 => Just(Step::Retire),
        2 => Just(Step::GoOn),
    ]
}

#[derive(Debug, Clone)]
struct Entry {
    id: u32,
    text: String,
    /// The ends of a block's parts in `text`; none for an ordinary command.
    parts: Vec<usize>,
    /// How many of them are answered.
    answered: usize,
    deadline: Option<Instant>,
    tries: u32,
    sent: usize,
    is_dead: bool,
}

impl Entry {
    /// Whether it is a block whose end is not on the wire.
    fn is_cut(&self) -> bool {
        !self.parts.is_empty() && self.sent < self.text.len()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Hold {
    Off,
    Draining { overtaken: bool, reconnect: bool },
    Until,
}

struct Model {
    state: State,
    now: Instant,
    queue: VecDeque<Entry>,
    held: VecDeque<Entry>,
    hold: Hold,
    is_retiring: bool,
    pushed: u32,
    settled: BTreeSet<u32>,
}

impl Model {
    fn new() -> Self {
        Self {
            state: State::default(),
            now: Instant::now(),
            queue: VecDeque::new(),
            held: VecDeque::new(),
            hold: Hold::Off,
            is_retiring: false,
            pushed: 0,
            settled: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Push(commands) => self.push(&commands),
            Step::Write(limit) => self.write(limit),
            Step::Answer => self.answer(None),
            Step::Refuse(true) => self.answer(Some(READONLY)),
            Step::Refuse(false) => self.answer(Some(LOADING)),
            Step::Fail => self.answer(Some("ERR no")),
            Step::Cancel(index) if self.pushed > 0 => {
                self.cancel(index.index(self.pushed as usize))
            }
            Step::Cancel(_) => {}
            Step::Pass(millis) => self.pass(millis),
            Step::Lose => self.lose(),
            Step::Retire => {
                self.state.retire();
                self.is_retiring = true;
            }
            Step::GoOn => self.go_on(),
        }
        self.check();
    }

    fn push(&mut self, commands: &[(Sort, usize, u32)]) {
        let mut texts = Vec::new();
        let mut rows = Vec::new();
        for (sort, len, timeout) in commands {
            let id = self.pushed;
            self.pushed += 1;
            let plain = |letter| format!("{letter}{id:-<width$}", width = len - 1);
            let (text, parts) = match sort {
                Sort::Read => (plain('R'), vec![]),
                Sort::Write => (plain('W'), vec![]),
                Sort::Block(count) => block(&vec![plain('W').as_str(); *count]),
            };
            let deadline = (*timeout > 0).then(|| self.now + ms((*timeout).into()));
            let mut row = command(id, text.len(), *timeout);
            row.mode |= if parts.is_empty() { 0 } else { Command::BLOCK };
            rows.push(row);
            texts.push(text.clone());
            let (answered, tries, sent, is_dead) = (0, 0, 0, false);
            let entry = Entry { id, text, parts, answered, deadline, tries, sent, is_dead };
            self.queue.push_back(entry);
        }
        self.state.push(Batch::new(Bytes::from(texts.concat()), rows, self.now));
    }

    /// What may be written now.
    fn writable(&self) -> String {
        let half = self.queue.iter().find(|e| e.sent > 0 && e.sent < e.text.len());
        let mut text = half.map_or(String::new(), |e| e.text[e.sent..].to_owned());
        if self.hold == Hold::Off && !self.is_retiring {
            self.queue.iter().filter(|e| e.sent == 0).for_each(|e| text.push_str(&e.text));
        }
        text
    }

    fn write(&mut self, limit: usize) {
        let out = write(&mut self.state, limit, self.now);
        let expected = self.writable();
        assert_eq!(out, &expected.as_bytes()[..limit.min(expected.len())]);
        let mut left = out.len();
        for entry in &mut self.queue {
            let taken = left.min(entry.text.len() - entry.sent);
            entry.sent += taken;
            left -= taken;
        }
    }

    fn answer(&mut self, refusal: Option<&str>) {
        let answer = self.state.answer(refusal.map(str::as_bytes));
        if !self.is_waiting() {
            assert!(answer.is_none(), "a reply to nothing was taken");
            return self.lose();
        }
        let answer = answer.unwrap();
        let is_error = refusal.is_some();
        let refusal = refusal.filter(|text| !text.starts_with("ERR"));
        if !self.queue[0].parts.is_empty() {
            return self.answer_part(&answer, is_error, refusal);
        }
        assert!(!answer.partial);
        let mut entry = self.queue.pop_front().unwrap();
        assert_eq!(answer.early, entry.sent < entry.text.len());
        let reconnect = refusal == Some(READONLY);
        let is_held = refusal.is_some() && !entry.is_dead && !(reconnect && entry.tries >= 2);
        assert_eq!(answer.held, is_held);
        if is_held || entry.is_dead {
            assert_eq!(answer.whose, Whose::NOBODY);
        } else {
            assert_eq!(answer.whose.id, entry.id);
            self.settle(entry.id);
        }
        if is_held {
            entry.sent = 0;
            entry.tries += u32::from(reconnect);
            self.held.push_back(entry);
        }
        self.hold = match self.hold {
            Hold::Draining { overtaken, reconnect: before } => Hold::Draining {
                overtaken: overtaken || refusal.is_none(),
                reconnect: before || (is_held && reconnect),
            },
            _ if is_held => Hold::Draining { overtaken: false, reconnect },
            other => other,
        };
        if answer.early {
            return self.lose();
        }
        self.drain();
    }

    fn answer_part(&mut self, answer: &Answer, is_error: bool, refusal: Option<&str>) {
        let entry = &mut self.queue[0];
        let index = entry.answered;
        entry.answered += 1;
        let is_last = entry.answered == entry.parts.len();
        assert_eq!(answer.early, entry.sent < entry.parts[index]);
        assert_eq!((answer.partial, answer.held), (!is_last, false));
        let (id, is_dead) = (entry.id, entry.is_dead);
        match (is_dead, is_last) {
            (false, true) => assert_eq!((answer.whose.id, answer.whose.is_whole()), (id, true)),
            (false, false) if is_error => assert_eq!(answer.whose, Whose::part(id, index as u32)),
            _ => assert_eq!(answer.whose, Whose::NOBODY),
        }
        let (overtaken, reconnect) = (is_last && !is_error, refusal == Some(READONLY));
        self.hold = match self.hold {
            Hold::Draining { overtaken: before, reconnect: wanted } => {
                Hold::Draining { overtaken: before || overtaken, reconnect: wanted || reconnect }
            }
            _ if reconnect => Hold::Draining { overtaken, reconnect },
            other => other,
        };
        let early = answer.early;
        if is_last {
            self.queue.pop_front();
            if !is_dead {
                self.settle(id);
            }
        }
        if early {
            return self.lose();
        }
        self.drain();
    }

    fn drain(&mut self) {
        let drained = self.state.drained(self.now, 0, 0.5);
        match self.hold {
            Hold::Draining { .. } if self.is_waiting() => {
                assert!(matches!(drained, Drained::Nothing));
            }
            Hold::Draining { overtaken: true, reconnect }
                if !reconnect || !self.held.is_empty() =>
            {
                let Drained::Reject(rejected) = drained else { panic!("{drained:?}") };
                let held = std::mem::take(&mut self.held);
                let expected: Vec<u32> = held.iter().map(|entry| entry.id).collect();
                assert_eq!(rejected.iter().map(|ended| ended.id).collect::<Vec<_>>(), expected);
                expected.into_iter().for_each(|id| self.settle(id));
                self.hold = Hold::Off;
            }
            Hold::Draining { reconnect: true, .. } => {
                assert!(matches!(drained, Drained::Reconnect));
                self.lose();
            }
            Hold::Draining { .. } => {
                assert!(matches!(drained, Drained::Nothing));
                self.hold = Hold::Until;
            }
            _ => assert!(matches!(drained, Drained::Nothing)),
        }
        assert_eq!(self.state.retry_at().is_some(), self.hold == Hold::Until);
    }

    fn cancel(&mut self, at: usize) {
        let id = at as u32;
        let applied = self.state.cancel(0, id);
        if let Some(at) = self.held.iter().position(|entry| entry.id == id) {
            self.held.remove(at);
            assert_eq!(applied, Some(Applied::No));
            return self.settle(id);
        }
        let Some(at) = self.queue.iter().position(|e| e.id == id && !e.is_dead) else {
            return assert_eq!(applied, None);
        };
        self.die(at, applied.unwrap());
    }

    fn die(&mut self, at: usize, applied: Applied) {
        let entry = &mut self.queue[at];
        entry.is_dead = true;
        let (id, is_sent) = (entry.id, entry.sent > 0);
        assert_eq!(applied, if is_sent { Applied::Unknown } else { Applied::No });
        if !is_sent {
            self.queue.remove(at);
        }
        self.settle(id);
    }

    fn pass(&mut self, millis: u64) {
        self.now += ms(millis);
        let now = self.now;
        let ended = self.state.expire(now);
        let is_late = |entry: &Entry| !entry.is_dead && entry.deadline.is_some_and(|d| d <= now);
        let late = self.held.iter().chain(&self.queue).filter(|e| is_late(e)).count();
        assert_eq!(ended.len(), late);
        for Ended { id, applied, refusal, .. } in ended {
            if let Some(at) = self.held.iter().position(|e| e.id == id) {
                assert!(is_late(&self.held[at]) && refusal.is_some() && applied == Applied::No);
                self.held.remove(at);
                self.settle(id);
            } else {
                let at = self.queue.iter().position(|e| e.id == id).unwrap();
                assert!(is_late(&self.queue[at]) && refusal.is_none());
                self.die(at, applied);
            }
        }
        assert!(self.state.next_deadline().is_none_or(|at| at > now), "it would be asked again");
    }

    fn lose(&mut self) {
        let (ended, retried) = self.state.lose(is_repeatable);
        let mut kept = std::mem::take(&mut self.held);
        let (mut expected, mut again) = (Vec::new(), 0);
        for mut entry in std::mem::take(&mut self.queue) {
            let may_again = (entry.text.starts_with('R') || entry.is_cut()) && entry.tries < 2;
            entry.answered = 0;
            match (entry.sent > 0, entry.is_dead) {
                (false, _) => kept.push_back(entry),
                (true, true) => {}
                (true, false) if may_again => {
                    (entry.tries, entry.sent, again) = (entry.tries + 1, 0, again + 1);
                    kept.push_back(entry);
                }
                (true, false) if entry.is_cut() => expected.push((entry.id, Applied::No)),
                (true, false) => expected.push((entry.id, Applied::Unknown)),
            }
        }
        assert_eq!((ids(&ended), retried), (expected.clone(), again));
        expected.into_iter().for_each(|(id, _)| self.settle(id));
        (self.queue, self.hold, self.is_retiring) = (kept, Hold::Off, false);
    }

    fn go_on(&mut self) {
        if self.is_retiring && !self.is_waiting() {
            self.state.resume();
            self.is_retiring = false;
        }
        if let Some(at) = self.state.retry_at() {
            self.now = self.now.max(at);
            assert_eq!(self.state.retry_held(), self.held.len());
            while let Some(entry) = self.held.pop_back() {
                self.queue.push_front(entry);
            }
            self.hold = Hold::Off;
        }
    }

    fn is_waiting(&self) -> bool {
        self.queue.front().is_some_and(|entry| entry.sent > 0)
    }

    fn settle(&mut self, id: u32) {
        assert!(self.settled.insert(id), "command {id} ended twice");
    }

    fn check(&mut self) {
        let writable = self.writable();
        match self.state.unwritten() {
            Some(bytes) => {
                assert!(!bytes.is_empty());
                assert!(writable.as_bytes().starts_with(&bytes), "{bytes:?} of {writable}");
            }
            None => assert_eq!(writable, ""),
        }
        let entries = || self.queue.iter().chain(&self.held);
        assert_eq!(self.state.commands(), entries().count());
        assert_eq!(self.state.bytes(), entries().map(|entry| entry.text.len()).sum::<usize>());
        let in_flight = self.queue.iter().filter(|entry| entry.sent > 0).count();
        assert_eq!(self.state.in_flight(), in_flight);
        assert_eq!(self.state.is_waiting(), self.is_waiting());
    }

    /// Everything that is left ends, and then every command has ended once.
    fn finish(mut self) {
        for Ended { id, applied, .. } in self.state.fail_all() {
            let may_run = |entry: &Entry| entry.sent > 0 && !entry.is_cut();
            let sent = self.queue.iter().any(|entry| entry.id == id && may_run(entry));
            assert_eq!(applied, if sent { Applied::Unknown } else { Applied::No });
            self.settle(id);
        }
        assert_eq!(self.settled.len() as u32, self.pushed);
    }
}

proptest! {
    // Under a second. The bugs found so far took fewer than 300 cases.
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_each_command_once_and_answers_in_order(steps in vec(step(), 0..120)) {
        let mut model = Model::new();
        steps.into_iter().for_each(|step| model.take(step));
        model.finish();
    }
}
