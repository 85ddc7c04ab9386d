//! What a lane knows of one command besides its bytes.

/// One command of a [`Batch`](super::Batch). It takes 16 bytes, because a million of them may be in
/// flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// The number by which the caller knows the command.
    pub id: u32,
    /// Length of the encoded command in bytes.
    pub len: u32,
    /// How the caller wants the reply decoded (the lane never looks at that), and on top of it the
    /// lane's own bits.
    pub mode: u32,
    /// Deadline in milliseconds after the batch was submitted; 0 means none.
    pub timeout: u32,
}

impl Command {
    /// The caller has gone: the reply is read and thrown away.
    pub const DEAD: u32 = 1 << 31;
    /// The lane itself has sent the command (a health check, for example); nobody waits for it.
    pub const INTERNAL: u32 = 1 << 30;
    /// Set by the caller: the command waits for a connection even where others are refused
    /// (`disableOfflineQueue`).
    pub const PATIENT: u32 = 1 << 27;
    /// Set by the caller: the bytes are a whole transaction, `MULTI` to `EXEC`, which is written as
    /// one command and ends with the reply to its last part.
    pub const BLOCK: u32 = 1 << 26;
    /// Set by the caller: the command changes the connection for everybody who shares the lane, as
    /// SELECT does. Once it has succeeded, later connections begin with it.
    pub const LASTS: u32 = 1 << 25;
    /// Set by the caller: a WATCH or an UNWATCH on a lane.
    pub const WATCHES: u32 = 1 << 17;
    /// Set by the caller: the command is part of a chain that writes, so that no replica may serve
    /// it. Lanes do not look at it.
    pub const PRIMARY: u32 = 1 << 18;
    /// Set by a client of several nodes: the command is for this node and no other.
    pub const PINNED: u32 = 1 << 19;
    /// The most redirects that can be counted.
    pub const MOST_REDIRECTS: u32 = 0b1111;
    /// The bits that belong to the caller.
    pub const CALLER: u32 =
        ((1 << Self::TRIES_SHIFT) - 1) & !(Self::PINNED | Self::MARK | Self::REDIRECTS);

    /// One of [`Command::INTERNAL`], whose reply says that everything before it is answered.
    pub(super) const MARK: u32 = 1 << 20;
    /// The four bits that count how often the command was sent to another node.
    const REDIRECTS: u32 = 0b1111 << Self::REDIRECTS_SHIFT;
    const REDIRECTS_SHIFT: u32 = 21;
    /// The two bits that count how often the command was written again.
    const TRIES: u32 = 0b11 << Self::TRIES_SHIFT;
    const TRIES_SHIFT: u32 = 28;

    /// Whether nobody waits for the reply.
    pub fn is_dead(&self) -> bool {
        self.mode & (Self::DEAD | Self::INTERNAL) != 0
    }

    /// Whether its reply only says that everything before it is answered.
    pub(super) fn is_mark(&self) -> bool {
        let mark = Self::INTERNAL | Self::MARK;
        self.mode & mark == mark
    }

    /// Whether it watches keys, or ends that.
    pub(super) fn watches(&self) -> bool {
        self.mode & Self::WATCHES != 0
    }

    /// Whether it is left out if it was not written when its caller has gone. A WATCH stays, since
    /// a transaction behind it may rely on it.
    pub(super) fn is_swept(&self) -> bool {
        self.mode & Self::DEAD != 0 && !self.watches()
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

    pub(super) fn count_redirect(&mut self) {
        let redirects = (self.redirects() + 1).min(Self::MOST_REDIRECTS);
        self.mode = (self.mode & !Self::REDIRECTS) | (redirects << Self::REDIRECTS_SHIFT);
    }

    pub(super) fn forget_redirects(&mut self) {
        self.mode &= !Self::REDIRECTS;
    }

    pub(super) fn count_try(&mut self) {
        let tries = (self.tries() + 1).min(Self::TRIES >> Self::TRIES_SHIFT);
        self.mode = (self.mode & !Self::TRIES) | (tries << Self::TRIES_SHIFT);
    }
}
