//! Listens to one sentinel, so that a failover is known as soon as it is over.
//!
//! Owns one connection, which is replaced by one to another sentinel when it is lost. What is heard
//! decides nothing: it makes the router look around, and all that counts is asked for then. So an
//! announcement that is lost costs time only, and a false one a look.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until, timeout, Instant};

use super::{silent, Inner, CONNECT_TRIES};
use crate::backoff;
use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::pool::Lease;
use crate::resp::encode;

/// What is listened to; node-redis has the same.
const CHANNELS: [&str; 9] = [
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
/// After a switch it is looked again that often, each time after twice as long: the other sentinels
/// hear of it from the first one, within two seconds (its hello messages).
const ECHOES: u32 = 4;
const FIRST_ECHO: Duration = Duration::from_millis(300);
/// The least time between two looks because of something heard, so that a sentinel that talks
/// without end does not keep everybody busy.
const APART: Duration = Duration::from_millis(100);
/// While the primary is down, it is looked that often, and for so long at most: a failover takes
/// some seconds, and is tried again after minutes.
const ALARMED: Duration = Duration::from_millis(400);
const ALARM: Duration = Duration::from_secs(30);
/// Silence after which a PING goes out, and how long its answer may take. What is missed meanwhile
/// is made good by the next look.
const SILENCE: Duration = Duration::from_secs(3);
/// Between two sentinels of which neither could be listened to: 50 ms, doubled up to 2 s
/// (reliability P6).
const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(2);

/// Listens until it is aborted.
pub(super) async fn watch(inner: Arc<Inner>) {
    let mut failures = 0;
    let mut last = None;
    loop {
        let endpoint = inner.choose(last.as_ref());
        let Err(_) = listen(&inner, &endpoint, &mut failures).await;
        inner.discard(&endpoint);
        if inner.watches(None) {
            // Something is wrong, and what was not heard may be what matters.
            inner.prompt(false);
        }
        last = Some(endpoint);
        failures += 1;
        sleep(backoff::full_jitter(BASE, CAP, failures - 1, backoff::random())).await;
    }
}

async fn listen(inner: &Inner, endpoint: &Endpoint, failures: &mut u32) -> Result<Infallible> {
    let budget = inner.options.socket.connect_timeout;
    let pool = inner.pool(endpoint)?;
    let mut lease = timeout(budget, subscribed(&pool)).await.map_err(|_| silent())??;
    *failures = 0;
    inner.watches(Some(endpoint));
    // What happened before this is not heard any more.
    inner.prompt(false);
    let stream = Arc::clone(&lease.stream);
    let (mut heard, mut pinged) = (Instant::now(), false);
    let mut echoes = Echoes::default();
    let mut prompted = None;
    let mut alarm = None;
    loop {
        while let Some(frames) = lease.reader.decode()? {
            for root in frames.replies.iter().chain(&frames.pushes) {
                let mut words = frames.children(*root).map(|at| {
                    let node = frames.tape.get(at as usize);
                    let bytes = node.map(|node| frames.text(node)).unwrap_or_default();
                    String::from_utf8_lossy(bytes).into_owned()
                });
                let (kind, channel, text) = (words.next(), words.next(), words.next());
                if kind.as_deref() != Some("message") {
                    continue;
                }
                if !text.as_ref().is_some_and(|text| concerns(text, &inner.name)) {
                    continue;
                }
                let is_switch = channel.as_deref() == Some(SWITCH);
                if is_switch || text.is_some_and(|text| text.starts_with("master ")) {
                    // Another sentinel may lead the failover, and know of its end before this one.
                    let is_down = matches!(channel.as_deref(), Some("+sdown" | "+odown"));
                    alarm = is_down.then(|| Instant::now() + ALARM);
                }
                let now = Instant::now();
                if prompted.is_none_or(|at| at + APART <= now) || (is_switch && echoes.is_over()) {
                    prompted = Some(now);
                    inner.prompt(is_switch);
                }
                if is_switch {
                    echoes = Echoes::after(now);
                }
            }
        }
        let due = heard + if pinged { SILENCE * 2 } else { SILENCE };
        tokio::select! {
            ready = stream.readable() => {
                ready?;
                match lease.reader.fill(&stream) {
                    Ok(0) => return Err(lost()),
                    Ok(_) => (heard, pinged) = (Instant::now(), false),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.into()),
                }
            }
            () = echoes.next() => {
                echoes.passed();
                inner.prompt(false);
            }
            () = sleep(ALARMED), if alarm.is_some_and(|until| until > Instant::now()) => {
                inner.prompt(false);
            }
            () = sleep_until(due) => {
                if pinged {
                    return Err(silent());
                }
                pinged = true;
                // Far less than a socket's buffer, and nothing else is ever written.
                if stream.try_write(PING)? < PING.len() {
                    return Err(lost());
                }
                stream.try_flush()?;
            }
        }
    }
}

