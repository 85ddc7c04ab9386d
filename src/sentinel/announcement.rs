//! What a sentinel announces to its subscribers, and which looks around that is a reason for.
//!
//! Pure: frames and instants in, verdicts out.
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#pubsub-messages>

use std::time::Duration;

use tokio::time::{sleep_until, Instant};

use crate::resp::Frames;

/// The channels that are listened to; node-redis listens to the same.
pub(super) const CHANNELS: [&str; 9] = [
    SWITCH,
    "+slave",
    "+slave-reconf-done",
    "+convert-to-slave",
    "+sdown",
    "-sdown",
    "+odown",
    "-odown",
    "+sentinel",
];
const SWITCH: &str = "+switch-master";

/// One announcement.
pub(super) struct Announcement {
    channel: String,
    text: String,
}

impl Announcement {
    /// Reads `[message, channel, text]`; None if it is something else.
    pub(super) fn read(frames: &Frames, root: u32) -> Option<Self> {
        let mut words = frames.children(root).map(|at| {
            let node = frames.tape.get(at as usize);
            let bytes = node.map(|node| frames.text(node)).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        });
        let is_message = words.next().as_deref() == Some("message");
        let (channel, text) = (words.next()?, words.next()?);
        is_message.then_some(Self { channel, text })
    }

    /// Whether it is about the primary `name`, its replicas or its sentinels. The text is
    /// `<name> ...` for a new primary, `master <name> ...` or `<kind> ... @ <name> ...` otherwise.
    pub(super) fn concerns(&self, name: &str) -> bool {
        let mut words = self.text.split(' ');
        let first = words.next();
        let second = words.next();
        if first == Some(name) || (first == Some("master") && second == Some(name)) {
            return true;
        }
        words.find(|word| *word == "@").is_some() && words.next() == Some(name)
    }

    /// Whether there is a new primary.
    pub(super) fn is_switch(&self) -> bool {
        self.channel == SWITCH
    }

    /// Whether it is about the primary itself.
    pub(super) fn is_about_primary(&self) -> bool {
        self.is_switch() || self.text.starts_with("master ")
    }

    /// Whether a server does not answer the sentinel any more.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.channel.as_str(), "+sdown" | "+odown")
    }
}

/// The looks that follow the announcement of a new primary. The other sentinels hear of it from the
/// first one within two seconds, by its hello messages, so one look right away is too early for
/// some.
#[derive(Default)]
pub(super) struct Echoes {
    left: u32,
    at: Option<Instant>,
    pause: Duration,
}

impl Echoes {
    /// The looks after an announcement at `now`.
    pub(super) fn after(now: Instant) -> Self {
        Self { left: ECHOES, at: Some(now + FIRST_ECHO), pause: FIRST_ECHO }
    }

    /// Whether none is left.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Waits for the next one; for ever if none is left.
    pub(super) async fn next(&self) {
        match self.at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// One was made: the next one comes after twice the pause.
    pub(super) fn passed(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.pause *= 2;
        self.at = self.at.filter(|_| self.left > 0).map(|at| at + self.pause);
    }
}

/// Four looks, 300 ms, 0.9 s, 2.1 s and 4.5 s after the announcement: they cover the two seconds of
/// the hello messages more than once.
const ECHOES: u32 = 4;
const FIRST_ECHO: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_says_which_primary_it_concerns() {
        let concerns = |text: &str, name: &str| {
            let (channel, text) = (SWITCH.to_owned(), text.to_owned());
            Announcement { channel, text }.concerns(name)
        };
        for text in [
            "mine 127.0.0.1 6379 127.0.0.2 6379",
            "master mine 127.0.0.1 6379 #quorum 2/2",
            "slave 127.0.0.2:6379 127.0.0.2 6379 @ mine 127.0.0.1 6379",
            "sentinel 1f 127.0.0.3 26379 @ mine 127.0.0.1 6379",
        ] {
            assert!(concerns(text, "mine"), "{text}");
            assert!(!concerns(text, "other"), "{text}");
        }
        assert!(!concerns("", "mine"));
    }

    #[test]
    fn a_new_primary_is_followed_by_a_few_looks() {
        let now = Instant::now();
        let mut echoes = Echoes::after(now);
        let mut after = Vec::new();
        while let Some(at) = echoes.at {
            after.push((at - now).as_millis());
            echoes.passed();
        }
        assert_eq!(after, [300, 900, 2100, 4500]);
        assert!(echoes.is_over());
    }
}
