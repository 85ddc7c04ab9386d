//! Random histories with several nodes: each node ends up with what is wanted of it, and every
//! ticket is settled once.

use proptest::collection::vec;
use proptest::prelude::*;

use super::many_nodes::{ManyNodes, FEEDS};
use super::*;
use Topic::{Channel, Pattern, ShardChannel};

#[derive(Debug, Clone)]
enum HomesStep {
    Want(usize, u8),
    Unwant(usize, u8),
    Write(u32),
    Answer(u32),
    Cut(u32),
    Connect(u32),
    /// A slot moves; the caller hears of it first if `true`.
    Migrate(usize, u32, bool),
    /// The caller hears that a node has a slot which another one has.
    Lie(usize, u32),
    /// Channels move to another node.
    Move(u32),
    /// The names that were put off are placed.
    Recall,
}

const NAMES: [&str; 4] = ["a", "b", "{a}c", "d"];
const TOPICS: [Topic; 3] = [Channel, Pattern, ShardChannel];

fn step() -> impl Strategy<Value = HomesStep> {
    let feed = || 1..4u32;
    prop_oneof![
        5 => (0..3usize, 1..16u8).prop_map(|(topic, names)| HomesStep::Want(topic, names)),
        4 => (0..3usize, 1..16u8).prop_map(|(topic, names)| HomesStep::Unwant(topic, names)),
        8 => feed().prop_map(HomesStep::Write),
        9 => feed().prop_map(HomesStep::Answer),
        1 => feed().prop_map(HomesStep::Cut),
        4 => feed().prop_map(HomesStep::Connect),
        3 => (0..4usize, feed(), any::<bool>())
            .prop_map(|(name, to, is_known)| HomesStep::Migrate(name, to, is_known)),
        1 => (0..4usize, feed()).prop_map(|(name, to)| HomesStep::Lie(name, to)),
        1 => feed().prop_map(HomesStep::Move),
        2 => Just(HomesStep::Recall),
    ]
}

fn chosen(bits: u8) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| *name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_node_ends_up_with_what_is_wanted_of_it(steps in vec(step(), 1..80)) {
        let mut nodes = ManyNodes::new();
        let mut wanted: BTreeSet<(u8, String)> = BTreeSet::new();
        let mut tickets = 0;
        for step in steps {
            match step {
                HomesStep::Want(topic, names) => {
                    tickets += 1;
                    let names = chosen(names);
                    nodes.want(tickets, TOPICS[topic], &names);
                    wanted.extend(names.iter().map(|name| (topic as u8, name.to_string())));
                }
                HomesStep::Unwant(topic, names) => {
                    tickets += 1;
                    let names = chosen(names);
                    nodes.unwant(tickets, TOPICS[topic], &names);
                    wanted.retain(|(of, name)| *of != topic as u8 || !names.contains(&&**name));
                }
                HomesStep::Write(feed) => nodes.write(feed),
                HomesStep::Answer(feed) => drop(nodes.answer(feed)),
                HomesStep::Cut(feed) => nodes.cut(feed),
                HomesStep::Connect(feed) => nodes.connect(feed),
                HomesStep::Migrate(name, to, is_known) => {
                    if is_known {
                        nodes.believe(NAMES[name], to);
                    }
                    nodes.migrate(NAMES[name], to);
                }
                HomesStep::Lie(name, to) => nodes.believe(NAMES[name], to),
                HomesStep::Move(to) => nodes.move_channels(to),
                HomesStep::Recall => {
                    nodes.ledger.recall();
                    nodes.arrange();
                }
            }
            prop_assert_eq!(nodes.ledger.subscriptions(), wanted.len());
            let placed: usize = FEEDS.iter().filter(|feed| nodes.ledger.is_wanted(**feed)).count();
            prop_assert!(placed == 0 || !wanted.is_empty());
        }
        // From here on the caller knows where every slot is, and every node answers.
        for name in NAMES {
            let owner = nodes.owner(name.as_bytes());
            nodes.believe(name, owner);
        }
        FEEDS.into_iter().for_each(|feed| nodes.connect(feed));
        nodes.settle_down();
        nodes.ledger.recall();
        nodes.arrange();
        nodes.settle_down();
        nodes.ledger.recall();
        nodes.arrange();
        nodes.settle_down();
        for (topic, name) in &wanted {
            let home = if *topic == 2 { nodes.owner(name.as_bytes()) } else { nodes.common };
            let is_subscribed = nodes.nodes[&home].subscribed.contains(&(*topic, name.clone()));
            prop_assert!(is_subscribed, "{} {}", topic, name);
        }
        prop_assert_eq!(nodes.settled.len(), tickets as usize);
        for feed in FEEDS {
            prop_assert_eq!(nodes.ledger.oldest(feed), None);
        }
        // All nodes send a message of each shard channel, and one of them is passed on.
        for name in NAMES {
            let is_wanted = wanted.contains(&(2, name.to_string()));
            let heard: usize = FEEDS.iter().map(|feed| nodes.message(*feed, name)).sum();
            prop_assert_eq!(heard, usize::from(is_wanted));
        }
    }
}
