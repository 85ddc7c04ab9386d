//! Each rule of the ledger by itself.

use super::*;
use crate::error::{Applied, ErrorClass};
use crate::outbox::Message;
use Topic::{Channel, Monitor, Pattern, ShardChannel};

#[test]
fn names_wanted_together_are_asked_for_together() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a", "b"]);
    scene.want(2, Channel, &["c"]);
    scene.want(3, Pattern, &["p*"]);
    scene.settle_down();
    assert_eq!(scene.server.heard, ["SUBSCRIBE a b c", "PSUBSCRIBE p*"]);
    assert_eq!(scene.done(), [1, 2, 3]);
}

#[test]
fn many_names_are_asked_for_in_several_commands() {
    let mut scene = Scene::connected();
    let names: Vec<String> = (0..2500).map(|n| format!("channel:{n}")).collect();
    scene.want(1, Channel, &names.iter().map(String::as_str).collect::<Vec<_>>());
    scene.settle_down();
    let sizes: Vec<_> = scene.server.heard.iter().map(|line| line.split(' ').count() - 1).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    assert_eq!(scene.server.subscribed.len(), 2500);
    assert_eq!(scene.done(), [1]);
}

#[test]
fn a_name_that_is_subscribed_to_costs_no_command() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.settle_down();
    scene.want(2, Channel, &["a"]);
    assert_eq!(scene.done(), [1, 2]);
    scene.settle_down();
    assert_eq!(scene.server.heard, ["SUBSCRIBE a"]);
}

#[test]
fn requests_wait_for_the_first_connection() {
    let mut scene = Scene::new('*');
    scene.want(1, Channel, &["a"]);
    scene.want(2, ShardChannel, &["s"]);
    scene.unwant(3, Channel, &["x"]);
    assert_eq!(scene.done(), [3], "nothing was subscribed to");
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    assert_eq!(scene.done(), [1, 2, 3]);
}

#[test]
fn what_is_taken_back_before_it_was_sent_is_never_sent() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.unwant(2, Channel, &["a"]);
    scene.settle_down();
    assert!(scene.server.heard.is_empty());
    assert_eq!(scene.done(), [1, 2]);
    assert!(!scene.ledger.is_wanted(Ledger::ONLY));
}

#[test]
fn an_unsubscribe_that_crosses_a_subscribe_waits_for_its_own_confirmation() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.write();
    scene.unwant(2, Channel, &["a"]);
    scene.want(3, Channel, &["a"]);
    scene.unwant(4, Channel, &["a"]);
    assert!(scene.done().is_empty());
    assert!(scene.answer());
    assert_eq!(scene.done(), [1, 3], "that is what the server has said");
    scene.settle_down();
    assert_eq!(scene.done(), [1, 2, 3, 4]);
    assert_eq!(scene.server.heard, ["SUBSCRIBE a", "UNSUBSCRIBE a"]);
}

#[test]
fn messages_carry_their_token_and_patterns_their_channel_in_either_protocol() {
    for mark in ['>', '*'] {
        let mut scene = Scene::new(mark);
        scene.ledger.connect(Ledger::ONLY, scene.now);
        scene.want(1, Channel, &["abc"]);
        scene.want(2, Pattern, &["a*"]);
        scene.settle_down();
        let message = format!("{mark}3\r\n$7\r\nmessage\r\n$3\r\nabc\r\n$2\r\nhi\r\n");
        let pattern = format!("{mark}4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$3\r\nabc\r\n$2\r\nhi\r\n");
        let received = scene.hear(&format!("{message}{pattern}"));
        let expected = [
            Message { token: 3, channel: Message::NOWHERE, payload: 3 },
            Message { token: 2, channel: 7, payload: 8 },
        ];
        assert_eq!(received.rows, expected);
    }
}

#[test]
fn a_message_that_nobody_wants_any_more_is_not_passed_on() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.settle_down();
    scene.unwant(2, Channel, &["a"]);
    let received = scene.hear(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
    assert!(received.rows.is_empty() && received.breach.is_none());
}

#[test]
fn a_refused_name_fails_its_own_tickets_only() {
    let mut scene = Scene::connected();
    scene.server.forbidden.insert("no".to_owned());
    scene.want(1, Channel, &["a", "no"]);
    scene.want(2, Channel, &["b"]);
    scene.want(3, Channel, &["no"]);
    scene.settle_down();
    assert_eq!(scene.done(), [2]);
    assert_eq!((scene.code(1), scene.code(3)), (Some("NOPERM"), Some("NOPERM")));
    let heard = ["SUBSCRIBE a no b", "SUBSCRIBE a", "SUBSCRIBE no", "SUBSCRIBE b"];
    assert_eq!(scene.server.heard, heard);
    // A refused name is not asked for again.
    scene.settle_down();
    assert_eq!(scene.server.heard.len(), 4);
    scene.unwant(0, Channel, &["a", "no"]);
    scene.settle_down();
    assert_eq!(scene.server.subscribed, BTreeSet::from([(0, "b".to_owned())]));
}

