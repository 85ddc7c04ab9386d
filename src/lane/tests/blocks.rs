//! What a block, a whole transaction in one command, does among others.

use super::super::outcome::Drained;
use super::*;
use crate::outbox::Whose;

/// An ordinary command (1), a block of two commands (2) and an ordinary one (3); and the ends of
/// the block's parts.
fn started() -> (State, Instant, String, Vec<usize>) {
    let (mut state, now) = (State::default(), Instant::now());
    let (text, ends) = block(&["W", "W"]);
    let whole = format!("W1{text}W3");
    let mut rows = vec![command(1, 2, 0), command(2, text.len(), 0), command(3, 2, 0)];
    rows[1].mode |= Command::BLOCK;
    state.push(Batch::new(Bytes::from(whole), rows, now));
    (state, now, text, ends.iter().map(|end| end + 2).collect())
}

fn fail(state: &mut State) -> Answer {
    state.answer(Some(b"ERR no")).expect("no reply is due")
}

/// Takes this many replies.
fn take(state: &mut State, replies: usize) {
    for _ in 0..replies {
        reply(state);
    }
}

#[test]
fn a_block_gets_one_reply_of_many() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    assert_eq!((state.commands(), state.in_flight()), (3, 3));
    let whose: Vec<_> = (0..6).map(|_| reply(&mut state).whose).collect();
    assert_eq!(whose[1..4], [Whose::NOBODY; 3]);
    assert_eq!([0, 4, 5].map(|at| whose[at].id), [1, 2, 3]);
    assert_eq!((state.commands(), state.bytes(), state.is_waiting()), (0, 0, false));
}

#[test]
fn an_error_within_a_block_goes_to_its_caller() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    reply(&mut state);
    reply(&mut state);
    let answer = fail(&mut state);
    assert_eq!((answer.whose, answer.whose.index()), (Whose::part(2, 1), Some(1)));
    assert!(answer.partial && !answer.held);
    reply(&mut state);
    let answer = fail(&mut state);
    assert!(!answer.partial && answer.whose.is_whole());
    assert_eq!(answer.whose.id, 2);
}

#[test]
fn all_replies_of_a_dead_block_are_thrown_away() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    reply(&mut state);
    reply(&mut state);
    assert_eq!(state.cancel(0, 2), Some(Applied::Unknown));
    assert_eq!([0; 3].map(|_| fail(&mut state).whose), [Whose::NOBODY; 3]);
    assert_eq!(reply(&mut state).whose.id, 3);
}

#[test]
fn a_block_of_which_nothing_was_written_leaves_with_its_caller() {
    let (mut state, now, ..) = started();
    write(&mut state, 2, now);
    assert_eq!(state.cancel(0, 2), Some(Applied::No));
    assert_eq!(write_all(&mut state, now), "W3");
}

#[test]
fn a_half_written_block_is_completed_whatever_happens() {
    let (mut state, now, text, _) = started();
    write(&mut state, 10, now);
    state.retire();
    assert_eq!(state.cancel(0, 2), Some(Applied::Unknown), "the rest will follow");
    assert_eq!(write_all(&mut state, now), text[8..], "but nothing behind it");
    let answers: Vec<_> = (0..5).map(|_| reply(&mut state)).collect();
    assert!(answers.iter().all(|answer| !answer.early));
    assert!(state.is_retired());
}

#[test]
fn a_block_may_be_answered_as_far_as_it_is_written() {
    let (mut state, now, _, ends) = started();
    write(&mut state, ends[0], now);
    reply(&mut state);
    assert!(!reply(&mut state).early, "MULTI was written");
    assert!(state.is_waiting(), "its end is due");
    assert!(reply(&mut state).early, "what follows was not");
}

#[test]
fn a_block_is_written_again_whole_if_its_end_was_not_written() {
    let (text, ends) = block(&["W", "W"]);
    for cut in 1..text.len() {
        let (mut state, now, ..) = started();
        write(&mut state, 2 + cut, now);
        // As many replies as could have come.
        take(&mut state, 1 + ends.iter().filter(|end| **end <= cut).count());
        let (ended, retried) = state.lose(is_repeatable);
        assert_eq!((ids(&ended), retried), (vec![], 1), "cut at {cut}");
        assert_eq!(write_all(&mut state, now), format!("{text}W3"));
        let whose: Vec<_> = (0..5).map(|_| reply(&mut state).whose.id).collect();
        assert_eq!(whose, [0, 0, 0, 2, 3]);
    }
}

#[test]
fn a_wholly_written_block_is_never_written_again() {
    for answered in 0..4 {
        let (mut state, now, text, _) = started();
        write(&mut state, 2 + text.len(), now);
        take(&mut state, 1 + answered);
        let (ended, retried) = state.lose(is_repeatable);
        assert_eq!((ids(&ended), retried), (vec![(2, Applied::Unknown)], 0));
        assert_eq!(write_all(&mut state, now), "W3");
    }
}

#[test]
fn a_block_that_is_cut_time_and_again_ends_not_applied() {
    let (mut state, now, ..) = started();
    write(&mut state, 2, now);
    reply(&mut state);
    for _ in 0..2 {
        write(&mut state, 5, now);
        assert_eq!(ids(&state.lose(is_repeatable).0), []);
    }
    write(&mut state, 5, now);
    assert_eq!(ids(&state.lose(is_repeatable).0), [(2, Applied::No)]);
    assert_eq!(write_all(&mut state, now), "W3");
}

#[test]
fn closing_tells_a_cut_block_from_one_that_may_have_run() {
    let (mut state, now, text, _) = started();
    write(&mut state, 10, now);
    let ended = state.fail_all();
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::No), (3, Applied::No)]);
    let (mut state, now, ..) = started();
    write(&mut state, 2 + text.len(), now);
    let ended = state.fail_all();
    assert_eq!(ids(&ended), [(1, Applied::Unknown), (2, Applied::Unknown), (3, Applied::No)]);
}

#[test]
fn a_refused_block_is_never_held() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    reply(&mut state);
    reply(&mut state);
    assert!(!refuse(&mut state, LOADING).held);
    reply(&mut state);
    assert_eq!(fail(&mut state).whose.id, 2);
    assert!(!state.is_holding());
}

#[test]
fn a_block_refused_for_the_servers_role_asks_for_another_connection() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    reply(&mut state);
    reply(&mut state);
    refuse(&mut state, READONLY);
    reply(&mut state);
    fail(&mut state);
    state.push(batch(4, &["W4"], 0, now));
    assert!(state.unwritten().is_none(), "what is new waits for it");
    reply(&mut state);
    assert!(matches!(state.drained(now, 0, 0.5), Drained::Reconnect));
    assert_eq!(ids(&state.lose(is_repeatable).0), []);
    assert_eq!(write_all(&mut state, now), "W4");
}

#[test]
fn a_refused_command_does_not_retry_past_a_block_that_ran() {
    let (mut state, now, ..) = started();
    write_all(&mut state, now);
    assert!(refuse(&mut state, LOADING).held);
    take(&mut state, 3);
    assert!(matches!(state.drained(now, 0, 0.5), Drained::Nothing));
    reply(&mut state);
    assert!(refuse(&mut state, LOADING).held);
    let Drained::Reject(rejected) = state.drained(now, 0, 0.5) else { panic!() };
    assert_eq!(codes(&rejected), [(1, "LOADING"), (3, "LOADING")]);
}
