//! Names of keyspace notifications: they are subscribed to on each primary, and on no other node.

use super::many_nodes::ManyNodes;
use super::*;
use Topic::{Channel, Pattern};

const ALL: &str = "__keyspace@0__:*";

fn spread(nodes: &mut ManyNodes, feeds: &[u32]) {
    nodes.primaries = feeds.to_vec();
    nodes.arrange();
}

#[test]
fn each_primary_is_asked_and_a_ticket_waits_for_all_of_them() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 3]);
    nodes.want(1, Pattern, &[ALL, "__key*__:*"]);
    nodes.want(2, Channel, &["__keyevent@0__:del", "news"]);
    nodes.write(1);
    while nodes.answer(1) {}
    assert!(nodes.settled.is_empty());
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none() && nodes.settled[&2].is_none());
    assert_eq!(nodes.subscribed(1), ["__keyevent@0__:del", "news", "__key*__:*", ALL]);
    assert_eq!(nodes.subscribed(2), [""; 0]);
    assert_eq!(nodes.subscribed(3), ["__keyevent@0__:del", "__key*__:*", ALL]);
    assert_eq!(nodes.ledger.subscriptions(), 4);
    nodes.unwant(3, Pattern, &[ALL]);
    assert!(!nodes.settled.contains_key(&3));
    nodes.settle_down();
    assert!(nodes.settled[&3].is_none());
    assert!(!nodes.subscribed(3).contains(&ALL));
}

#[test]
fn a_ticket_waits_until_primaries_are_known() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    assert!(nodes.settled.is_empty());
    spread(&mut nodes, &[2]);
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
    assert!(nodes.ledger.take_reports(nodes.now).is_empty(), "nothing was missed");
}

#[test]
fn what_is_taken_back_before_primaries_are_known_ends_at_once() {
    let mut nodes = ManyNodes::connected();
    nodes.want(1, Pattern, &[ALL]);
    nodes.unwant(2, Pattern, &[ALL]);
    assert!(nodes.settled[&1].is_none() && nodes.settled[&2].is_none());
    assert!(!nodes.ledger.has_local());
    assert_eq!(nodes.ledger.subscriptions(), 0);
}

#[test]
fn a_former_primary_is_not_believed_and_its_successor_is_asked() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    assert_eq!((nodes.notification(1), nodes.notification(2), nodes.notification(3)), (1, 1, 0));
    let viewed = nodes.now;
    nodes.viewed = viewed;
    nodes.now += Duration::from_millis(400);
    spread(&mut nodes, &[1, 3]);
    assert_eq!((nodes.notification(1), nodes.notification(2), nodes.notification(3)), (1, 0, 1));
    nodes.now += Duration::from_millis(30);
    nodes.settle_down();
    assert_eq!(nodes.subscribed(2), [""; 0], "the former primary is told");
    assert_eq!(nodes.subscribed(3), [ALL]);
    let lost = Duration::from_millis(430);
    let report = Resubscribed { channels: 0, patterns: 1, shard_channels: 0, lost };
    assert_eq!(nodes.ledger.take_reports(nodes.now), [report]);
}

#[test]
fn a_primary_that_comes_back_before_it_was_told_of_its_end_keeps_its_subscription() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    for is_written in [false, true] {
        spread(&mut nodes, &[1]);
        if is_written {
            nodes.write(2);
        }
        spread(&mut nodes, &[1, 2]);
        nodes.settle_down();
        assert_eq!(nodes.subscribed(2), [ALL], "{is_written}");
        assert_eq!(nodes.ledger.take_reports(nodes.now).len(), 1);
    }
}

#[test]
fn the_loss_of_one_primary_is_one_gap_of_the_name() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2, 3]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.want(2, Channel, &["news"]);
    nodes.settle_down();
    nodes.now += Duration::from_millis(10);
    nodes.cut(2);
    nodes.cut(3);
    nodes.connect(2);
    nodes.settle_down();
    assert!(nodes.ledger.take_reports(nodes.now).is_empty(), "one of them is still missing");
    nodes.want(3, Pattern, &[ALL]);
    assert!(!nodes.settled.contains_key(&3));
    nodes.connect(3);
    nodes.now += Duration::from_millis(10);
    nodes.settle_down();
    assert!(nodes.settled[&3].is_none());
    let lost = Duration::from_millis(20);
    let report = Resubscribed { channels: 0, patterns: 1, shard_channels: 0, lost };
    assert_eq!(nodes.ledger.take_reports(nodes.now), [report]);
}

