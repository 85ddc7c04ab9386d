//! What a lost connection means for a transaction whose keys were watched on it.

use super::*;

/// A queue of these commands: `WATCH`, `UNWATCH`, `EXEC` for a whole transaction, or another one. Ids
/// count from 1.
fn queue_of(names: &[&str]) -> (Queue, Instant) {
    let (mut queue, now) = (Queue::default(), Instant::now());
    push(&mut queue, 1, names, now);
    (queue, now)
}

/// Each command is a batch of its own.
fn push(queue: &mut Queue, first: u32, names: &[&str], now: Instant) {
    for (id, name) in (first..).zip(names) {
        let (text, mode) = match *name {
            "EXEC" => (block(&["W"]).0, Command::BLOCK),
            "WATCH" | "UNWATCH" => (encoded(name), Command::WATCHES),
            other => (encoded(other), 0),
        };
        let row = Command { id, len: text.len() as u32, mode, timeout: 0 };
        queue.push(Batch::new(Bytes::from(text), vec![row], now));
    }
}

fn encoded(name: &str) -> String {
    let mut text = Vec::new();
    encode::command(&mut text, &[name.as_bytes()]);
    String::from_utf8(text).unwrap()
}

/// Writes the first `count` commands, and takes the replies to `answered` of them.
fn serve(queue: &mut Queue, names: &[&str], count: usize, answered: usize, now: Instant) {
    let length = |name: &&str| match *name {
        "EXEC" => block(&["W"]).0.len(),
        other => encoded(other).len(),
    };
    write(queue, names.iter().take(count).map(length).sum(), now);
    for name in names.iter().take(answered) {
        (0..if *name == "EXEC" { 3 } else { 1 }).for_each(|_| drop(reply(queue)));
    }
}

/// The ids of the transactions that must not run.
fn voided(queue: &mut Queue) -> Vec<u32> {
    let ended = queue.take_voided();
    assert!(ended.iter().all(|ended| ended.applied == Applied::No));
    ended.iter().map(|ended| ended.id).collect()
}

#[test]
fn a_transaction_whose_watch_was_lost_is_not_written_to_the_next_connection() {
    // Commands; how many were written and answered when the connection was lost; what is void.
    let cases: &[(&[&str], usize, usize, &[u32])] = &[
        (&["WATCH", "EXEC"], 1, 1, &[2]),
        (&["WATCH", "EXEC"], 1, 0, &[2]),
        (&["WATCH", "R", "EXEC", "EXEC"], 2, 1, &[3]),
        (&["WATCH", "EXEC"], 0, 0, &[]),
        (&["WATCH", "UNWATCH", "EXEC"], 1, 1, &[]),
        (&["WATCH", "UNWATCH", "EXEC"], 2, 1, &[]),
        (&["WATCH", "EXEC", "EXEC"], 2, 1, &[]),
        (&["WATCH", "WATCH", "EXEC"], 1, 1, &[3]),
        (&["WATCH", "EXEC", "WATCH", "EXEC"], 1, 1, &[2]),
        (&["EXEC", "EXEC"], 1, 0, &[]),
    ];
    for (names, written, answered, void) in cases {
        let (mut queue, now) = queue_of(names);
        serve(&mut queue, names, *written, *answered, now);
        queue.lose(is_repeatable);
        assert_eq!(voided(&mut queue), *void, "{names:?} {written} {answered}");
        let again = write_all(&mut queue, now);
        let left = names.len() - written - void.len();
        assert!(again.matches("EXEC").count() <= left, "{names:?}: {again}");
    }
}

#[test]
fn a_transaction_that_is_cut_is_not_written_again_without_its_watch() {
    let names = ["WATCH", "EXEC"];
    let (mut queue, now) = queue_of(&names);
    serve(&mut queue, &names, 1, 1, now);
    write(&mut queue, 20, now);
    assert_eq!(ids(&queue.lose(is_repeatable).0), []);
    assert_eq!(voided(&mut queue), [2]);
    assert_eq!(write_all(&mut queue, now), "");
}

#[test]
fn a_transaction_that_comes_after_the_loss_does_not_run_either_and_the_next_one_does() {
    let (mut queue, now) = queue_of(&["WATCH"]);
    serve(&mut queue, &["WATCH"], 1, 1, now);
    queue.lose(is_repeatable);
    queue.resume();
    push(&mut queue, 2, &["R", "EXEC", "EXEC"], now);
    assert_eq!(voided(&mut queue), [3]);
    assert_eq!(write_all(&mut queue, now), format!("{}{}", encoded("R"), block(&["W"]).0));
}

#[test]
fn a_connection_that_is_replaced_takes_what_it_watched_along() {
    let (mut queue, now) = queue_of(&["WATCH"]);
    serve(&mut queue, &["WATCH"], 1, 1, now);
    queue.retire();
    push(&mut queue, 2, &["R", "EXEC"], now);
    assert!(queue.is_retired());
    queue.resume();
    assert_eq!(voided(&mut queue), [3]);
    assert_eq!(write_all(&mut queue, now), encoded("R"));
    assert_eq!((queue.commands(), queue.bytes()), (1, encoded("R").len()));
}

#[test]
fn a_refused_connection_forgets_no_watch() {
    let (mut queue, now) = queue_of(&["WATCH"]);
    serve(&mut queue, &["WATCH"], 1, 1, now);
    queue.fail_all();
    push(&mut queue, 2, &["EXEC"], now);
    assert_eq!(voided(&mut queue), [2]);
}

#[test]
fn a_watch_whose_caller_has_gone_is_written_all_the_same() {
    let (mut queue, now) = queue_of(&["WATCH", "EXEC"]);
    assert_eq!(queue.cancel(0, 1), Some(Applied::No));
    assert!(write_all(&mut queue, now).starts_with(&encoded("WATCH")));
    queue.forget_watches();
    assert_eq!(voided(&mut queue), []);
}
