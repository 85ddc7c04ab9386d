//! Each rule of the queue by itself.

use super::super::outcome::Drained;
use super::super::refusal::Refusal;
use super::*;
use crate::outbox::Whose;

fn started(texts: &[&str]) -> (Queue, Instant) {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(batch(1, texts, 0, now));
    (queue, now)
}

#[test]
fn replies_go_to_the_commands_in_the_order_of_writing() {
    let (mut queue, now) = started(&["R1", "W2"]);
    queue.push(batch(7, &["R7"], 0, now));
    assert_eq!(write_all(&mut queue, now), "R1W2R7");
    assert_eq!((queue.commands(), queue.bytes(), queue.in_flight()), (3, 6, 3));
    let whose: Vec<_> = (0..3).map(|_| reply(&mut queue).whose.id).collect();
    assert_eq!(whose, [1, 2, 7]);
    assert_eq!((queue.commands(), queue.bytes(), queue.in_flight()), (0, 0, 0));
}

#[test]
fn a_reply_without_a_command_is_noticed() {
    let (mut queue, now) = started(&["R1"]);
    assert!(queue.answer(None).is_none(), "nothing was written yet");
    write_all(&mut queue, now);
    reply(&mut queue);
    assert!(queue.answer(None).is_none());
    assert_eq!(queue.commands(), 0);
}

#[test]
fn a_partial_write_goes_on_where_it_stopped() {
    let (mut queue, now) = started(&["R1aaaa", "W2bb"]);
    queue.push(batch(3, &["R3"], 0, now));
    let parts: Vec<_> = [1, 5, 3, 100].map(|n| write(&mut queue, n, now)).to_vec();
    assert_eq!(parts, [&b"R"[..], b"1aaaa", b"W2b", b"bR3"]);
    assert!(queue.unwritten().is_none());
}

#[test]
fn an_empty_batch_holds_nothing_up() {
    let (mut queue, now) = started(&[]);
    queue.push(batch(1, &["R1"], 0, now));
    assert_eq!(write_all(&mut queue, now), "R1");
}

#[test]
fn a_caller_who_leaves_before_the_write_takes_the_command_along() {
    let (mut queue, now) = started(&["W1", "W2", "W3"]);
    assert_eq!(queue.cancel(0, 2), Some(Applied::No));
    assert_eq!(queue.cancel(0, 2), None, "it has ended already");
    assert_eq!(write_all(&mut queue, now), "W1W3");
    assert_eq!((queue.commands(), queue.bytes()), (2, 4));
}

#[test]
fn a_caller_that_leaves_ends_its_own_command_when_ids_come_round() {
    let now = Instant::now();
    // Ids of commands of lanes have 31 bits, those of sessions have the highest bit set.
    for (first, last) in [(0, u32::MAX >> 1), (1 << 31, u32::MAX)] {
        let mut queue = Queue::default();
        queue.push(batch(first + 1, &["R1"], 0, now));
        assert_eq!(write_all(&mut queue, now), "R1");
        assert_eq!(queue.cancel(0, first + 1), Some(Applied::Unknown));
        // The id of that tombstone is given again.
        let given = [last - 1, last, first, first + 1];
        let rows = given.map(|id| command(id, 2, 0));
        queue.push(Batch::new(Bytes::from("R2R3"), rows[..2].to_vec(), now));
        queue.push(Batch::new(Bytes::from("R4R5"), rows[2..].to_vec(), now));
        for id in [first + 1, last] {
            assert_eq!(queue.cancel(0, id), Some(Applied::No), "{id}");
            assert_eq!(queue.cancel(0, id), None, "{id} has ended already");
        }
        assert_eq!(write_all(&mut queue, now), "R2R4");
        assert_eq!(queue.cancel(0, first), Some(Applied::Unknown));
        assert_eq!(queue.cancel(0, last - 1), Some(Applied::Unknown));
    }
}