#[test]
fn a_primary_that_is_gone_does_not_keep_back_the_news_of_other_names() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.want(2, Channel, &["news"]);
    nodes.settle_down();
    nodes.cut(1);
    nodes.cut(2);
    nodes.connect(1);
    nodes.settle_down();
    let gaps = nodes.ledger.take_reports(nodes.now);
    assert_eq!((gaps.len(), gaps[0].channels, gaps[0].patterns), (1, 1, 0));
}

#[test]
fn a_removed_feed_is_not_waited_for() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.write(1);
    nodes.answer(1);
    nodes.ledger.remove(2, nodes.now);
    spread(&mut nodes, &[1]);
    assert!(nodes.settled[&1].is_none());
    nodes.ledger.remove(1, nodes.now);
    spread(&mut nodes, &[]);
    assert_eq!(nodes.ledger.subscriptions(), 1);
    spread(&mut nodes, &[3]);
    nodes.settle_down();
    assert_eq!(nodes.subscribed(3), [ALL]);
    assert_eq!(nodes.ledger.take_reports(nodes.now).len(), 1);
}

#[test]
fn the_successor_of_a_primary_that_is_gone_is_a_part_of_one_gap() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    nodes.now += Duration::from_millis(10);
    nodes.cut(2);
    nodes.ledger.remove(2, nodes.now);
    spread(&mut nodes, &[1, 3]);
    nodes.settle_down();
    let lost = Duration::from_millis(10);
    let report = Resubscribed { channels: 0, patterns: 1, shard_channels: 0, lost };
    assert_eq!(nodes.ledger.take_reports(nodes.now), [report]);
}

#[test]
fn a_primary_that_refuses_a_name_fails_its_tickets_and_is_told_when_the_name_was_there_before() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2]);
    nodes.nodes.get_mut(&2).unwrap().forbidden.insert(ALL.to_owned());
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    assert_eq!(nodes.code(1), Some("NOPERM"));
    nodes.unwant(2, Pattern, &[ALL]);
    nodes.settle_down();
    assert!(nodes.settled[&2].is_none() && nodes.subscribed(1).is_empty());
    spread(&mut nodes, &[1]);
    nodes.want(3, Pattern, &[ALL]);
    nodes.settle_down();
    spread(&mut nodes, &[1, 2]);
    nodes.settle_down();
    assert_eq!(nodes.ledger.take_refusals().len(), 1);
    assert_eq!(nodes.ledger.take_reports(nodes.now).len(), 1);
}

#[test]
fn messages_that_all_nodes_send_come_from_one_of_them() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1, 2, 3]);
    nodes.want(1, Pattern, &["__key*"]);
    nodes.settle_down();
    let heard = |nodes: &mut ManyNodes| -> Vec<usize> {
        [1, 2, 3].map(|feed| nodes.pattern_message(feed, "__key*", "__keys")).to_vec()
    };
    assert_eq!(heard(&mut nodes), [1, 0, 0]);
    spread(&mut nodes, &[2, 3]);
    assert_eq!(heard(&mut nodes), [0, 0, 0], "node 1 may have brought it already");
    nodes.now += Duration::from_millis(100);
    assert_eq!(heard(&mut nodes), [0, 1, 0]);
}

#[test]
fn a_notification_tells_of_which_slot_it_is() {
    let mut nodes = ManyNodes::connected();
    spread(&mut nodes, &[1]);
    nodes.want(1, Pattern, &[ALL]);
    nodes.settle_down();
    let push = ManyNodes::pattern_push(ALL, "__keyspace@0__:k");
    let received = nodes.ledger.receive(1, &frames(&push), nodes.now);
    assert_eq!(received.slots, [crate::command::slot::of(b"k")]);
}

#[test]
fn where_one_node_has_all_keys_no_name_is_local() {
    let mut scene = Scene::connected();
    scene.want(1, Pattern, &[ALL]);
    scene.settle_down();
    assert_eq!(scene.server.heard, ["PSUBSCRIBE __keyspace@0__:*"]);
    assert!(!scene.ledger.has_local());
    let mut ledger = Ledger::scattered(false);
    ledger.want(request(1, None), Pattern, vec![(Bytes::from_static(ALL.as_bytes()), 1)]);
    assert!(!ledger.has_local());
    assert_eq!(ledger.take_homeless(), [(Pattern, Bytes::from_static(ALL.as_bytes()))]);
}
