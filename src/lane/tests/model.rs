//! A model that is too simple to be wrong: a list of commands, each with the number of its bytes
//! that are on the wire. Each step is done to the queue and to the model, and they are compared.

use std::collections::{BTreeSet, VecDeque};

use super::super::outcome::Drained;
use super::histories::{LaneStep, Sort};
use super::*;
use crate::outbox::Whose;

#[derive(Debug, Clone)]
struct ModelCommand {
    id: u32,
    text: String,
    /// Where the parts of a block end in `text`; empty for an ordinary command.
    parts: Vec<usize>,
    /// How many of these parts are answered.
    answered: usize,
    deadline: Option<Instant>,
    tries: u32,
    sent: usize,
    is_dead: bool,
}

impl ModelCommand {
    /// Whether it is a block whose end is not on the wire.
    fn is_cut(&self) -> bool {
        !self.parts.is_empty() && self.sent < self.text.len()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ModelPause {
    Off,
    Draining { overtaken: bool, reconnect: bool },
    Until,
}

/// The queue, and what it should know.
pub(super) struct Model {
    queue: Queue,
    now: Instant,
    commands: VecDeque<ModelCommand>,
    held: VecDeque<ModelCommand>,
    pause: ModelPause,
    is_retiring: bool,
    pushed: u32,
    settled: BTreeSet<u32>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::default(),
            now: Instant::now(),
            commands: VecDeque::new(),
            held: VecDeque::new(),
            pause: ModelPause::Off,
            is_retiring: false,
            pushed: 0,
            settled: BTreeSet::new(),
        }
    }

    pub(super) fn take(&mut self, step: LaneStep) {
        match step {
            LaneStep::Push(commands) => self.push(&commands),
            LaneStep::Write(limit) => self.write(limit),
            LaneStep::Answer => self.answer(None),
            LaneStep::Refuse(true) => self.answer(Some(READONLY)),
            LaneStep::Refuse(false) => self.answer(Some(LOADING)),
            LaneStep::Fail => self.answer(Some("ERR no")),
            LaneStep::Cancel(index) if self.pushed > 0 => {
                self.cancel(index.index(self.pushed as usize))
            }
            LaneStep::Cancel(_) => {}
            LaneStep::Pass(millis) => self.pass(millis),
            LaneStep::Lose => self.lose(),
            LaneStep::Retire => {
                self.queue.retire();
                self.is_retiring = true;
            }
            LaneStep::GoOn => self.go_on(),
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
            let entry = ModelCommand { id, text, parts, answered, deadline, tries, sent, is_dead };
            self.commands.push_back(entry);
        }
        self.queue.push(Batch::new(Bytes::from(texts.concat()), rows, self.now));
    }

    /// What may be written now.
    fn writable(&self) -> String {
        let half = self.commands.iter().find(|e| e.sent > 0 && e.sent < e.text.len());
        let mut text = half.map_or(String::new(), |e| e.text[e.sent..].to_owned());
        if self.pause == ModelPause::Off && !self.is_retiring {
            self.commands.iter().filter(|e| e.sent == 0).for_each(|e| text.push_str(&e.text));
        }
        text
    }

    fn write(&mut self, limit: usize) {
        let out = write(&mut self.queue, limit, self.now);
        let expected = self.writable();
        assert_eq!(out, &expected.as_bytes()[..limit.min(expected.len())]);
        let mut left = out.len();
        for entry in &mut self.commands {
            let taken = left.min(entry.text.len() - entry.sent);
            entry.sent += taken;
            left -= taken;
        }
    }

    fn answer(&mut self, refusal: Option<&str>) {
        let answer = self.queue.answer(refusal.map(str::as_bytes));
        if !self.is_waiting() {
            assert!(answer.is_none(), "a reply to nothing was taken");
            return self.lose();
        }
        let answer = answer.unwrap();
        let is_error = refusal.is_some();
        let refusal = refusal.filter(|text| !text.starts_with("ERR"));
        if !self.commands[0].parts.is_empty() {
            return self.answer_part(&answer, is_error, refusal);
        }
        assert!(!answer.partial);
        let mut entry = self.commands.pop_front().unwrap();
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
        self.pause = match self.pause {
            ModelPause::Draining { overtaken, reconnect: before } => ModelPause::Draining {
                overtaken: overtaken || refusal.is_none(),
                reconnect: before || (is_held && reconnect),
            },
            _ if is_held => ModelPause::Draining { overtaken: false, reconnect },
            other => other,
        };
        if answer.early {
            return self.lose();
        }
        self.drain();
    }