#[test]
fn a_caller_who_leaves_later_leaves_a_tombstone() {
    let (mut queue, now) = started(&["R1", "R2", "R3"]);
    write_all(&mut queue, now);
    assert_eq!(queue.cancel(0, 2), Some(Applied::Unknown));
    assert_eq!(queue.commands(), 3, "its reply is still due");
    let whose: Vec<_> = (0..3).map(|_| reply(&mut queue).whose).collect();
    assert_eq!(whose.iter().map(|w| w.id).collect::<Vec<_>>(), [1, Whose::NOBODY.id, 3]);
    assert_eq!(whose[1], Whose::NOBODY);
}

#[test]
fn a_half_written_command_is_completed_after_its_caller_has_left() {
    let (mut queue, now) = started(&["W1aa", "W2aa", "W3aa"]);
    write(&mut queue, 6, now);
    assert_eq!(queue.cancel(0, 2), Some(Applied::Unknown));
    assert_eq!(queue.cancel(0, 3), Some(Applied::No));
    assert_eq!(write_all(&mut queue, now), "aa");
    let whose: Vec<_> = (0..2).map(|_| reply(&mut queue).whose).collect();
    assert_eq!((whose[0].id, whose[1]), (1, Whose::NOBODY));
    assert_eq!(queue.commands(), 0);
}

#[test]
fn a_deadline_ends_a_command_wherever_it_is() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(batch(1, &["R1", "R2"], 100, now));
    queue.push(batch(3, &["R3"], 50, now));
    write(&mut queue, 2, now);
    assert_eq!(queue.next_deadline(), Some(now + ms(50)));
    assert!(queue.expire(now + ms(49)).is_empty());
    assert_eq!(ids(&queue.expire(now + ms(50))), [(3, Applied::No)]);
    let ended = queue.expire(now + ms(100));
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::No)]);
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(write_all(&mut queue, now), "");
    assert_eq!(reply(&mut queue).whose, Whose::NOBODY);
}

#[test]
fn an_answered_command_asks_for_no_more_looks_at_the_clock() {
    let now = Instant::now();
    let mut queue = Queue::default();
    let rows = vec![command(1, 2, 10), command(2, 2, 0)];
    queue.push(Batch::new(Bytes::from_static(b"R1R2"), rows, now));
    write_all(&mut queue, now);
    reply(&mut queue);
    assert!(queue.expire(now + ms(10)).is_empty());
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn the_expired_are_forgotten_even_if_nothing_is_ever_written() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for id in 0..10 {
        queue.push(batch(id, &["W123456789"], 10, now));
    }
    assert_eq!(queue.expire(now + ms(10)).len(), 10);
    assert_eq!((queue.commands(), queue.bytes()), (0, 0));
}

#[test]
fn the_clock_of_a_dead_peer_starts_with_the_write_on_this_connection() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(batch(1, &["R1", "R2"], 10, now));
    write(&mut queue, 2, now + ms(1));
    assert_eq!(queue.overdue_since(), None, "somebody still waits");
    queue.cancel(0, 1);
    assert_eq!(queue.overdue_since(), Some(now + ms(1)));
    reply(&mut queue);
    queue.retire();
    queue.resume();
    write_all(&mut queue, now + ms(5));
    queue.cancel(0, 2);
    assert_eq!(queue.overdue_since(), Some(now + ms(5)));
}

#[test]
fn a_loss_keeps_what_was_never_written_in_order() {
    let (mut queue, now) = started(&["W1", "W2aa", "W3", "W4"]);
    queue.push(batch(5, &["W5"], 0, now));
    write(&mut queue, 3, now);
    queue.cancel(0, 3);
    let (ended, retried) = queue.lose(is_repeatable);
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::Unknown)]);
    assert_eq!(retried, 0);
    assert_eq!(write_all(&mut queue, now), "W4W5");
    assert_eq!((queue.commands(), queue.bytes()), (2, 4));
}

#[test]
fn a_read_only_command_is_written_again_twice_at_most() {
    let (mut queue, now) = started(&["R1", "W2", "R3"]);
    write_all(&mut queue, now);
    assert_eq!(reply(&mut queue).whose.id, 1);
    let (ended, retried) = queue.lose(is_repeatable);
    assert_eq!((ids(&ended), retried), (vec![(2, Applied::Unknown)], 1));
    for round in [1, 0] {
        assert_eq!(write_all(&mut queue, now), "R3");
        let (ended, retried) = queue.lose(is_repeatable);
        assert_eq!((ended.len(), retried), (1 - round, round));
    }
    assert_eq!(queue.commands(), 0);
}