#[test]
fn after_a_loss_everything_wanted_is_asked_for_once_and_the_gap_is_told() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a", "b"]);
    scene.want(2, Pattern, &["p*"]);
    scene.want(3, ShardChannel, &["s"]);
    scene.settle_down();
    assert_eq!(scene.gap(), None, "nothing was lost yet");
    scene.cut();
    scene.pass(700);
    scene.want(4, Channel, &["new"]);
    scene.unwant(5, Channel, &["b"]);
    scene.server.heard.clear();
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.pass(50);
    scene.settle_down();
    let mut heard = scene.server.heard.clone();
    heard.sort();
    assert_eq!(heard.len(), 3);
    assert_eq!(heard[0], "PSUBSCRIBE p*");
    assert_eq!(scene.done(), [1, 2, 3, 4, 5]);
    let lost = Duration::from_millis(750);
    let report = Resubscribed { channels: 1, patterns: 1, shard_channels: 1, lost };
    assert_eq!(scene.gap(), Some(report));
    assert_eq!(scene.gap(), None);
}

#[test]
fn several_losses_in_a_row_are_one_gap() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.settle_down();
    scene.cut();
    scene.pass(100);
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.write();
    scene.cut();
    scene.pass(100);
    assert_eq!(scene.gap(), None);
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    let report = scene.gap().unwrap();
    assert_eq!((report.channels, report.lost), (1, Duration::from_millis(200)));
}

#[test]
fn a_gap_begins_with_the_last_request_that_was_answered() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.settle_down();
    scene.pass(1000);
    assert_eq!(scene.ledger.uncertain_since(Ledger::ONLY), None, "nothing has come since");
    let message = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
    scene.hear(message);
    let before = scene.now - Duration::from_secs(1);
    assert_eq!(scene.ledger.uncertain_since(Ledger::ONLY), Some(before));
    scene.ledger.ping(Ledger::ONLY, &mut scene.wire, scene.now);
    scene.wire.clear();
    scene.pass(100);
    scene.hear(&format!("{message}+PONG\r\n"));
    assert_eq!(scene.ledger.uncertain_since(Ledger::ONLY), None);
    // Messages that come later prove nothing: others may have been dropped behind them.
    scene.pass(2000);
    scene.hear(message);
    scene.pass(1000);
    scene.cut();
    scene.pass(10);
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    assert_eq!(scene.gap().map(|gap| gap.lost), Some(Duration::from_millis(3110)));
}

#[test]
fn a_loss_before_the_first_confirmation_is_no_gap() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.write();
    scene.cut();
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    assert_eq!(scene.done(), [1]);
    assert_eq!(scene.gap(), None);
}

#[test]
fn a_subscription_that_the_server_ends_is_asked_for_again() {
    let mut scene = Scene::connected();
    scene.want(1, ShardChannel, &["s"]);
    scene.settle_down();
    scene.server.subscribed.clear();
    let moved = scene.server.frame("sunsubscribe", "s");
    scene.hear(&moved);
    scene.pass(5);
    scene.settle_down();
    assert_eq!(scene.server.heard, ["SSUBSCRIBE s", "SSUBSCRIBE s"]);
    let report = scene.gap().unwrap();
    assert_eq!((report.shard_channels, report.lost), (1, Duration::from_millis(5)));
}

#[test]
fn a_subscription_lost_and_then_refused_is_an_error_to_tell() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a", "b"]);
    scene.settle_down();
    scene.cut();
    scene.server.forbidden.insert("a".to_owned());
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    let codes: Vec<_> =
        scene.ledger.take_refusals().iter().map(|error| error.code().to_owned()).collect();
    assert_eq!(codes, ["NOPERM"]);
    assert_eq!(scene.gap().map(|report| report.channels), Some(1));
    // It is still wanted, so it is asked for again over the next connection.
    scene.cut();
    scene.server.forbidden.clear();
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    assert_eq!(scene.server.subscribed.len(), 2);
}

