//! What a block (a whole transaction as one command) does among other commands.

use super::super::outcome::Drained;
use super::*;
use crate::outbox::Whose;

/// A queue with an ordinary command (1), a block of two commands (2) and an ordinary one (3); the
/// block's text, and where its parts end.
fn started() -> (Queue, Instant, String, Vec<usize>) {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let (text, ends) = block(&["W", "W"]);
    let whole = format!("W1{text}W3");
    let mut rows = vec![command(1, 2, 0), command(2, text.len(), 0), command(3, 2, 0)];
    rows[1].mode |= Command::BLOCK;
    queue.push(Batch::new(Bytes::from(whole), rows, now));
    (queue, now, text, ends.iter().map(|end| end + 2).collect())
}

fn fail(queue: &mut Queue) -> Matched {
    queue.answer(Some(b"ERR no")).expect("no reply is due")
}

/// Takes this many replies.
fn take(queue: &mut Queue, replies: usize) {
    for _ in 0..replies {
        reply(queue);
    }
}

#[test]
fn a_block_gets_one_reply_of_many() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    assert_eq!((queue.commands(), queue.in_flight()), (3, 3));
    let whose: Vec<_> = (0..6).map(|_| reply(&mut queue).whose).collect();
    assert_eq!(whose[1..4], [Whose::NOBODY; 3]);
    assert_eq!([0, 4, 5].map(|at| whose[at].id), [1, 2, 3]);
    assert_eq!((queue.commands(), queue.bytes(), queue.is_waiting()), (0, 0, false));
}

#[test]
fn an_error_within_a_block_goes_to_its_caller() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    reply(&mut queue);
    reply(&mut queue);
    let answer = fail(&mut queue);
    assert_eq!((answer.whose, answer.whose.index()), (Whose::part(2, 1), Some(1)));
    assert!(answer.partial && !answer.held);
    reply(&mut queue);
    let answer = fail(&mut queue);
    assert!(!answer.partial && answer.whose.is_whole());
    assert_eq!(answer.whose.id, 2);
}

#[test]
fn all_replies_of_a_dead_block_are_thrown_away() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    reply(&mut queue);
    reply(&mut queue);
    assert_eq!(queue.cancel(0, 2), Some(Applied::Unknown));
    assert_eq!([0; 3].map(|_| fail(&mut queue).whose), [Whose::NOBODY; 3]);
    assert_eq!(reply(&mut queue).whose.id, 3);
}

#[test]
fn a_block_of_which_nothing_was_written_leaves_with_its_caller() {
    let (mut queue, now, ..) = started();
    write(&mut queue, 2, now);
    assert_eq!(queue.cancel(0, 2), Some(Applied::No));
    assert_eq!(write_all(&mut queue, now), "W3");
}

#[test]
fn a_half_written_block_is_completed_whatever_happens() {
    let (mut queue, now, text, _) = started();
    write(&mut queue, 10, now);
    queue.retire();
    assert_eq!(queue.cancel(0, 2), Some(Applied::Unknown), "the rest will follow");
    assert_eq!(write_all(&mut queue, now), text[8..], "but nothing behind it");
    let answers: Vec<_> = (0..5).map(|_| reply(&mut queue)).collect();
    assert!(answers.iter().all(|answer| !answer.early));
    assert!(queue.is_retired());
}

#[test]
fn a_block_may_be_answered_as_far_as_it_is_written() {
    let (mut queue, now, _, ends) = started();
    write(&mut queue, ends[0], now);
    reply(&mut queue);
    assert!(!reply(&mut queue).early, "MULTI was written");
    assert!(queue.is_waiting(), "its end is due");
    assert!(reply(&mut queue).early, "what follows was not");
}

#[test]
fn a_block_is_written_again_whole_if_its_end_was_not_written() {
    let (text, ends) = block(&["W", "W"]);
    for cut in 1..text.len() {
        let (mut queue, now, ..) = started();
        write(&mut queue, 2 + cut, now);
        // The server may have answered every part that was wholly written.
        take(&mut queue, 1 + ends.iter().filter(|end| **end <= cut).count());
        let (ended, retried) = queue.lose(is_repeatable);
        assert_eq!((ids(&ended), retried), (vec![], 1), "cut at {cut}");
        assert_eq!(write_all(&mut queue, now), format!("{text}W3"));
        let whose: Vec<_> = (0..5).map(|_| reply(&mut queue).whose.id).collect();
        assert_eq!(whose, [0, 0, 0, 2, 3]);
    }
}

#[test]
fn a_wholly_written_block_is_never_written_again() {
    for answered in 0..4 {
        let (mut queue, now, text, _) = started();
        write(&mut queue, 2 + text.len(), now);
        take(&mut queue, 1 + answered);
        let (ended, retried) = queue.lose(is_repeatable);
        assert_eq!((ids(&ended), retried), (vec![(2, Applied::Unknown)], 0));
        assert_eq!(write_all(&mut queue, now), "W3");
    }
}

#[test]
fn a_block_that_is_cut_time_and_again_ends_not_applied() {
    let (mut queue, now, ..) = started();
    write(&mut queue, 2, now);
    reply(&mut queue);
    for _ in 0..2 {
        write(&mut queue, 5, now);
        assert_eq!(ids(&queue.lose(is_repeatable).0), []);
    }
    write(&mut queue, 5, now);
    assert_eq!(ids(&queue.lose(is_repeatable).0), [(2, Applied::No)]);
    assert_eq!(write_all(&mut queue, now), "W3");
}

#[test]
fn closing_tells_a_cut_block_from_one_that_may_have_run() {
    let (mut queue, now, text, _) = started();
    write(&mut queue, 10, now);
    let ended = queue.fail_all();
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::No), (3, Applied::No)]);
    let (mut queue, now, ..) = started();
    write(&mut queue, 2 + text.len(), now);
    let ended = queue.fail_all();
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::Unknown), (3, Applied::No)]);
}

#[test]
fn a_refused_block_is_never_held() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    reply(&mut queue);
    reply(&mut queue);
    assert!(!refuse(&mut queue, LOADING).held);
    reply(&mut queue);
    assert_eq!(fail(&mut queue).whose.id, 2);
    assert!(!queue.is_holding());
}

#[test]
fn a_block_refused_for_the_servers_role_asks_for_another_connection() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    reply(&mut queue);
    reply(&mut queue);
    refuse(&mut queue, READONLY);
    reply(&mut queue);
    fail(&mut queue);
    queue.push(batch(4, &["W4"], 0, now));
    assert!(queue.unwritten().is_none(), "what is new waits for it");
    reply(&mut queue);
    assert!(matches!(queue.drained(now, 0, 0.5), Drained::Reconnect(_)));
    assert_eq!(ids(&queue.lose(is_repeatable).0), []);
    assert_eq!(write_all(&mut queue, now), "W4");
}

#[test]
fn a_refused_command_does_not_retry_past_a_block_that_ran() {
    let (mut queue, now, ..) = started();
    write_all(&mut queue, now);
    assert!(refuse(&mut queue, LOADING).held);
    take(&mut queue, 3);
    assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));
    reply(&mut queue);
    assert!(refuse(&mut queue, LOADING).held);
    let Drained::Reject(rejected) = queue.drained(now, 0, 0.5) else { panic!() };
    assert_eq!(codes(&rejected), [(1, "LOADING"), (3, "LOADING")]);
}