#[test]
fn the_tries_and_the_end_of_a_caller_are_not_the_callers_bits() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mode = 0x0abc_def0 & Command::CALLER;
    let rows = vec![Command { mode, ..command(9, 2, 0) }];
    queue.push(Batch::new(Bytes::from_static(b"R9"), rows, now));
    write_all(&mut queue, now);
    queue.lose(is_repeatable);
    write_all(&mut queue, now);
    assert_eq!(reply(&mut queue).whose, Whose { id: 9, mode });
}

#[test]
fn a_tombstone_is_not_written_again() {
    let (mut queue, now) = started(&["R1", "R2"]);
    write_all(&mut queue, now);
    queue.cancel(0, 1);
    let (ended, _) = queue.lose(is_repeatable);
    assert!(ended.is_empty());
    assert_eq!(write_all(&mut queue, now), "R2");
}

#[test]
fn refused_commands_wait_and_are_written_again_before_all_others() {
    let (mut queue, now) = started(&["W1", "W2"]);
    write_all(&mut queue, now);
    assert!(refuse(&mut queue, LOADING).held);
    queue.push(batch(3, &["W3"], 0, now));
    assert!(queue.unwritten().is_none(), "W3 must not overtake");
    assert!(matches!(queue.drained(now, 0, 0.0), Drained::Nothing));
    assert_eq!(queue.retry_at(), None, "a reply is still due");
    assert!(refuse(&mut queue, LOADING).held);
    assert!(matches!(queue.drained(now, 0, 0.0), Drained::Nothing));
    assert_eq!(queue.retry_at(), Some(now + ms(50)));
    assert_eq!((queue.commands(), queue.bytes(), queue.in_flight()), (3, 6, 0));
    assert_eq!(queue.retry_held(), 2);
    assert_eq!(write_all(&mut queue, now), "W1W2W3");
    assert_eq!(reply(&mut queue).whose.id, 1);
}

#[test]
fn the_delay_of_a_refused_command_doubles_up_to_a_second() {
    let delay = |attempt, random| {
        let (mut queue, now) = started(&["W1"]);
        write_all(&mut queue, now);
        refuse(&mut queue, LOADING);
        queue.drained(now, attempt, random);
        (queue.retry_at().unwrap() - now).as_millis()
    };
    assert_eq!(
        [delay(0, 1.0), delay(1, 1.0), delay(4, 1.0), delay(u32::MAX, 1.0)],
        [100, 200, 1000, 1000]
    );
    assert_eq!(delay(1, 0.0), 100, "half of it is certain");
}

#[test]
fn a_server_is_left_also_if_what_it_refused_was_overtaken() {
    let (mut queue, now) = started(&["W1", "R2"]);
    write_all(&mut queue, now);
    assert!(refuse(&mut queue, READONLY).held);
    queue.push(batch(3, &["W3"], 0, now));
    assert_eq!(reply(&mut queue).whose.id, 2);
    let Drained::Reconnect(rejected) = queue.drained(now, 0, 0.5) else { panic!("it stays") };
    assert_eq!(codes(&rejected), [(1, "READONLY")]);
    assert!(queue.unwritten().is_none(), "W3 is for the next connection");
    assert!(queue.lose(is_repeatable).0.is_empty());
    assert_eq!(write_all(&mut queue, now), "W3");
}

#[test]
fn a_refused_command_is_rejected_once_a_later_one_has_run() {
    let (mut queue, now) = started(&["W1", "W2", "W3"]);
    write_all(&mut queue, now);
    assert!(refuse(&mut queue, "TRYAGAIN Multiple keys request during rehashing of slot").held);
    assert_eq!(reply(&mut queue).whose.id, 2);
    assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing), "W3 is still due");
    assert_eq!(reply(&mut queue).whose.id, 3);
    let Drained::Reject(rejected) = queue.drained(now, 0, 0.5) else { panic!("not rejected") };
    assert_eq!(codes(&rejected), [(1, "TRYAGAIN")]);
    assert_eq!(rejected[0].refusal.as_ref().unwrap().applied(), Some(Applied::No));
    assert_eq!((queue.commands(), queue.bytes()), (0, 0));
    assert!(!queue.is_holding());
}

