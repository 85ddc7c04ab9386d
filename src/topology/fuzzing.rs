//! The harness of the fuzz target `redirect`.

use super::is_plain;
use super::redirect::{Redirect, RedirectTarget};
use super::table::{Places, Table};
use crate::command::slot::SLOTS;
use crate::error::Error;
use crate::options::Endpoint;

/// Reads each line of `text` as a node's refusal, and gives the slot that it names to the node that
/// it names.
///
/// # Panics
///
/// If a redirect leads to an address that is none, or a slot gets another owner than the last one
/// that was named.
pub fn refusals(text: &[u8]) {
    let from = Endpoint::tcp("127.0.0.1", 7000);
    let mut table = Table::default();
    table.add(Places { primary: 0, replicas: vec![1, 2] }, [0..=SLOTS - 1]);
    for line in text.split(|byte| *byte == b'\n') {
        let refusal = Error::reply(String::from_utf8_lossy(line));
        let (Redirect::Moved(target) | Redirect::Ask(target)) = Redirect::read(&refusal) else {
            continue;
        };
        if target == RedirectTarget::Unknown {
            assert_eq!(target.seen_from(&from), None);
            continue;
        }
        let Some(Endpoint::Tcp { host, port }) = target.seen_from(&from) else {
            panic!("no address: {}", refusal.message());
        };
        assert!(is_plain(&host) && port != 0, "{host}:{port}");
        let slot = refusal.message().split(' ').nth(1).and_then(|slot| slot.parse().ok());
        let Some(slot) = slot else { panic!("no slot: {}", refusal.message()) };
        let place = u32::from(port % 8);
        table.move_slot(slot, place);
        assert_eq!(table.primary(slot), Some(place));
    }
    let mut served = table.ranges().into_iter().flatten().collect::<Vec<_>>();
    served.sort_unstable();
    let count: usize = served.iter().map(|(first, last)| usize::from(last - first) + 1).sum();
    assert_eq!(count, usize::from(SLOTS), "every slot has one owner");
}

#[cfg(test)]
mod tests {
    #[test]
    fn refusals_near_the_seeds_lead_to_addresses_or_nowhere() {
        crate::resp::fuzzing::try_seeds("redirect", super::refusals);
    }
}
