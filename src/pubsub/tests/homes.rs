//! Several nodes: each name is subscribed to on the node that has it now, and on no other.

use super::many_nodes::ManyNodes;
use super::*;
use crate::command::slot;
use Topic::{Channel, Pattern, ShardChannel};

#[test]
fn shard_channels_go_where_their_slots_are_and_are_asked_for_by_slot() {
    let mut nodes = ManyNodes::connected();
    nodes.beliefs.insert(slot::of(b"b"), 2);
    nodes.owners.insert(slot::of(b"b"), 2);
    nodes.want(1, ShardChannel, &["{a}1", "{a}2", "b", "c"]);
    nodes.want(2, Channel, &["x", "y"]);
    nodes.want(3, Pattern, &["p*"]);
    nodes.settle_down();
    let mut heard = nodes.nodes[&1].heard.clone();
    heard.sort();
    assert_eq!(heard, ["PSUBSCRIBE p*", "SSUBSCRIBE c", "SSUBSCRIBE {a}1 {a}2", "SUBSCRIBE x y"]);
    assert_eq!(nodes.nodes[&2].heard, ["SSUBSCRIBE b"]);
    assert!([1, 2, 3].iter().all(|ticket| nodes.settled[ticket].is_none()));
}

#[test]
fn a_subscription_follows_moved_and_ends_its_ticket_where_it_is_confirmed() {
    let mut nodes = ManyNodes::connected();
    nodes.owners.insert(slot::of(b"s"), 3);
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    nodes.answer(1);
    assert!(nodes.settled.is_empty());
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
    assert_eq!((nodes.subscribed(1), nodes.subscribed(3)), (vec![], vec!["s"]));
    assert!(nodes.ledger.take_reports(nodes.now).is_empty(), "nothing was lost");
}

#[test]
fn when_a_slot_moves_its_channels_are_had_from_the_new_owner_and_the_gap_is_told() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, ShardChannel, &["s", "t"]);
    nodes.want(2, Channel, &["a"]);
    nodes.settle_down();
    nodes.migrate("s", 2);
    nodes.now += Duration::from_millis(7);
    nodes.settle_down();
    assert_eq!(nodes.subscribed(2), ["s"]);
    assert_eq!(nodes.subscribed(1), ["a", "t"]);
    let lost = Duration::from_millis(7);
    let report = Resubscribed { channels: 0, patterns: 0, shard_channels: 1, lost };
    assert_eq!(nodes.ledger.take_reports(nodes.now), [report]);
    assert_eq!((nodes.message(1, "s"), nodes.message(2, "s")), (0, 1), "only its home counts");
}

#[test]
fn an_answer_to_what_was_asked_before_a_move_there_and_back_does_not_count() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    let name = Bytes::from_static(b"s");
    for home in [2, 1] {
        nodes.ledger.displace(ShardChannel, &name);
        nodes.beliefs.insert(slot::of(b"s"), home);
        nodes.arrange();
    }
    nodes.write(1);
    nodes.answer(1);
    assert!(nodes.settled.is_empty());
    nodes.answer(1);
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn unsubscribing_ends_although_the_slot_has_just_moved() {
    for is_sent in [false, true] {
        let mut nodes = ManyNodes::connected();
        nodes.want(1, ShardChannel, &["s"]);
        nodes.settle_down();
        nodes.unwant(2, ShardChannel, &["s"]);
        if is_sent {
            nodes.write(1);
        }
        // The server's own end of the subscription is taken for the answer; MOVED then answers
        // nothing.
        nodes.migrate("s", 2);
        nodes.want(3, Channel, &["a"]);
        nodes.settle_down();
        assert!(nodes.settled[&2].is_none() && nodes.settled[&3].is_none(), "{is_sent}");
        assert_eq!((nodes.subscribed(1), nodes.subscribed(2)), (vec!["a"], vec![]));
        assert_eq!(nodes.ledger.oldest(1), None);
    }
}

#[test]
fn unsubscribing_while_a_name_has_no_home_ends_at_once() {
    let mut nodes = ManyNodes::new();
    nodes.want(1, ShardChannel, &["s"]);
    let name = Bytes::from_static(b"s");
    nodes.ledger.displace(ShardChannel, &name);
    assert_eq!(nodes.ledger.take_homeless(), [(ShardChannel, name.clone())]);
    nodes.ledger.put_off(ShardChannel, &name, nodes.now);
    nodes.unwant(2, ShardChannel, &["s"]);
    assert!(nodes.settled[&1].is_none() && nodes.settled[&2].is_none());
    nodes.ledger.recall();
    assert!(nodes.ledger.take_homeless().is_empty());
}