#[test]
fn a_tombstone_that_has_run_counts_as_a_later_command() {
    let (mut queue, now) = started(&["W1", "W2"]);
    write_all(&mut queue, now);
    refuse(&mut queue, LOADING);
    queue.cancel(0, 2);
    reply(&mut queue);
    assert!(matches!(queue.drained(now, 0, 0.5), Drained::Reject(_)));
}

#[test]
fn a_refused_tombstone_and_a_ping_delay_nothing() {
    let (mut queue, now) = started(&["W1", "W2"]);
    let ping = Command { mode: Command::INTERNAL, ..command(0, 4, 0) };
    queue.push(Batch::new(Bytes::from_static(b"PING"), vec![ping], now));
    write_all(&mut queue, now);
    queue.cancel(0, 1);
    assert!(!refuse(&mut queue, LOADING).held);
    assert!(!queue.is_holding());
    assert!(refuse(&mut queue, LOADING).held);
    let answer = refuse(&mut queue, LOADING);
    assert!(answer.internal && !answer.held && answer.whose == Whose::NOBODY);
    assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));
    assert!(queue.retry_at().is_some(), "a ping is no later command");
}

#[test]
fn a_refused_command_can_be_cancelled_and_expires() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(batch(1, &["W1", "W2"], 100, now));
    write_all(&mut queue, now);
    refuse(&mut queue, LOADING);
    refuse(&mut queue, LOADING);
    assert_eq!(queue.cancel(0, 1), Some(Applied::No));
    assert_eq!(queue.next_deadline(), Some(now + ms(100)));
    let ended = queue.expire(now + ms(100));
    assert_eq!(ids(&ended), [(2, Applied::No)]);
    assert_eq!(ended[0].refusal.as_ref().map(Error::code), Some("LOADING"));
    assert_eq!((queue.commands(), queue.bytes()), (0, 0));
}

#[test]
fn a_read_only_server_is_left_and_tried_again_twice() {
    let (mut queue, now) = started(&["W1"]);
    for _ in 0..2 {
        assert_eq!(write_all(&mut queue, now), "W1");
        assert!(refuse(&mut queue, READONLY).held);
        assert!(
            matches!(queue.drained(now, 0, 0.5), Drained::Reconnect(rejected) if rejected.is_empty())
        );
        let (ended, _) = queue.lose(is_repeatable);
        assert!(ended.is_empty(), "the server said that it was not run");
    }
    write_all(&mut queue, now);
    let answer = refuse(&mut queue, READONLY);
    assert!(!answer.held);
    assert_eq!(answer.whose.id, 1, "the caller gets the server's words");
}

#[test]
fn a_loss_puts_refused_commands_before_the_others() {
    let (mut queue, now) = started(&["W1", "R2"]);
    write_all(&mut queue, now);
    refuse(&mut queue, LOADING);
    queue.push(batch(3, &["W3"], 0, now));
    let (ended, retried) = queue.lose(is_repeatable);
    assert_eq!((ended.len(), retried), (0, 1));
    assert!(!queue.is_holding());
    assert_eq!(write_all(&mut queue, now), "W1R2W3");
}

