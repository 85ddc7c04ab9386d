//! The commands of one flush, encoded, with what is known of each.
//!
//! Owns the bytes until the last of its commands is answered, because a command that may be
//! retried has to be written again. Lengths come from whoever encoded.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::resp::encode;

/// One command of a [`Batch`]. 16 bytes, because a million of them may be in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Names the command towards the caller.
    pub id: u32,
    /// Length of the encoded command in bytes.
    pub len: u32,
    /// How the caller wants the reply decoded (opaque here), and the lane's own bits on top.
    pub mode: u32,
    /// Deadline in milliseconds after the batch was submitted; 0 means none.
    pub timeout: u32,
}

impl Command {
    /// The caller has gone: the reply is read and thrown away.
    pub const DEAD: u32 = 1 << 31;
    /// Sent by the lane itself (a health check); nobody waits for it.
    pub const INTERNAL: u32 = 1 << 30;
    /// Set by the caller: the command waits for a connection even if others must not
    /// (`disableOfflineQueue`), because it is there to wait for one.
    pub const PATIENT: u32 = 1 << 27;
    /// Set by the caller: a SELECT for everybody who shares the lane. Once it has succeeded, later
    /// connections begin in its database.
    pub const SELECTS: u32 = 1 << 25;
    /// Set by a client of several nodes: the command is for this one and no other.
    pub const PINNED: u32 = 1 << 19;
    /// One of [`Command::INTERNAL`], whose reply says that everything before it is answered.
    pub(super) const MARK: u32 = 1 << 20;
    /// The four bits that count how often the command was sent to another node.
    const REDIRECTS: u32 = 0b1111 << Self::REDIRECTS_SHIFT;
    const REDIRECTS_SHIFT: u32 = 21;
    /// The most redirects that can be counted.
    pub const MOST_REDIRECTS: u32 = 0b1111;
    /// Set by the caller: the bytes are a whole transaction, `MULTI` to `EXEC`, that is written as
    /// one command and ends with the reply to its last.
    pub const BLOCK: u32 = 1 << 26;
    /// The two bits that count how often the command was written again.
    const TRIES: u32 = 0b11 << Self::TRIES_SHIFT;
    const TRIES_SHIFT: u32 = 28;
    /// The bits that belong to the caller.
    pub const CALLER: u32 =
        ((1 << Self::TRIES_SHIFT) - 1) & !(Self::PINNED | Self::MARK | Self::REDIRECTS);

    /// Whether nobody waits for the reply.
    pub fn is_dead(&self) -> bool {
        self.mode & (Self::DEAD | Self::INTERNAL) != 0
    }

    /// Whether its reply only says that everything before it is answered.
    pub(super) fn is_mark(&self) -> bool {
        let mark = Self::INTERNAL | Self::MARK;
        self.mode & mark == mark
    }

    /// Whether it is a whole transaction.
    pub fn is_block(&self) -> bool {
        self.mode & Self::BLOCK != 0
    }

    /// How often the command was written again.
    pub fn tries(&self) -> u32 {
        (self.mode & Self::TRIES) >> Self::TRIES_SHIFT
    }

    /// How often the command was sent to another node.
    pub fn redirects(&self) -> u32 {
        (self.mode & Self::REDIRECTS) >> Self::REDIRECTS_SHIFT
    }

    fn count_redirect(&mut self) {
        let redirects = (self.redirects() + 1).min(Self::MOST_REDIRECTS);
        self.mode = (self.mode & !Self::REDIRECTS) | (redirects << Self::REDIRECTS_SHIFT);
    }

    pub(super) fn count_try(&mut self) {
        let tries = (self.tries() + 1).min(Self::TRIES >> Self::TRIES_SHIFT);
        self.mode = (self.mode & !Self::TRIES) | (tries << Self::TRIES_SHIFT);
    }
}

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

    /// The same, of the event loop that the [`Outboxes`](crate::outbox::Outboxes) know as `owner`.
    #[must_use]
    pub fn owned_by(mut self, owner: u32) -> Self {
        self.owner = owner;
        self
    }

    /// The same, with one redirect more for each command.
    #[must_use]
    pub fn redirected(mut self) -> Self {
        self.commands.iter_mut().for_each(Command::count_redirect);
        self
    }

    /// The same, as if no command had been sent on yet.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.commands.iter_mut().for_each(|command| command.mode &= !Command::REDIRECTS);
        self
    }

    /// Each command that somebody waits for, alone, in order.
    pub fn singles(&self) -> impl Iterator<Item = Batch> + '_ {
        let live = self.offsets().filter(|(_, command)| !command.is_dead());
        live.map(|(offset, command)| {
            let bytes = self.bytes.slice(offset..offset + command.len as usize);
            Batch::new(bytes, vec![*command], self.submitted).owned_by(self.owner)
        })
    }

    /// The commands of `others` behind those of this batch. They have to be of the same owner and
    /// the same turn.
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

    /// The same, behind ASKING, which lets the next command in where its slot is on the way.
    #[must_use]
    pub fn asking(mut self) -> Self {
        let bytes = [ASKING, &self.bytes].concat();
        self.bytes = Bytes::from(bytes);
        let len = ASKING.len() as u32;
        self.commands.insert(0, Command { id: 0, len, mode: Command::INTERNAL, timeout: 0 });
        self
    }

    /// The same, for this node and no other.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        self.commands.iter_mut().for_each(|command| command.mode |= Command::PINNED);
        self
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

    /// Whose the commands are.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether the batch is there to wait for a connection.
    pub fn is_patient(&self) -> bool {
        self.commands.first().is_some_and(|command| command.mode & Command::PATIENT != 0)
    }

    /// When the batch was handed over.
    pub fn submitted(&self) -> Instant {
        self.submitted
    }

    /// The earliest deadline of a command that somebody still waits for.
    pub fn earliest_deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// The deadline of `command`, which is one of this batch.
    pub fn deadline(&self, command: &Command) -> Option<Instant> {
        deadline(self.submitted, command)
    }

    /// Computes the earliest deadline again, after commands have died; the first `answered` are
    /// done with.
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

/// The deadline of a command submitted at `submitted`.
pub(super) fn deadline(submitted: Instant, command: &Command) -> Option<Instant> {
    (command.timeout != 0).then(|| submitted + millis(command.timeout))
}

const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