/// A connection that is subscribed to everything. Nobody else gets it afterwards.
async fn subscribed(pool: &crate::pool::Pool) -> Result<Lease> {
    let mut lease = pool.impatient_lease(CONNECT_TRIES).await?;
    let mut words: Vec<&[u8]> = vec![b"SUBSCRIBE"];
    words.extend(CHANNELS.iter().map(|channel| channel.as_bytes()));
    let mut subscribe = Vec::new();
    encode::command(&mut subscribe, &words);
    let answers = lease.exchange(&subscribe, CHANNELS.len()).await;
    lease.mark_broken();
    if answers?.iter().any(|frames| frames.is_error()) {
        let text = "the sentinel does not let this login subscribe";
        return Err(Error::connection("DENIED", text));
    }
    Ok(lease)
}

/// Whether an announcement is about the primary `name` or about what belongs to it:
/// `<name> ...` for a switch, `master <name> ...`, or `<kind> ... @ <name> ...`.
fn concerns(text: &str, name: &str) -> bool {
    let mut words = text.split(' ');
    let first = words.next();
    let second = words.next();
    if first == Some(name) || (first == Some("master") && second == Some(name)) {
        return true;
    }
    words.find(|word| *word == "@").is_some() && words.next() == Some(name)
}

/// The looks that follow a switch.
#[derive(Default)]
struct Echoes {
    left: u32,
    at: Option<Instant>,
    pause: Duration,
}

impl Echoes {
    fn after(now: Instant) -> Self {
        Self { left: ECHOES, at: Some(now + FIRST_ECHO), pause: FIRST_ECHO }
    }

    fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Waits for the next one; for ever if there is none.
    async fn next(&self) {
        match self.at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn passed(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.pause *= 2;
        self.at = self.at.filter(|_| self.left > 0).map(|at| at + self.pause);
    }
}

impl Inner {
    /// One that was right last time, but not `last`, if there is another.
    fn choose(&self, last: Option<&Endpoint>) -> Endpoint {
        let state = self.lock();
        let order = state.circle.order(backoff::random);
        let is_other = |name: &&Endpoint| Some(*name) != last;
        let trusted = order.iter().filter(|name| state.trusted.contains(name)).find(is_other);
        let chosen = trusted.or_else(|| order.iter().find(is_other)).or(order.first());
        // There is at least one that was given.
        chosen.cloned().unwrap_or_default()
    }

    /// Notes who is listened to, and tells the application; false if nothing has changed.
    fn watches(&self, endpoint: Option<&Endpoint>) -> bool {
        let mut state = self.lock();
        if state.watched.as_ref() == endpoint {
            return false;
        }
        state.watched = endpoint.cloned();
        let prompt = state.prompt.clone();
        drop(state);
        if let Some(prompt) = prompt.filter(|_| endpoint.is_some()) {
            prompt.tell();
        }
        true
    }

    /// Makes the router look; `is_switch`: also one that looks already begins again.
    fn prompt(&self, is_switch: bool) {
        if is_switch {
            self.news.notify_waiters();
        }
        let prompt = self.lock().prompt.clone();
        if let Some(prompt) = prompt {
            prompt.look();
        }
    }
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

fn lost() -> Error {
    Error::connection("CONNECTION_LOST", "the sentinel has closed the connection").retryable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_says_whom_it_concerns() {
        for text in [
            "mine 10.0.0.1 6379 10.0.0.2 6379",
            "master mine 10.0.0.1 6379 #quorum 2/2",
            "slave 10.0.0.2:6379 10.0.0.2 6379 @ mine 10.0.0.1 6379",
            "sentinel 1f 10.0.0.3 26379 @ mine 10.0.0.1 6379",
        ] {
            assert!(concerns(text, "mine"), "{text}");
            assert!(!concerns(text, "other"), "{text}");
        }
        assert!(!concerns("", "mine"));
    }

    #[test]
    fn a_switch_is_followed_by_a_few_looks() {
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
