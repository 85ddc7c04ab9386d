//! Random histories of local names: each primary ends up with what is wanted, other nodes with
//! nothing, every ticket is settled once, and nothing is heard from a node that is no primary.

use proptest::collection::vec;
use proptest::prelude::*;

use super::many_nodes::{ManyNodes, FEEDS};
use super::*;
use Topic::{Channel, Pattern};

const NAMES: [(Topic, &str); 4] = [
    (Pattern, "__keyspace@0__:*"),
    (Pattern, "__key*"),
    (Channel, "__keyevent@0__:set"),
    (Channel, "news"),
];

#[derive(Debug, Clone)]
enum LocalStep {
    Want(usize),
    Unwant(usize),
    Write(u32),
    Answer(u32),
    Cut(u32),
    Connect(u32),
    /// The primaries, by the bits of a number.
    Spread(u8),
    /// A node starts or stops refusing a name.
    Forbid(u32, bool),
    /// Time passes.
    Pass(u64),
}

fn step() -> impl Strategy<Value = LocalStep> {
    let feed = || 1..4u32;
    prop_oneof![
        5 => (0..4usize).prop_map(LocalStep::Want),
        3 => (0..4usize).prop_map(LocalStep::Unwant),
        8 => feed().prop_map(LocalStep::Write),
        9 => feed().prop_map(LocalStep::Answer),
        1 => feed().prop_map(LocalStep::Cut),
        4 => feed().prop_map(LocalStep::Connect),
        3 => (1..8u8).prop_map(LocalStep::Spread),
        1 => (feed(), any::<bool>()).prop_map(|(feed, is)| LocalStep::Forbid(feed, is)),
        1 => (1..200u64).prop_map(LocalStep::Pass),
    ]
}

fn chosen(bits: u8) -> Vec<u32> {
    FEEDS.into_iter().filter(|feed| bits >> (feed - 1) & 1 == 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_primary_ends_up_with_what_is_wanted(steps in vec(step(), 1..80)) {
        let mut nodes = ManyNodes::new();
        let mut wanted = BTreeSet::new();
        let mut tickets = 0;
        for step in steps {
            match step {
                LocalStep::Want(name) => {
                    tickets += 1;
                    nodes.want(tickets, NAMES[name].0, &[NAMES[name].1]);
                    wanted.insert(name);
                }
                LocalStep::Unwant(name) => {
                    tickets += 1;
                    nodes.unwant(tickets, NAMES[name].0, &[NAMES[name].1]);
                    wanted.remove(&name);
                }
                LocalStep::Write(feed) => nodes.write(feed),
                LocalStep::Answer(feed) => drop(nodes.answer(feed)),
                LocalStep::Cut(feed) => nodes.cut(feed),
                LocalStep::Connect(feed) => nodes.connect(feed),
                LocalStep::Spread(bits) => {
                    nodes.primaries = chosen(bits);
                    nodes.arrange();
                }
                LocalStep::Forbid(feed, is_forbidden) => {
                    let forbidden = &mut nodes.nodes.get_mut(&feed).unwrap().forbidden;
                    forbidden.clear();
                    forbidden.extend(is_forbidden.then(|| NAMES[0].1.to_owned()));
                }
                LocalStep::Pass(ms) => nodes.now += Duration::from_millis(ms),
            }
            prop_assert_eq!(nodes.ledger.subscriptions(), wanted.len());
            for feed in FEEDS {
                // Whatever a server still sends.
                let heard = nodes.notification(feed);
                let is_primary = nodes.primaries.contains(&feed);
                prop_assert!(heard == 0 || (is_primary && wanted.contains(&0)), "feed {}", feed);
            }
        }
        if nodes.primaries.is_empty() {
            nodes.primaries = vec![2, 3];
        }
        // Fresh connections to servers that allow everything.
        for feed in FEEDS {
            nodes.nodes.get_mut(&feed).unwrap().forbidden.clear();
            nodes.cut(feed);
            nodes.connect(feed);
        }
        nodes.settle_down();
        for feed in FEEDS {
            for (index, (topic, name)) in NAMES.iter().enumerate() {
                let is_home = if index == 3 { feed == 1 } else { nodes.primaries.contains(&feed) };
                let key = (*topic as u8, (*name).to_owned());
                let is_subscribed = nodes.nodes[&feed].subscribed.contains(&key);
                let is_expected = is_home && wanted.contains(&index);
                prop_assert_eq!(is_subscribed, is_expected, "{} on feed {}", name, feed);
            }
            prop_assert_eq!(nodes.ledger.oldest(feed), None);
        }
        prop_assert_eq!(nodes.settled.len(), tickets as usize);
        // What all nodes send is heard once.
        nodes.now += Duration::from_secs(1);
        let other: usize =
            FEEDS.iter().map(|feed| nodes.pattern_message(*feed, "__key*", "__keys")).sum();
        prop_assert_eq!(other, usize::from(wanted.contains(&1)));
        // No gap stays open.
        let _ = nodes.ledger.take_reports(nodes.now);
        FEEDS.into_iter().for_each(|feed| nodes.cut(feed));
        FEEDS.into_iter().for_each(|feed| nodes.connect(feed));
        nodes.settle_down();
        let again: u32 = nodes.ledger.take_reports(nodes.now).iter()
            .map(|gap| gap.channels + gap.patterns).sum();
        prop_assert_eq!(again as usize, wanted.len());
    }
}