    fn answer_part(&mut self, answer: &Matched, is_error: bool, refusal: Option<&str>) {
        let entry = &mut self.commands[0];
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
        self.pause = match self.pause {
            ModelPause::Draining { overtaken: before, reconnect: wanted } => ModelPause::Draining {
                overtaken: before || overtaken,
                reconnect: wanted || reconnect,
            },
            _ if reconnect => ModelPause::Draining { overtaken, reconnect },
            other => other,
        };
        let early = answer.early;
        if is_last {
            self.commands.pop_front();
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
        let drained = self.queue.drained(self.now, 0, 0.5);
        match self.pause {
            ModelPause::Draining { .. } if self.is_waiting() => {
                assert!(matches!(drained, Drained::Nothing));
            }
            ModelPause::Draining { overtaken, reconnect } if overtaken || reconnect => {
                let rejected = match drained {
                    Drained::Reject(rejected) if !reconnect => rejected,
                    Drained::Reconnect(rejected) if reconnect => rejected,
                    other => panic!("{other:?}"),
                };
                let held = if overtaken { std::mem::take(&mut self.held) } else { VecDeque::new() };
                let expected: Vec<u32> = held.iter().map(|entry| entry.id).collect();
                assert_eq!(rejected.iter().map(|ended| ended.id).collect::<Vec<_>>(), expected);
                expected.into_iter().for_each(|id| self.settle(id));
                self.pause = ModelPause::Off;
                if reconnect {
                    self.lose();
                }
            }
            ModelPause::Draining { .. } => {
                assert!(matches!(drained, Drained::Nothing));
                self.pause = ModelPause::Until;
            }
            _ => assert!(matches!(drained, Drained::Nothing)),
        }
        assert_eq!(self.queue.retry_at().is_some(), self.pause == ModelPause::Until);
    }

    fn cancel(&mut self, at: usize) {
        let id = at as u32;
        let applied = self.queue.cancel(0, id);
        if let Some(at) = self.held.iter().position(|entry| entry.id == id) {
            self.held.remove(at);
            assert_eq!(applied, Some(Applied::No));
            return self.settle(id);
        }
        let Some(at) = self.commands.iter().position(|e| e.id == id && !e.is_dead) else {
            return assert_eq!(applied, None);
        };
        self.die(at, applied.unwrap());
    }

    fn die(&mut self, at: usize, applied: Applied) {
        let entry = &mut self.commands[at];
        entry.is_dead = true;
        let (id, is_sent) = (entry.id, entry.sent > 0);
        assert_eq!(applied, if is_sent { Applied::Unknown } else { Applied::No });
        if !is_sent {
            self.commands.remove(at);
        }
        self.settle(id);
    }

    fn pass(&mut self, millis: u64) {
        self.now += ms(millis);
        let now = self.now;
        let ended = self.queue.expire(now);
        let is_late =
            |entry: &ModelCommand| !entry.is_dead && entry.deadline.is_some_and(|d| d <= now);
        let late = self.held.iter().chain(&self.commands).filter(|e| is_late(e)).count();
        assert_eq!(ended.len(), late);
        for Ended { id, applied, refusal, .. } in ended {
            if let Some(at) = self.held.iter().position(|e| e.id == id) {
                assert!(is_late(&self.held[at]) && refusal.is_some() && applied == Applied::No);
                self.held.remove(at);
                self.settle(id);
            } else {
                let at = self.commands.iter().position(|e| e.id == id).unwrap();
                assert!(is_late(&self.commands[at]) && refusal.is_none());
                self.die(at, applied);
            }
        }
        assert!(self.queue.next_deadline().is_none_or(|at| at > now), "it would be asked again");
    }

    fn lose(&mut self) {
        let (ended, retried) = self.queue.lose(is_repeatable);
        let mut kept = std::mem::take(&mut self.held);
        let (mut expected, mut again) = (Vec::new(), 0);
        for mut entry in std::mem::take(&mut self.commands) {
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
        (self.commands, self.pause, self.is_retiring) = (kept, ModelPause::Off, false);
    }

    fn go_on(&mut self) {
        if self.is_retiring && !self.is_waiting() {
            self.queue.resume();
            self.is_retiring = false;
        }
        if let Some(at) = self.queue.retry_at() {
            self.now = self.now.max(at);
            assert_eq!(self.queue.retry_held(), self.held.len());
            while let Some(entry) = self.held.pop_back() {
                self.commands.push_front(entry);
            }
            self.pause = ModelPause::Off;
        }
    }

    fn is_waiting(&self) -> bool {
        self.commands.front().is_some_and(|entry| entry.sent > 0)
    }

    fn settle(&mut self, id: u32) {
        assert!(self.settled.insert(id), "command {id} ended twice");
    }

    fn check(&mut self) {
        let writable = self.writable();
        match self.queue.unwritten() {
            Some(bytes) => {
                assert!(!bytes.is_empty());
                assert!(writable.as_bytes().starts_with(&bytes), "{bytes:?} of {writable}");
            }
            None => assert_eq!(writable, ""),
        }
        let entries = || self.commands.iter().chain(&self.held);
        assert_eq!(self.queue.commands(), entries().count());
        assert_eq!(self.queue.bytes(), entries().map(|entry| entry.text.len()).sum::<usize>());
        let in_flight = self.commands.iter().filter(|entry| entry.sent > 0).count();
        assert_eq!(self.queue.in_flight(), in_flight);
        assert_eq!(self.queue.is_waiting(), self.is_waiting());
    }

    /// Ends everything that is left. By then every command has ended exactly once.
    pub(super) fn finish(mut self) {
        for Ended { id, applied, .. } in self.queue.fail_all() {
            let may_run = |entry: &ModelCommand| entry.sent > 0 && !entry.is_cut();
            let sent = self.commands.iter().any(|entry| entry.id == id && may_run(entry));
            assert_eq!(applied, if sent { Applied::Unknown } else { Applied::No });
            self.settle(id);
        }
        assert_eq!(self.settled.len() as u32, self.pushed);
    }
}
