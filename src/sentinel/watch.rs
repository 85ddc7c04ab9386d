//! Listens to one sentinel, so that a failover is known as soon as it is over.
//!
//! Owns one connection, which is replaced by one to another sentinel when it is lost. What is heard
//! decides nothing by itself: it makes the router look around, and only the answers of a look
//! count. So an announcement that is lost costs some time, and a false one costs a look.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until, timeout, Instant};

use super::announcement::{Announcement, Echoes, CHANNELS};
use super::panel::Panel;
use super::{silent, CONNECT_TRIES};
use crate::backoff;
use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::pool::{Lease, Pool};
use crate::resp::encode;

/// Listens until it is aborted.
pub(super) async fn watch(panel: Arc<Panel>) {
    let mut failures = 0;
    let mut last = None;
    loop {
        let endpoint = panel.choose(last.as_ref());
        let Err(_) = listen(&panel, &endpoint, &mut failures).await;
        panel.discard(&endpoint);
        if panel.note_watched(None) {
            // What was announced while nobody listened may have been a failover.
            panel.prompt(false);
        }
        last = Some(endpoint);
        failures += 1;
        sleep(backoff::full_jitter(BASE, CAP, failures - 1, backoff::random())).await;
    }
}

/// Listens to the sentinel at `endpoint` until its connection is lost; `failures` is set to 0 once
/// it is listened to.
async fn listen(panel: &Panel, endpoint: &Endpoint, failures: &mut u32) -> Result<Infallible> {
    let budget = panel.options.socket.connect_timeout;
    let pool = panel.pool(endpoint)?;
    let mut lease = timeout(budget, subscribed(&pool)).await.map_err(|_| silent())??;
    *failures = 0;
    panel.note_watched(Some(endpoint));
    // What was announced before this was not heard.
    panel.prompt(false);
    let stream = Arc::clone(&lease.stream);
    let (mut heard, mut pinged) = (Instant::now(), false);
    let mut reasons = Reasons::default();
    loop {
        while let Some(frames) = lease.reader.decode()? {
            for root in frames.replies.iter().chain(&frames.pushes) {
                let announcement = Announcement::read(&frames, *root);
                if let Some(news) = announcement.filter(|news| news.concerns(&panel.name)) {
                    reasons.hear(&news, panel);
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
            () = reasons.echoes.next() => {
                reasons.echoes.passed();
                panel.prompt(false);
            }
            () = sleep(ALARMED), if reasons.is_alarmed() => panel.prompt(false),
            () = sleep_until(due) => {
                if pinged {
                    return Err(silent());
                }
                pinged = true;
                // Nothing else is ever written, so the socket's buffer has room for a PING. If it
                // takes less, the connection is not usable any more.
                if stream.try_write(PING)? < PING.len() {
                    return Err(lost());
                }
                stream.try_flush()?;
            }
        }
    }
}

/// A connection that is subscribed to all channels. It does not go back to its pool.
async fn subscribed(pool: &Pool) -> Result<Lease> {
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

/// Why the router is to look around, as far as announcements say.
#[derive(Default)]
struct Reasons {
    echoes: Echoes,
    /// When the last look began that an announcement was the reason for.
    prompted: Option<Instant>,
    /// Until when the primary counts as down.
    alarm: Option<Instant>,
}

impl Reasons {
    fn hear(&mut self, news: &Announcement, panel: &Panel) {
        let now = Instant::now();
        if news.is_about_primary() {
            // Another sentinel may lead the failover and know of its end before this one, so the
            // router looks around again and again until then.
            self.alarm = news.is_down().then(|| now + ALARM);
        }
        let is_apart = self.prompted.is_none_or(|at| at + APART <= now);
        if is_apart || (news.is_switch() && self.echoes.is_over()) {
            self.prompted = Some(now);
            panel.prompt(news.is_switch());
        }
        if news.is_switch() {
            self.echoes = Echoes::after(now);
        }
    }

    fn is_alarmed(&self) -> bool {
        self.alarm.is_some_and(|until| until > Instant::now())
    }
}

impl Panel {
    /// The sentinel to listen to next: one that named the right primary last time, and not `last`,
    /// if there is another.
    fn choose(&self, last: Option<&Endpoint>) -> Endpoint {
        let roster = self.lock();
        let order = roster.circle.order(backoff::random);
        let is_other = |name: &&Endpoint| Some(*name) != last;
        let trusted = order.iter().filter(|name| roster.trusted.contains(name)).find(is_other);
        let chosen = trusted.or_else(|| order.iter().find(is_other)).or(order.first());
        // The options name at least one sentinel, which stays in the circle for good.
        chosen.cloned().unwrap_or_default()
    }

    /// Notes which sentinel is listened to, and tells the application; false if it is the same.
    fn note_watched(&self, endpoint: Option<&Endpoint>) -> bool {
        let mut roster = self.lock();
        if roster.watched.as_ref() == endpoint {
            return false;
        }
        roster.watched = endpoint.cloned();
        let prompt = roster.prompt.clone();
        drop(roster);
        if let Some(prompt) = prompt.filter(|_| endpoint.is_some()) {
            prompt.tell();
        }
        true
    }

    /// Makes the router look around. `is_switch`: there is a new primary, so a look that goes on
    /// begins again.
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

fn lost() -> Error {
    Error::connection("CONNECTION_LOST", "the sentinel has closed the connection").retryable()
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// The least time between two looks because of announcements, so that a sentinel that announces
/// without end does not keep all servers busy.
const APART: Duration = Duration::from_millis(100);
/// While the primary is down, the router looks around this often, and for [`ALARM`] at most: a
/// failover takes some seconds, and is tried again only after minutes.
const ALARMED: Duration = Duration::from_millis(400);
const ALARM: Duration = Duration::from_secs(30);
/// After so much silence a PING is written, whose answer may take as long. The look that follows a
/// loss finds out what was not heard.
const SILENCE: Duration = Duration::from_secs(3);
/// The pause after a sentinel that could not be listened to: random, up to 50 ms the first time,
/// doubled up to 2 s. The first tries are quick, because another sentinel can nearly always be
/// listened to; later ones cost next to nothing.
const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(2);
