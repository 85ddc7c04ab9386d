//! The commands of one flush, encoded, with what is known of each.
//!
//! Owns the bytes until the last of its commands is answered, because a command that may be retried
//! has to be written again. The encoder says how long each command is.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::command::Command;
use crate::resp::encode;

/// The encoded commands of one flush, in order.
#[derive(Debug, Clone)]
pub struct Batch {
    bytes: Bytes,
    commands: Vec<Command>,
    submitted: Instant,
    owner: u32,
    /// When its first byte was written to the present connection.
    pub(super) written: Option<Instant>,
    earliest: Option<Instant>,
}

impl Batch {
    /// A batch of `commands` whose encodings follow one another in `bytes`.
    pub fn new(bytes: Bytes, commands: Vec<Command>, submitted: Instant) -> Self {
        debug_assert_eq!(bytes.len(), commands.iter().map(|c| c.len as usize).sum::<usize>());
        let mut batch =
            Self { bytes, commands, submitted, owner: 0, written: None, earliest: None };
        batch.find_earliest(0);
        batch
    }

    /// Makes it a batch of the event loop that the [`Outboxes`](crate::outbox::Outboxes) know as
    /// `owner`. A new batch is of owner 0.
    #[must_use]
    pub fn owned_by(mut self, owner: u32) -> Self {
        self.owner = owner;
        self
    }

    /// Counts one redirect more for each command.
    #[must_use]
    pub fn redirected(mut self) -> Self {
        self.commands.iter_mut().for_each(Command::count_redirect);
        self
    }

    /// Forgets the redirects, as if no command had been sent to another node yet.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.commands.iter_mut().for_each(Command::forget_redirects);
        self
    }

    /// Each command that somebody waits for, as a batch of its own, in order.
    pub fn singles(&self) -> impl Iterator<Item = Batch> + '_ {
        let live = self.offsets().filter(|(_, command)| !command.is_dead());
        live.map(|(offset, command)| {
            let bytes = self.bytes.slice(offset..offset + command.len as usize);
            Batch::new(bytes, vec![*command], self.submitted).owned_by(self.owner)
        })
    }

    /// Puts the commands of `others` behind those of this batch. They have to be of the same owner
    /// and the same turn.
    #[must_use]
    pub fn joined(self, others: &[Batch]) -> Batch {
        if others.is_empty() {
            return self;
        }
        let all = || std::iter::once(&self).chain(others);
        let bytes: Vec<u8> = all().flat_map(|batch| batch.bytes.iter().copied()).collect();
        let commands = all().flat_map(|batch| batch.commands.iter().copied()).collect();
        Batch::new(bytes.into(), commands, self.submitted).owned_by(self.owner)
    }

    /// Puts ASKING in front, which makes a node serve the next command although its slot is still
    /// on the way to that node.
    #[must_use]
    pub fn asking(mut self) -> Self {
        let bytes = [ASKING, &self.bytes].concat();
        self.bytes = Bytes::from(bytes);
        let len = ASKING.len() as u32;
        self.commands.insert(0, Command { id: 0, len, mode: Command::INTERNAL, timeout: 0 });
        self
    }

    /// Makes all commands stay with this node: their refusals are for the caller.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        self.commands.iter_mut().for_each(|command| command.mode |= Command::PINNED);
        self
    }

    /// The PING of a lane itself; `mode` has [`Command::INTERNAL`].
    pub(super) fn ping(mode: u32, submitted: Instant) -> Self {
        let command = Command { id: 0, len: PING.len() as u32, mode, timeout: 0 };
        Self::new(Bytes::from_static(PING), vec![command], submitted)
    }

    /// Commands of the lane itself, whose replies nobody waits for.
    pub(super) fn internal(bytes: Bytes, submitted: Instant) -> Self {
        let mut commands = Vec::new();
        let mut rest: &[u8] = &bytes;
        while let Some(length) = encode::command_len(rest) {
            let len = length as u32;
            commands.push(Command { id: 0, len, mode: Command::INTERNAL, timeout: 0 });
            rest = rest.get(length..).unwrap_or_default();
        }
        Self::new(bytes, commands, submitted)
    }

    /// The encoded commands.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The commands, in order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    pub(super) fn commands_mut(&mut self) -> &mut [Command] {
        &mut self.commands
    }

    /// The event loop that the commands are of.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether the batch waits for a connection even with `disableOfflineQueue`.
    pub fn is_patient(&self) -> bool {
        self.commands.first().is_some_and(|command| command.mode & Command::PATIENT != 0)
    }

    /// When the caller handed the batch over.
    pub fn submitted(&self) -> Instant {
        self.submitted
    }

    /// The earliest deadline of a command that somebody still waits for.
    pub fn earliest_deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// The deadline of `command`, which is one of this batch.
    pub fn deadline(&self, command: &Command) -> Option<Instant> {
        (command.timeout != 0).then(|| self.submitted + millis(command.timeout))
    }

    /// Computes the earliest deadline again, after commands have died. The first `answered`
    /// commands do not count any more.
    pub(super) fn find_earliest(&mut self, answered: usize) {
        let waiting = self.commands.iter().skip(answered);
        let live = waiting.filter(|c| !c.is_dead() && c.timeout != 0);
        self.earliest = live.map(|c| c.timeout).min().map(|ms| self.submitted + millis(ms));
    }

    /// Each command with the position of its first byte.
    pub fn offsets(&self) -> impl Iterator<Item = (usize, &Command)> {
        let mut at = 0;
        self.commands.iter().map(move |command| {
            let offset = at;
            at += command.len as usize;
            (offset, command)
        })
    }

    /// The batch without its first `commands` commands, which take up `bytes` bytes.
    pub(super) fn split_front(&mut self, commands: usize, bytes: usize) {
        self.commands.drain(..commands);
        self.bytes = self.bytes.slice(bytes..);
        self.find_earliest(0);
    }

    /// Cuts the batch behind its first `commands` commands (`bytes` bytes) and returns the rest.
    /// Leaves [`Batch::find_earliest`] to the caller.
    pub(super) fn split_off(&mut self, commands: usize, bytes: usize) -> Batch {
        let rest = self.commands.split_off(commands);
        let tail = self.bytes.split_off(bytes);
        Batch::new(tail, rest, self.submitted).owned_by(self.owner)
    }

    /// A batch with only the commands that `keep` wants. `keep` may change a command.
    pub fn filtered(&self, mut keep: impl FnMut(&mut Command, &[u8]) -> bool) -> Batch {
        let mut bytes = Vec::new();
        let mut commands = Vec::new();
        for (offset, command) in self.offsets() {
            let mut command = *command;
            let encoded = self.bytes.get(offset..offset + command.len as usize).unwrap_or_default();
            if keep(&mut command, encoded) {
                bytes.extend_from_slice(encoded);
                commands.push(command);
            }
        }
        Batch::new(bytes.into(), commands, self.submitted).owned_by(self.owner)
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";