#[test]
fn who_is_sent_to_and_fro_is_told_and_the_nodes_get_a_pause() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    let slot = slot::of(b"s");
    let mut asked = 0;
    while nodes.settled.is_empty() {
        if let Some(at) = nodes.ledger.retry_at() {
            nodes.now = at;
            nodes.ledger.recall();
            nodes.arrange();
        }
        let feed = nodes.belief(b"s");
        nodes.write(feed);
        // Each of two nodes says that the other one has the slot.
        nodes.owners.insert(slot, 3 - feed);
        assert!(nodes.answer(feed));
        asked += 1;
    }
    assert_eq!((asked, nodes.code(1)), (6, Some("MAX_REDIRECTIONS")));
    nodes.settle_down();
    let heard: usize = nodes.nodes.values().map(|node| node.heard.len()).sum();
    assert_eq!(heard, 6, "not asked again before it is time");
    assert_eq!(nodes.ledger.retry_at(), Some(nodes.now + Duration::from_millis(800)));
    nodes.ledger.recall_unasked();
    assert!(nodes.ledger.take_homeless().is_empty());
    nodes.ledger.recall();
    nodes.arrange();
    nodes.settle_down();
    assert_eq!(nodes.nodes.values().filter(|node| !node.subscribed.is_empty()).count(), 1);
}

#[test]
fn a_node_that_sends_to_a_stranger_is_asked_again_after_a_while() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    nodes.wires.get_mut(&1).unwrap().clear();
    // The caller does not know that node, and so goes on to believe that node 1 has the slot.
    let slot = slot::of(b"s");
    let frames = frames(&format!("-MOVED {slot} stranger:1\r\n"));
    assert_eq!(nodes.ledger.receive(1, &frames, nodes.now).redirects.len(), 1);
    nodes.arrange();
    nodes.settle_down();
    assert!(nodes.nodes[&1].heard.is_empty());
    assert_eq!(nodes.ledger.retry_at(), Some(nodes.now + Duration::from_millis(200)));
    nodes.ledger.recall();
    nodes.arrange();
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn a_cluster_that_is_down_is_asked_again_later_and_later() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    for pause in [100, 200, 400, 800, 1000, 1000, 1000] {
        nodes.write(1);
        nodes.wires.get_mut(&1).unwrap().clear();
        nodes.hear(1, "-CLUSTERDOWN the cluster is down\r\n");
        let at = nodes.now + Duration::from_millis(pause);
        assert_eq!(nodes.ledger.retry_at(), Some(at));
        nodes.now = at;
        nodes.ledger.recall();
        nodes.arrange();
    }
    assert!(nodes.settled.is_empty(), "its deadline decides");
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn the_loss_of_a_shard_does_not_keep_back_the_news_of_the_others() {
    let mut nodes = ManyNodes::connected();
    nodes.beliefs.insert(slot::of(b"s"), 2);
    nodes.owners.insert(slot::of(b"s"), 2);
    nodes.want(1, ShardChannel, &["s"]);
    nodes.want(2, Channel, &["a"]);
    nodes.settle_down();
    nodes.cut(1);
    nodes.cut(2);
    nodes.connect(1);
    nodes.settle_down();
    let gaps = nodes.ledger.take_reports(nodes.now);
    assert_eq!((gaps.len(), gaps[0].channels, gaps[0].shard_channels), (1, 1, 0));
    nodes.connect(2);
    nodes.settle_down();
    assert_eq!(nodes.ledger.take_reports(nodes.now)[0].shard_channels, 1);
}

#[test]
fn a_feed_that_is_removed_leaves_its_names_without_a_home() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, Channel, &["a", "b"]);
    nodes.want(2, ShardChannel, &["s"]);
    nodes.settle_down();
    nodes.unwant(3, Channel, &["b"]);
    nodes.common = 2;
    nodes.beliefs.insert(slot::of(b"s"), 2);
    nodes.owners.insert(slot::of(b"s"), 2);
    nodes.ledger.remove(1, nodes.now);
    nodes.arrange();
    assert!(nodes.settled[&3].is_none());
    assert!(!nodes.ledger.is_wanted(1) && nodes.ledger.is_wanted(2));
    nodes.settle_down();
    assert_eq!(nodes.subscribed(2), ["a", "s"]);
    assert_eq!(nodes.ledger.subscriptions(), 2);
}