#[test]
fn a_ticket_fails_at_its_deadline_and_what_it_wanted_stays_wanted() {
    let mut scene = Scene::new('>');
    let deadline = scene.now + Duration::from_millis(100);
    let names = vec![(Bytes::from_static(b"a"), 1)];
    scene.ledger.want(request(1, Some(deadline)), Channel, names);
    assert_eq!(scene.ledger.next_deadline(), Some(deadline));
    let error = Error::new(ErrorClass::Timeout, "TIMEOUT", "too late");
    assert_eq!(scene.ledger.expire(scene.now, &error), 0);
    scene.pass(100);
    assert_eq!(scene.ledger.expire(scene.now, &error), 1);
    scene.keep_account();
    assert_eq!(scene.code(1), Some("TIMEOUT"));
    let applied = scene.settled[&1].as_ref().and_then(Error::applied);
    assert_eq!(applied, Some(Applied::No));
    scene.ledger.connect(Ledger::ONLY, scene.now);
    scene.settle_down();
    assert_eq!(scene.server.subscribed.len(), 1);
}

#[test]
fn pongs_come_in_three_forms() {
    for pong in ["+PONG\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"] {
        let mut scene = Scene::connected();
        scene.ledger.ping(Ledger::ONLY, &mut scene.wire, scene.now);
        assert_eq!(scene.ledger.oldest(Ledger::ONLY), Some((scene.now, true)));
        assert!(scene.hear(pong).breach.is_none());
        assert_eq!(scene.ledger.oldest(Ledger::ONLY), None);
        // A PONG that nobody asked for ends the connection.
        assert!(scene.hear(pong).breach.is_some());
    }
    let mut scene = Scene::connected();
    scene.ledger.ping(Ledger::ONLY, &mut scene.wire, scene.now);
    assert!(scene.hear("-LOADING the server is loading\r\n").breach.is_none());
}

#[test]
fn a_foreign_frame_ends_the_connection_after_the_messages_before_it() {
    for foreign in [":1\r\n", "*1\r\n$3\r\nfoo\r\n", "+what\r\n", "-ERR gone\r\n"] {
        let mut scene = Scene::connected();
        scene.want(1, Channel, &["a"]);
        scene.settle_down();
        let message = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
        let received = scene.hear(&format!("{message}{foreign}{message}"));
        assert_eq!(received.rows.len(), 1, "{foreign}");
        assert!(received.breach.is_some(), "{foreign}");
    }
    let mut scene = Scene::connected();
    let received = scene.hear(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
    assert_eq!((received.ignored, received.breach.is_none()), (1, true));
}

#[test]
fn monitoring_ends_with_its_connection() {
    let mut scene = Scene::connected();
    scene.want(1, Monitor, &[""]);
    scene.settle_down();
    assert_eq!(
        (scene.server.heard.as_slice(), scene.done()),
        (&["MONITOR".to_owned()][..], vec![1])
    );
    let received = scene.hear("+1700000000.1 [0 127.0.0.1:1] \"GET\" \"k\"\r\n");
    assert_eq!(received.rows, [Message { token: 0, channel: Message::NOWHERE, payload: 0 }]);
    assert!(!scene.ledger.is_over());
    scene.unwant(2, Monitor, &[""]);
    assert!(scene.ledger.is_over());
    scene.settle_down();
    assert_eq!(scene.done(), [1]);
    scene.cut();
    assert_eq!(scene.done(), [1, 2]);
}

#[test]
fn clearing_fails_what_waits_and_forgets_the_rest() {
    let mut scene = Scene::connected();
    scene.want(1, Channel, &["a"]);
    scene.ledger.clear(&Error::new(ErrorClass::Closed, "CLOSED", "closed"));
    scene.keep_account();
    assert_eq!(scene.code(1), Some("CLOSED"));
    assert!(!scene.ledger.is_wanted(Ledger::ONLY));
}

#[test]
fn an_unknown_command_is_told_without_the_names_that_the_server_repeats() {
    let mut scene = Scene::connected();
    scene.want(1, ShardChannel, &["private"]);
    scene.write();
    scene.hear("-ERR unknown command 'SSUBSCRIBE', with args beginning with: 'private' \r\n");
    let error = scene.settled[&1].clone().unwrap();
    assert_eq!(error.message(), "ERR unknown command 'SSUBSCRIBE'");
}

#[test]
fn a_refused_name_that_is_wanted_again_is_asked_for_again() {
    let mut scene = Scene::connected();
    scene.server.forbidden.insert("a".to_owned());
    scene.want(1, Channel, &["a"]);
    scene.settle_down();
    scene.server.forbidden.clear();
    scene.want(2, Channel, &["a"]);
    scene.settle_down();
    assert_eq!((scene.code(1), scene.done()), (Some("NOPERM"), vec![2]));
}