#[test]
fn only_replies_that_mean_not_now_are_refusals() {
    for text in ["LOADING x", "BUSY x", "MASTERDOWN x", "TRYAGAIN x", "CLUSTERDOWN", "READONLY x"] {
        let refusal = Refusal::read(text.as_bytes()).unwrap();
        assert_eq!(refusal.reconnects(), text.starts_with("READONLY"));
        assert_eq!(refusal.error.applied(), Some(Applied::No));
        assert!(refusal.error.is_retryable());
    }
    for text in ["", "ERR x", "OOM x", "MISCONF x", "NOREPLICAS x", "LOADINGX", "BUSYGROUP x"] {
        assert!(Refusal::read(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn retirement_completes_what_is_half_written_and_nothing_more() {
    let (mut queue, now) = started(&["W1aa", "W2aa", "W3aa"]);
    write(&mut queue, 5, now);
    queue.retire();
    assert_eq!(write_all(&mut queue, now), "2aa");
    reply(&mut queue);
    assert!(queue.is_waiting());
    reply(&mut queue);
    assert!(!queue.is_waiting());
    assert!(queue.unwritten().is_none());
    queue.resume();
    assert_eq!(write_all(&mut queue, now), "W3aa");
    assert_eq!(reply(&mut queue).whose.id, 3);
    assert_eq!((queue.commands(), queue.bytes()), (0, 0));
}

#[test]
fn retirement_while_refused_commands_wait_keeps_them() {
    let (mut queue, now) = started(&["W1", "W2"]);
    write(&mut queue, 2, now);
    refuse(&mut queue, LOADING);
    queue.drained(now, 0, 0.5);
    queue.retire();
    queue.resume();
    assert!(queue.unwritten().is_none(), "the delay still holds");
    queue.retry_held();
    assert_eq!(write_all(&mut queue, now), "W1W2");
}

#[test]
fn an_answer_to_half_a_command_is_told_and_survives_the_loss() {
    let (mut queue, now) = started(&["W1aaaa", "W2"]);
    write(&mut queue, 3, now);
    let answer = reply(&mut queue);
    assert!(answer.early);
    assert_eq!(answer.whose.id, 1);
    let (ended, _) = queue.lose(is_repeatable);
    assert!(ended.is_empty());
    assert_eq!(write_all(&mut queue, now), "W2");
    assert!(!reply(&mut queue).early);
}

#[test]
fn a_lanes_own_ping_is_not_told_to_anybody() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let ping = Command { mode: Command::INTERNAL, ..command(0, 4, 0) };
    queue.push(Batch::new(Bytes::from_static(b"PING"), vec![ping], now));
    assert_eq!(queue.cancel(0, 0), None, "an id of a caller may be 0 as well");
    write_all(&mut queue, now);
    assert_eq!(queue.overdue_since(), Some(now));
    let (ended, retried) = queue.lose(|_| true);
    assert_eq!((ended.len(), retried, queue.commands()), (0, 0, 0));
}

#[test]
fn the_end_of_everything_says_what_may_have_been_run() {
    let (mut queue, now) = started(&["W1", "W2", "W3aa", "W4", "W5"]);
    write(&mut queue, 7, now);
    reply(&mut queue);
    refuse(&mut queue, LOADING);
    queue.cancel(0, 5);
    let mut ended = ids(&queue.fail_all());
    ended.sort_by_key(|(id, _)| *id);
    assert_eq!(ended, [(2, Applied::No), (3, Applied::Unknown), (4, Applied::No)]);
    assert_eq!((queue.commands(), queue.bytes(), queue.in_flight()), (0, 0, 0));
    assert!(queue.unwritten().is_none());
}

#[test]
fn marks_end_with_the_connection_whether_written_or_not() {
    let now = Instant::now();
    let mark = || {
        let mode = Command::INTERNAL | Command::MARK;
        Batch::new(Bytes::from_static(b"M;"), vec![Command { mode, ..command(0, 2, 0) }], now)
    };
    let mut queue = Queue::routed();
    queue.push(batch(1, &["R1;"], 0, now));
    queue.push(mark());
    assert_eq!(write_all(&mut queue, now), "R1;M;");
    queue.push(batch(2, &["W2;"], 0, now));
    queue.push(mark());
    assert!(queue.lose(is_repeatable).0.is_empty());
    queue.resume();
    assert_eq!(write_all(&mut queue, now), "R1;W2;");
    assert_eq!(queue.commands(), 2);
    assert!(!queue.answer(None).unwrap().mark && !queue.answer(None).unwrap().mark);
    assert_eq!(queue.commands(), 0);
}
