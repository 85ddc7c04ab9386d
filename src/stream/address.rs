//! The addresses of an endpoint, and what a node remembers of them between its connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Where one attempt to connect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAddress {
    /// An address that the host name has.
    Tcp(SocketAddr),
    /// The Unix domain socket that the endpoint names.
    Unix,
}

/// What is known of the addresses of one node's name: how many there are, and which of them led to
/// a server that was of no use.
#[derive(Debug, Default)]
pub struct AddressBook {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// How many addresses the name had when it was looked up last.
    known: usize,
    /// When each address was shunned last.
    shunned: HashMap<SocketAddr, Instant>,
}

impl AddressBook {
    /// Whether the name had more than one address when it was looked up last.
    pub fn has_choice(&self) -> bool {
        self.pages().known > 1
    }

    /// The server at `address` was of no use. For [`SHUNNED`] the others are tried first.
    pub fn shun(&self, address: SocketAddr) {
        let mut pages = self.pages();
        if pages.known > 1 {
            pages.shunned.insert(address, Instant::now());
        }
    }

    /// The addresses that the name has now, in the order in which to try them: those that are not
    /// shunned, then the others, the one that was shunned last behind all.
    pub fn ordered(&self, mut addresses: Vec<ServerAddress>) -> Vec<ServerAddress> {
        let mut pages = self.pages();
        pages.known = addresses.len();
        let now = Instant::now();
        pages.shunned.retain(|_, at| now.saturating_duration_since(*at) < SHUNNED);
        if !pages.shunned.is_empty() {
            // A stable sort: the resolver's order stays where nothing is known.
            addresses.sort_by_key(|address| match address {
                ServerAddress::Tcp(address) => pages.shunned.get(address).copied(),
                ServerAddress::Unix => None,
            });
        }
        addresses
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Each change is one step, so a panic leaves nothing half done.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how long other addresses are tried before one that was of no use: a server that loads its
/// data or hangs needs a minute or so, and a later try costs little.
const SHUNNED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn order(book: &AddressBook, ports: &[u16]) -> Vec<u16> {
        let addresses = ports.iter().map(|port| ServerAddress::Tcp(address(*port))).collect();
        let port = |address: ServerAddress| match address {
            ServerAddress::Tcp(address) => address.port(),
            ServerAddress::Unix => 0,
        };
        book.ordered(addresses).into_iter().map(port).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_shunned_address_is_tried_last_for_a_while() {
        let book = AddressBook::default();
        assert_eq!(order(&book, &[1, 2, 3]), [1, 2, 3]);
        book.shun(address(1));
        assert_eq!(order(&book, &[1, 2, 3]), [2, 3, 1]);
        tokio::time::advance(Duration::from_secs(1)).await;
        book.shun(address(2));
        book.shun(address(3));
        tokio::time::advance(Duration::from_secs(1)).await;
        book.shun(address(3));
        assert_eq!(order(&book, &[1, 2, 3]), [1, 2, 3], "all of them are shunned");
        assert_eq!(order(&book, &[3, 2, 1]), [1, 2, 3]);
        tokio::time::advance(SHUNNED).await;
        assert_eq!(order(&book, &[3, 2, 1]), [3, 2, 1]);
    }

    #[test]
    fn the_only_address_is_never_shunned() {
        let book = AddressBook::default();
        assert_eq!(order(&book, &[1]), [1]);
        book.shun(address(1));
        assert!(!book.has_choice());
        assert_eq!(order(&book, &[1, 2]), [1, 2]);
        assert!(book.has_choice());
    }
}
