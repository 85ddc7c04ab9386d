//! Tries several addresses of one name until one attempt succeeds (RFC 8305).
//!
//! Owns when the next address gets its turn. An attempt goes as far as its caller takes it, up to
//! the end of the handshake: a server that accepts and stays silent is overtaken as well.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{sleep_until, Instant};

use super::address::ServerAddress;
use super::progress::{ConnectPhase, Progress};
use crate::error::{Error, Result};

/// How a race has ended well.
#[derive(Debug)]
pub struct Won<T> {
    /// What the attempt has brought.
    pub prize: T,
    /// The addresses that were tried before and have neither succeeded nor failed.
    pub overtaken: Vec<ServerAddress>,
}

/// Tries `addresses` in their order. The first attempt that succeeds wins, and the others are
/// dropped. The next address is tried when an attempt has failed, when the latest has no connected
/// socket after [`STAGGER`], and when the latest has not ended after `share`.
///
/// # Errors
///
/// A fatal error at once, because another address of the same name does not help. Else the error of
/// the attempt that failed last.
pub async fn race<T, F>(
    addresses: Vec<ServerAddress>,
    share: Duration,
    progress: &Arc<Progress>,
    attempt: impl Fn(ServerAddress, Arc<Progress>) -> F,
) -> Result<Won<T>>
where
    F: Future<Output = Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut running: Vec<Runner<F>> = Vec::new();
    let mut last = None;
    let mut is_due = true;
    loop {
        if is_due {
            if let Some(address) = waiting.next() {
                let progress = progress.child();
                let run = Box::pin(attempt(address, Arc::clone(&progress)));
                running.push(Runner { address, started: Instant::now(), progress, run });
            }
        }
        let Some(latest) = running.last() else {
            return Err(last.unwrap_or_else(|| Error::usage("a name without an address")));
        };
        let next = latest.started + latest.patience(share);
        tokio::select! {
            biased;
            (at, ended) = First(&mut running) => {
                drop(running.remove(at));
                match ended {
                    Ok(prize) => {
                        let overtaken = running.iter().take(at).map(|runner| runner.address);
                        return Ok(Won { prize, overtaken: overtaken.collect() });
                    }
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(error) => {
                        progress.note(&error);
                        last = Some(error);
                        is_due = true;
                    }
                }
            }
            // The latest may have come further meanwhile, which makes the wait longer.
            () = sleep_until(next), if waiting.len() > 0 => is_due = running.last()
                .is_none_or(|latest| latest.started + latest.patience(share) <= Instant::now()),
        }
    }
}

/// One attempt that is under way.
struct Runner<F> {
    address: ServerAddress,
    started: Instant,
    progress: Arc<Progress>,
    run: Pin<Box<F>>,
}

impl<F> Runner<F> {
    /// How long after its start the next address is tried.
    fn patience(&self, share: Duration) -> Duration {
        match self.progress.phase() {
            ConnectPhase::Dns | ConnectPhase::Tcp => STAGGER.min(share),
            ConnectPhase::Tls | ConnectPhase::Handshake => share,
        }
    }
}

/// The first of several attempts that ends, with its position.
struct First<'a, F>(&'a mut Vec<Runner<F>>);

impl<F: Future> Future for First<'_, F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        for (at, runner) in self.0.iter_mut().enumerate() {
            if let Poll::Ready(ended) = runner.run.as_mut().poll(context) {
                return Poll::Ready((at, ended));
            }
        }
        Poll::Pending
    }
}

/// The delay that RFC 8305 recommends between two attempts to connect a socket.
const STAGGER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Duration = Duration::from_secs(1);

    /// Ports of addresses, in the order in which they are tried.
    async fn tried<F>(
        ports: &[u16],
        attempt: impl Fn(u16, Arc<Progress>) -> F,
    ) -> (Result<(u16, Vec<u16>)>, Duration, Arc<Progress>)
    where
        F: Future<Output = Result<u16>>,
    {
        let address = |port: &u16| ServerAddress::Tcp(([127, 0, 0, 1], *port).into());
        let port = |address: ServerAddress| match address {
            ServerAddress::Tcp(address) => address.port(),
            ServerAddress::Unix => 0,
        };
        let (started, progress) = (Instant::now(), Arc::new(Progress::default()));
        let addresses = ports.iter().map(address).collect();
        let run = |address, progress| attempt(port(address), progress);
        let ended = race(addresses, SHARE, &progress, run).await;
        let ended = ended.map(|won| (won.prize, won.overtaken.into_iter().map(port).collect()));
        (ended, started.elapsed(), progress)
    }

    fn refused(text: &str) -> Error {
        Error::connection("CONNECT", "no").with_cause(Error::connection(text, "no"))
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_without_a_socket_is_overtaken_after_the_stagger() {
        let (ended, took, _) = tried(&[1, 2], |port, progress| async move {
            progress.enter(ConnectPhase::Tcp);
            if port == 1 {
                std::future::pending::<()>().await;
            }
            Ok(port)
        })
        .await;
        assert_eq!((ended.unwrap(), took), ((2, vec![1]), STAGGER));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_accepts_and_stays_silent_is_overtaken_after_its_share() {
        let (ended, took, _) = tried(&[1, 2, 3], |port, progress| async move {
            progress.enter(ConnectPhase::Handshake);
            if port < 3 {
                std::future::pending::<()>().await;
            }
            Ok(port)
        })
        .await;
        assert_eq!((ended.unwrap(), took), ((3, vec![1, 2]), 2 * SHARE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_still_wins_if_the_others_are_slower() {
        let (ended, took, _) = tried(&[1, 2], |port, progress| async move {
            progress.enter(ConnectPhase::Handshake);
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            Ok(port)
        })
        .await;
        assert_eq!((ended.unwrap(), took), ((1, vec![]), Duration::from_millis(1_500)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_address_is_followed_at_once() {
        let (ended, took, progress) = tried(&[1, 2], |port, _| async move {
            if port == 1 {
                return Err(refused("ECONNREFUSED"));
            }
            Ok(port)
        })
        .await;
        assert_eq!((ended.unwrap(), took), ((2, vec![]), Duration::ZERO));
        assert_eq!(progress.failure().unwrap().code(), "ECONNREFUSED");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_password_is_not_tried_at_the_next_address() {
        let (ended, took, _) = tried(&[1, 2], |port, _| async move {
            assert_eq!(port, 1, "the same password at another address");
            Err(Error::connection("AUTH", "no").fatal())
        })
        .await;
        assert_eq!((ended.unwrap_err().code(), took), ("AUTH", Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_addresses_fail_the_last_failure_is_told() {
        let (ended, _, _) = tried(&[1, 2], |port, _| async move {
            Err(refused(if port == 1 { "EHOSTUNREACH" } else { "ECONNREFUSED" }))
        })
        .await;
        assert_eq!(ended.unwrap_err().cause().unwrap().code(), "ECONNREFUSED");
    }
}
