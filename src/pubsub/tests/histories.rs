//! Random histories: whatever happens in whatever order, the server ends up with what is wanted,
//! and every ticket is settled once.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["a", "b", "c", "no"];
const TOPICS: [Topic; 3] = [Topic::Channel, Topic::Pattern, Topic::ShardChannel];

#[derive(Debug, Clone)]
enum SubscriberStep {
    /// Names by the bits of a number.
    Want(usize, u8),
    Unwant(usize, u8),
    Write,
    Answer,
    Cut,
    Connect,
    /// The server ends a shard channel's subscription by itself.
    Move(usize),
    /// The server starts or stops refusing a name.
    Forbid(bool),
}

fn step() -> impl Strategy<Value = SubscriberStep> {
    prop_oneof![
        5 => (0..3usize, 1..16u8).prop_map(|(topic, names)| SubscriberStep::Want(topic, names)),
        4 => (0..3usize, 1..16u8).prop_map(|(topic, names)| SubscriberStep::Unwant(topic, names)),
        6 => Just(SubscriberStep::Write),
        8 => Just(SubscriberStep::Answer),
        1 => Just(SubscriberStep::Cut),
        2 => Just(SubscriberStep::Connect),
        1 => (0..4usize).prop_map(SubscriberStep::Move),
        1 => any::<bool>().prop_map(SubscriberStep::Forbid),
    ]
}

fn chosen(bits: u8) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| *name).collect()
}

/// A ledger with its server, and what the steps so far have asked for.
struct History {
    scene: Scene,
    wanted: BTreeSet<(u8, String)>,
    tickets: u32,
    is_connected: bool,
}

impl History {
    fn new(mark: char) -> Self {
        let scene = Scene::new(mark);
        Self { scene, wanted: BTreeSet::new(), tickets: 0, is_connected: false }
    }

    fn connect(&mut self) {
        self.scene.ledger.connect(Ledger::ONLY, self.scene.now);
        self.is_connected = true;
    }

    fn take(&mut self, step: &SubscriberStep) {
        let Self { scene, wanted, tickets, .. } = self;
        match *step {
            SubscriberStep::Want(topic, names) => {
                *tickets += 1;
                let names = chosen(names);
                scene.want(*tickets, TOPICS[topic], &names);
                wanted.extend(names.iter().map(|name| (topic as u8, name.to_string())));
            }
            SubscriberStep::Unwant(topic, names) => {
                *tickets += 1;
                let names = chosen(names);
                scene.unwant(*tickets, TOPICS[topic], &names);
                wanted.retain(|(of, name)| *of != topic as u8 || !names.contains(&&**name));
            }
            SubscriberStep::Write => scene.write(),
            SubscriberStep::Answer => drop(scene.answer()),
            SubscriberStep::Move(name) if self.is_connected => {
                if scene.server.subscribed.remove(&(2, NAMES[name].to_owned())) {
                    let moved = scene.server.frame("sunsubscribe", NAMES[name]);
                    assert!(scene.hear(&moved).breach.is_none());
                }
            }
            SubscriberStep::Cut => {
                scene.cut();
                self.is_connected = false;
            }
            SubscriberStep::Connect if !self.is_connected => self.connect(),
            SubscriberStep::Connect | SubscriberStep::Move(_) => {}
            SubscriberStep::Forbid(is_forbidden) => {
                scene.server.forbidden.clear();
                scene.server.forbidden.extend(is_forbidden.then(|| "no".to_owned()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_server_ends_up_with_what_is_wanted(
        steps in vec(step(), 1..60),
        mark in prop_oneof![Just('>'), Just('*')],
    ) {
        let mut history = History::new(mark);
        for step in &steps {
            history.take(step);
            prop_assert_eq!(history.scene.ledger.subscriptions(), history.wanted.len());
        }
        // A fresh connection to a server that allows everything.
        let History { mut scene, wanted, tickets, .. } = history;
        scene.server.forbidden.clear();
        scene.cut();
        scene.ledger.connect(Ledger::ONLY, scene.now);
        scene.settle_down();
        prop_assert_eq!(&scene.server.subscribed, &wanted);
        prop_assert_eq!(scene.settled.len(), tickets as usize);
        prop_assert_eq!(scene.ledger.oldest(Ledger::ONLY), None);
        let _ = scene.ledger.take_reports(scene.now);

        // From there on nothing is lost, so a message finds its token.
        for (topic, name) in &wanted {
            if *topic == 0 {
                let size = name.len();
                let message =
                    format!("{mark}3\r\n$7\r\nmessage\r\n${size}\r\n{name}\r\n$1\r\nx\r\n");
                prop_assert_eq!(scene.hear(&message).rows.len(), 1);
            }
        }
    }

    /// Without a loss or a refusal the same holds on the one connection.
    #[test]
    fn one_connection_is_enough(
        steps in vec(step(), 1..60),
        mark in prop_oneof![Just('>'), Just('*')],
    ) {
        let mut history = History::new(mark);
        history.connect();
        for step in &steps {
            match step {
                SubscriberStep::Cut | SubscriberStep::Connect | SubscriberStep::Forbid(_) => {}
                step => history.take(step),
            }
        }
        let History { mut scene, wanted, tickets, .. } = history;
        scene.settle_down();
        prop_assert_eq!(&scene.server.subscribed, &wanted);
        prop_assert_eq!(scene.done().len(), tickets as usize);
    }
}
